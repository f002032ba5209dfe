/**
 * The agent's one MQTT connection: will, status, subscriptions, reconnecting with back-off and jitter, bounded and
 * guarded input. Keeps nothing for later: what cannot be sent now is the caller's to send again, because the client
 * library's own stores do not survive a kill -9.
 */
import { ConnectionLog, topics } from '@lineheron/models';
import mqtt, { type MqttClient } from 'mqtt';
import { writeToStream } from 'mqtt-packet';
import type { Clock } from '../clock.js';
import type { Counters } from '../counters.js';
import type { Log } from '../log.js';
import { lost, type Reply, replyOfError, unmeasured } from '../reply.js';
import { SizeLimit } from './size-limit.js';
import { whyNot } from './why-not.js';

export interface LinkOptions {
  url: string;
  username?: string | undefined;
  password?: string | undefined;
  /** PEM texts for mqtts and wss: who may have signed the broker's certificate; our own certificate and its key. */
  tls?: { ca?: string | undefined; cert?: string | undefined; key?: string | undefined } | undefined;
  agent: string;
  subscriptions: readonly string[];
  clock: Clock;
  /** In [0, 1). */
  random: () => number;
  log: Log;
  counters: Counters;
  onConnect: () => void;
  /** The broker knows our subscriptions: what is sent before may be acknowledged to nobody. */
  onSubscribed: () => void;
  /** `retained`: kept by the broker for whoever subscribes, not said just now. */
  onMessage: (topic: string, payload: Buffer, retained: boolean) => void;
}

const MIN_RECONNECT_MS = 500;
const MAX_RECONNECT_MS = 15_000;
const CONNECT_TIMEOUT_MS = 10_000;
const KEEPALIVE_S = 30;
/** From here on a granted QoS is none. */
const REFUSED = 0x80;
/** Connections that end this soon, several times in a row, have a reason that a person should look for. */
const SHORT_LIFE_MS = 10_000;
const SHORT_LIVES_BEFORE_WARNING = 3;
/** How long to leave the field to another agent that uses our id; half to one and a half times as long. */
const RIVAL_PAUSE_MS = 5 * 60_000;

export class Link {
  private client: MqttClient | null = null;
  private failures = 0;
  private connectedAtMs: number | null = null;
  private shortLives = 0;
  private readonly connectionLog: ConnectionLog;
  private rival = false;
  private stopping = false;
  private subscribed = false;
  /** Our own ping is being sent, as opposed to the library's. */
  private pinging = false;
  /** Send times of pings that have no answer yet, oldest first: the broker answers in order. */
  private pings: { sentMs: number; settle: (reply: Reply) => void }[] = [];
  /** Why nothing comes back from where the broker is; null while something did, or nobody has tried. */
  private unreachable: string | null = null;

  /** What the broker is known to refuse for its size. */
  readonly sizes: SizeLimit;

  constructor(private readonly options: LinkOptions) {
    this.sizes = new SizeLimit((bytes) => this.refused(bytes));
    this.connectionLog = new ConnectionLog(options.log, () => options.clock.monotonicMs());
  }

  get connected(): boolean {
    return this.client?.connected === true;
  }

  /**
   * Whether much may be sent at once: a broker that is still busy with the connection may end it for that (aedes does
   * for more than 42 messages).
   */
  get settled(): boolean {
    return this.connected && this.subscribed;
  }

  start(): void {
    // Else the library keeps a buffer for each of 65,536 numbers: 7 MB, and 30 ms of the start.
    writeToStream.cacheNumbers = false;
    const { url, username, password, tls, agent } = this.options;
    const client = mqtt.connect(url, {
      protocolVersion: 4,
      clean: true,
      clientId: `lineheron-agent-${agent}`,
      ...(username === undefined ? {} : { username }),
      ...(password === undefined ? {} : { password }),
      ...(tls?.ca === undefined ? {} : { ca: tls.ca }),
      ...(tls?.cert === undefined ? {} : { cert: tls.cert }),
      ...(tls?.key === undefined ? {} : { key: tls.key }),
      keepalive: KEEPALIVE_S,
      connectTimeout: CONNECT_TIMEOUT_MS,
      reconnectPeriod: this.nextDelayMs(),
      reconnectOnConnackError: true,
      resubscribe: false,
      queueQoSZero: false,
      will: { topic: topics.status(agent), payload: Buffer.from('offline'), qos: 1, retain: true },
    });
    this.client = client;
    client.on('connect', () => this.connectedNow(client));
    client.on('close', () => this.closedNow(client));
    client.on('error', (error) => this.failed(error));
    client.on('message', (topic, payload, { retain }) => this.options.onMessage(topic, payload, retain));
    client.on('packetsend', ({ cmd }) => {
      if (cmd === 'pingreq' && !this.pinging) this.expectAnswer(() => {});
    });
    client.on('packetreceive', ({ cmd }) => {
      if (cmd === 'pingresp') this.answered();
    });
  }

