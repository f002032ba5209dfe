/**
 * The collector's one MQTT connection: makes sure that no other collector serves this broker, subscribes to what agents
 * say and publishes to them. Messages to agents are not queued while it is down: agents resend what was not
 * acknowledged and read desired state when it is back.
 */
import { Socket } from 'node:net';
import {
  COLLECTOR_KINDS,
  COLLECTOR_TOPIC,
  type CollectorClaim,
  ConnectionLog,
  fromAllAgents,
  type LogLines,
} from '@lineheron/models';
import mqtt, { type MqttClient } from 'mqtt';
import { FleetClaim, otherCollector } from './fleet-claim.js';

export interface MqttLinkOptions {
  clientId: string;
  username?: string | undefined;
  password?: string | undefined;
  /** What other collectors on the broker are told of this one. */
  me: Omit<CollectorClaim, 'v' | 'state'>;
  onMessage: (topic: string, payload: Buffer) => void;
  /** After every (re)connection, once this collector serves the broker and is subscribed. */
  onConnect: () => void;
  onDisconnect: () => void;
  /** Another collector serves the broker; nothing is acknowledged until that one ends. */
  onStandby: (sentence: string) => void;
  log: LogLines;
}

const RECONNECT_MS = 1000;
const TICK_MS = 250;
const STOP_MS = 500;

export class MqttLink {
  /** Messages that could not be sent because the connection was down. */
  unsent = 0;
  private client: MqttClient | null = null;
  private wasConnected = false;
  private subscribed = false;
  private address = '';
  private ticks: NodeJS.Timeout | undefined;
  /** Whether somebody takes what agents say, and whether the broker is ours to serve. */
  private serving = false;
  private claimed = false;
  private readonly claim: FleetClaim;
  private readonly connectionLog: ConnectionLog;
  private settle: ((other: CollectorClaim | null) => void) | undefined;
  private readonly settled = new Promise<CollectorClaim | null>((resolve) => {
    this.settle = resolve;
  });

  constructor(private readonly options: MqttLinkOptions) {
    this.connectionLog = new ConnectionLog(options.log, () => performance.now());
    this.claim = new FleetClaim({
      me: options.me,
      monotonicMs: () => performance.now(),
      publish: (claim, retain) => this.sayClaim(JSON.stringify(claim), retain),
      onServing: (again) => {
        if (again) options.log.info({}, 'the other collector has ended: this one serves the broker again');
        this.claimed = true;
        this.settle?.(null);
        this.subscribe();
      },
      onPaused: () => this.pause(),
      onStandby: (other) => {
        this.pause();
        this.settle?.(other);
        options.onStandby(otherCollector(other));
      },
    });
  }

  /** Connected, and the collector that serves the broker. */
  get connected(): boolean {
    return this.client?.connected === true && this.subscribed;
  }

  /** The broker is ours to serve. */
  get isClaimed(): boolean {
    return this.claimed;
  }

  /** Why it does not serve although there may be a broker. */
  get standby(): string | null {
    const other = this.claim.servedBy;
    return other && otherCollector(other);
  }

  get clientId(): string {
    return this.options.clientId;
  }

  /** Where it connects to; empty before the start. */
  get url(): string {
    return this.address;
  }