  /** To be called every second or so. */
  tick(): void {
    this.connectionLog.tick();
  }

  /** Sends at QoS 1 when connected; false when that is not possible now. Nothing is kept for later. */
  publish(
    topic: string,
    payload: string | Buffer,
    retain = false,
    onEnd: (taken: boolean) => void = () => {},
  ): boolean {
    if (!this.client || !this.connected) return false;
    const bytes = Buffer.byteLength(payload);
    if (bytes >= this.sizes.refusedBytes) {
      this.options.counters.add('messages_too_large');
      return false;
    }
    const answered = this.sizes.sent(bytes, this.options.clock.monotonicMs());
    this.client.publish(topic, payload, { qos: 1, retain }, (error) => {
      if (!error) answered();
      onEnd(!error);
    });
    return true;
  }

  /** Like publish; whether the broker took it. False when the connection is lost before it says so. */
  deliver(topic: string, payload: string): Promise<boolean> {
    return new Promise((resolve) => {
      if (!this.publish(topic, payload, false, (taken) => resolve(taken))) resolve(false);
    });
  }

  /** Like publish; resolves when the broker has answered, the connection is lost or the time is up. */
  publishAndWait(topic: string, payload: string, retain: boolean, timeoutMs: number): Promise<void> {
    const { client } = this;
    if (!client || !this.connected) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, timeoutMs);
      client.publish(topic, payload, { qos: 1, retain }, () => {
        clearTimeout(timer);
        resolve();
      });
    });
  }

  /**
   * Whether another agent has used our id since we last did. The broker lets only the newer of two connections live,
   * so each would end the other's for ever. Who sees the other leaves it alone for minutes once it is pushed out: both
   * get through, in long turns, until somebody reads the log.
   */
  setRival(seen: boolean): void {
    const { log, agent, counters } = this.options;
    if (seen) counters.add('rivals_seen');
    if (seen && !this.rival)
      log.error({ agent }, 'another agent uses the same agent_id: give each gateway its own');
    this.rival = seen;
    if (this.client) this.client.options.reconnectPeriod = this.nextDelayMs();
  }

  /**
   * PINGREQ to PINGRESP. Without a connection it is lost while the network gives no answer from where the broker is;
   * a broker that refuses or has closed says nothing about the line.
   */
  roundTrip(timeoutMs: number): Promise<Reply> {
    const { client } = this;
    if (!client || !this.connected) return Promise.resolve(this.disconnectedReply());
    return new Promise((resolve) => {
      const late = () => {
        this.unreachable = 'timeout';
        settle(lost('timeout'));
      };
      // An answer that came while the process was busy is read before the time counts as up.
      let immediate: NodeJS.Immediate | undefined;
      const timer = setTimeout(() => {
        immediate = setImmediate(late);
      }, timeoutMs);
      const settle = (reply: Reply) => {
        clearTimeout(timer);
        clearImmediate(immediate);
        resolve(reply);
      };
      this.expectAnswer(settle);
      this.pinging = true;
      client.sendPing();
      this.pinging = false;
    });
  }

  /** Says goodbye and closes; both together take at most `timeoutMs`. */
  async stop(timeoutMs: number): Promise<void> {
    const { client } = this;
    if (!client) return;
    this.stopping = true;
    const { clock } = this.options;
    const untilMs = clock.monotonicMs() + timeoutMs;
    await this.publishAndWait(topics.status(this.options.agent), 'offline', true, timeoutMs);
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, Math.max(0, untilMs - clock.monotonicMs()));
      client.end(true, {}, () => {
        clearTimeout(timer);
        resolve();
      });
    });
    this.client = null;
  }

  private disconnectedReply(): Reply {
    return this.unreachable === null ? unmeasured('not_connected') : lost(this.unreachable);
  }

  private expectAnswer(settle: (reply: Reply) => void): void {
    this.pings.push({ sentMs: this.options.clock.monotonicMs(), settle });
  }

  private answered(): void {
    this.unreachable = null;
    const ping = this.pings.shift();
    if (!ping) return;
    const latencyMs = this.options.clock.monotonicMs() - ping.sentMs;
    ping.settle({ kind: 'answered', latencyMs, error: null });
  }

  private connectedNow(client: MqttClient): void {
    const { agent, subscriptions, log, clock, onConnect, onSubscribed } = this.options;
    this.connectedAtMs = clock.monotonicMs();
    this.unreachable = null;
    this.connectionLog.up();
    this.options.counters.add('connects');
    client.subscribe([...subscriptions], { qos: 1 }, (error, _granted, packet) => {
      if (!client.connected) return;
      const refused = subscriptions.filter((_, at) => Number(packet?.granted?.[at] ?? 0) >= REFUSED);
      if (error && this.connectionLog.isNews(`subscriptions: ${refused.join()}`))
        log.error(
          { error: error.message, refused },
          'the broker refuses subscriptions that this agent needs: "lineheron-agent doctor" tells what to allow',
        );
      this.subscribed = true;
      onSubscribed();
    });
    this.publish(topics.status(agent), 'online', true);
    // After the request: what the broker kept of our own topics is then what was there before us.
    onConnect();
  }

  private closedNow(client: MqttClient): void {
    const byBroker =
      this.connectedAtMs !== null && !this.stopping && !this.rival && this.unreachable === null;
    this.sizes.ended(byBroker, this.options.clock.monotonicMs());
    // The library would send these again by itself; we send again what is still worth it.
    for (const id of Object.keys(client.outgoing)) client.removeOutgoingMessage(Number(id));
    for (const ping of this.pings.splice(0)) ping.settle(this.disconnectedReply());
    const livedMs = this.connectedAtMs === null ? 0 : this.options.clock.monotonicMs() - this.connectedAtMs;
    if (this.connectedAtMs !== null && !this.stopping) this.lostAfter(livedMs);
    this.connectedAtMs = null;
    this.subscribed = false;
    // What finds out a limit is over after a few connections, and nothing gets through until then.
    this.failures = livedMs > SHORT_LIFE_MS || this.sizes.isCareful ? 0 : this.failures + 1;
    // The timer for the coming attempt is already set; this is for the one after it.
    client.options.reconnectPeriod = this.nextDelayMs();
  }

  private lostAfter(livedMs: number): void {
    const { log, agent } = this.options;
    this.connectionLog.down({ seconds: Math.round(livedMs / 1000) });
    this.shortLives = livedMs < SHORT_LIFE_MS ? this.shortLives + 1 : 0;
    if (this.shortLives !== SHORT_LIVES_BEFORE_WARNING) return;
    if (this.rival || this.sizes.isCareful) return;
    log.error(
      { agent },
      'connections end again and again soon after they came about: the broker may say why',
    );
  }

  private refused(bytes: number): void {
    const { log, counters } = this.options;
    counters.add('broker_size_refusals');
    log.error(
      { bytes },
      `the broker ended the connection after a message of ${bytes.toLocaleString('en-US')} bytes again and again: its limit may be lower (Mosquitto calls it message_size_limit). Only smaller ones are sent from now on`,
    );
  }

  private failed(error: Error): void {
    this.unreachable = unreachableBy(error, this.unreachable);
    const message = whyNot(error);
    if (!this.connectionLog.isNews(message)) return;
    this.options.log.warn({ error: message }, 'cannot reach the broker: trying again');
  }

  private nextDelayMs(): number {
    if (this.rival) return Math.round(RIVAL_PAUSE_MS * (0.5 + this.options.random()));
    const delayMs = Math.min(MAX_RECONNECT_MS, MIN_RECONNECT_MS * 2 ** Math.min(this.failures, 10));
    return Math.round(delayMs * (0.75 + 0.5 * this.options.random()));
  }
}

/** Who was silent all the time is lost; whose name cannot be looked up may be or not. Whoever refuses was reached. */
function unreachableBy(error: Error & { code?: unknown }, before: string | null): string | null {
  if (/connack timeout/i.test(error.message)) return 'timeout';
  const reply = replyOfError(error);
  if (reply.kind === 'lost') return /^(timeout|net|host)/.test(reply.error) ? reply.error : null;
  return typeof error.code === 'string' && /^(ENOTFOUND|EAI_)/.test(error.code) ? before : null;
}