  /**
   * Whether another collector serves the broker; null when this one does, or when the broker is not there within
   * `patienceMs`: then that is found out later.
   */
  async other(patienceMs: number): Promise<CollectorClaim | null> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<null>((resolve) => {
      timer = setTimeout(() => {
        if (!this.client?.connected) resolve(null);
      }, patienceMs);
    });
    return Promise.race([this.settled, late]).finally(() => clearTimeout(timer));
  }

  /** From now on it takes what agents say, as soon as the broker is its own to serve. */
  serve(): void {
    this.serving = true;
    this.subscribe();
  }

  /** `secret` is what the embedded broker knows its owner by; another broker takes the configured login. */
  start(url: string, secret?: string): void {
    const { clientId, onMessage, onDisconnect } = this.options;
    const username = secret === undefined ? this.options.username : clientId;
    const password = secret ?? this.options.password;
    this.address = url;
    const client = mqtt.connect(url, {
      protocolVersion: 4,
      clientId,
      clean: true,
      ...(username === undefined ? {} : { username }),
      ...(password === undefined ? {} : { password }),
      reconnectPeriod: RECONNECT_MS,
      connectTimeout: 5000,
      queueQoSZero: false,
      resubscribe: false,
      will: { topic: COLLECTOR_TOPIC, payload: Buffer.alloc(0), qos: 1, retain: true },
    });
    this.client = client;
    client.on('message', (topic, payload, { retain }) => {
      if (topic === COLLECTOR_TOPIC) this.claim.hear(payload, retain);
      else if (this.claimed) onMessage(topic, payload);
    });
    client.on('error', (error) => this.failed(error));
    client.on('connect', () => {
      // Small messages follow each other, and an acknowledgement must not wait 40 ms for that of TCP.
      if (client.stream instanceof Socket) client.stream.setNoDelay(true);
      this.wasConnected = true;
      this.connectionLog.up();
      this.ask(client, secret !== undefined);
    });
    client.on('close', () => {
      if (this.wasConnected) this.connectionLog.down();
      if (this.subscribed) onDisconnect();
      this.wasConnected = false;
      this.subscribed = false;
      this.claimed = false;
      this.claim.disconnected();
    });
    this.ticks = setInterval(() => {
      this.claim.tick();
      this.connectionLog.tick();
    }, TICK_MS);
  }

  /** At QoS 1; dropped and counted while there is no connection. */
  publish(topic: string, payload: unknown, retain = false): void {
    if (!this.client || !this.connected) {
      this.lose();
      return;
    }
    this.client.publish(topic, JSON.stringify(payload), { qos: 1, retain }, (error) => {
      if (error) this.lose();
    });
  }

  /** Sends what is under way, for a short while, and disconnects. */
  async stop(): Promise<void> {
    const client = this.client;
    if (!client) return;
    clearInterval(this.ticks);
    if (this.claimed) this.sayClaim('', true);
    this.client = null;
    this.wasConnected = false;
    this.subscribed = false;
    this.claimed = false;
    this.claim.disconnected();
    await new Promise<void>((resolve) => {
      // A broker that says nothing to our CONNECT would be waited for without an end.
      const timer = setTimeout(() => client.end(true, {}, () => resolve()), STOP_MS);
      client.end(false, {}, () => {
        clearTimeout(timer);
        resolve();
      });
    });
  }

  /** A broker that is away says the same at every attempt. */
  private failed({ message }: Error): void {
    if (this.connectionLog.isNews(message)) {
      this.options.log.warn({ error: message }, 'cannot reach the broker: trying again');
    }
  }

  private lose(): void {
    // Once it has been stopped that is no news.
    if (this.unsent++ > 0 || !this.client) return;
    this.options.log.warn({}, 'a message to agents found no connection to the broker; more are only counted');
  }

  /** Finds out whether the broker is ours to serve; our own one is. */
  private ask(client: MqttClient, ownsBroker: boolean): void {
    client.subscribe(COLLECTOR_TOPIC, { qos: 1 }, (error) => {
      if (!client.connected) return;
      if (error && this.connectionLog.isNews(COLLECTOR_TOPIC)) {
        const remedy = 'allow reading and writing it, or a second collector goes unnoticed';
        this.options.log.warn({}, `the broker refuses ${COLLECTOR_TOPIC}: ${remedy}`);
      }
      this.claim.connected(ownsBroker || Boolean(error));
    });
  }

  private sayClaim(text: string, retain: boolean): void {
    if (this.client?.connected) this.client.publish(COLLECTOR_TOPIC, text, { qos: 1, retain });
  }

  private subscribe(): void {
    const { client } = this;
    if (!client?.connected || !this.serving || !this.claimed || this.subscribed) return;
    client.subscribe(COLLECTOR_KINDS.map(fromAllAgents), { qos: 1 }, (error) => {
      if (error) return this.failed(error);
      if (!this.claimed || !client.connected) return;
      this.subscribed = true;
      // What others desire of single agents: good to know, and a broker may refuse it.
      client.subscribe(fromAllAgents('desired'), { qos: 1 }, () => {});
      return this.options.onConnect();
    });
  }

  /** Takes nothing from agents and says nothing to them until the broker is its own to serve again. */
  private pause(): void {
    const { client } = this;
    if (client?.connected && this.claimed) {
      client.unsubscribe([...COLLECTOR_KINDS, 'desired' as const].map(fromAllAgents), () => {});
    }
    this.subscribed = false;
    this.claimed = false;
  }
}
