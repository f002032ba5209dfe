/**
 * Which topics the broker lets this agent use. Subscriptions are asked for one by one. For topics of its own an empty
 * message is offered at QoS 2 and not released (PUBREL): most brokers then give it to nobody; where it is given on (aedes),
 * it is empty and not retained, which says nothing to collectors and agents. MQTT 5 names a refusal; brokers that know
 * only 3.1.1 close the connection of whoever oversteps. Nothing is retained or cleared.
 */
import { FLEET, topics } from '@lineheron/models';
import mqtt, { type IClientOptions, type MqttClient } from 'mqtt';
import type { Config } from '../config.js';
import { bad, type Finding, good, note } from './finding.js';

const ANSWER_MS = 3_000;
const RETAINED_MS = 500;
const REFUSED = 0x80;

export type Broker = Pick<Config, 'mqtt' | 'tls' | 'agent_id'>;
type Answer = 'allowed' | 'refused' | 'unknown';

/** What the agent listens to. */
function listened(agent: string): string[] {
  const own = [topics.ack(agent), topics.verdict(agent), topics.desired(agent), topics.command(agent)];
  return [...own, topics.desired(FLEET), topics.command(FLEET), topics.info(agent)];
}

/** What it says. */
function said(agent: string): string[] {
  const kinds = [topics.status(agent), topics.info(agent), topics.score(agent), topics.anomaly(agent)];
  return [...kinds, topics.event(agent), topics.state(agent, 'doctor')];
}

const within = <T>(ms: number, work: Promise<T>, late: T): Promise<T> => {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<T>((resolve) => {
    timer = setTimeout(() => resolve(late), ms);
  });
  return Promise.race([work, timeout]).finally(() => clearTimeout(timer));
};

/** A connection that is made again when the broker closed it, as some do to whoever oversteps. */
class Probe {
  private client: MqttClient | null = null;
  private version: 4 | 5 = 5;
  /** What came, retained or not, by topic. */
  readonly heard = new Map<string, Buffer[]>();

  constructor(
    private readonly url: string,
    private readonly options: IClientOptions,
  ) {}

  private async connected(): Promise<MqttClient> {
    if (this.client?.connected) return this.client;
    this.end();
    const connect = (protocolVersion: 4 | 5) =>
      mqtt.connectAsync(this.url, { ...this.options, protocolVersion }, false);
    this.client = await connect(this.version).catch(() => {
      this.version = 4;
      return connect(4);
    });
    this.client.setMaxListeners(0);
    this.client.on('error', () => {});
    this.client.on('message', (topic, payload) => {
      this.heard.set(topic, [...(this.heard.get(topic) ?? []), payload]);
    });
    return this.client;
  }

  /** Whether the broker takes a subscription. */
  async listen(topic: string): Promise<Answer> {
    const client = await this.connected();
    const closed = new Promise<Answer>((resolve) => client.once('close', () => resolve('refused')));
    const granted = client.subscribeAsync(topic, { qos: 1 }).then(
      (answers): Answer => (answers.every(({ qos }) => Number(qos) < REFUSED) ? 'allowed' : 'refused'),
      (): Answer => 'refused',
    );
    return within<Answer>(ANSWER_MS, Promise.race([granted, closed]), 'unknown');
  }

  /** Whether the broker would take a message. The connection is over then. */
  async offer(topic: string): Promise<Answer> {
    const client = await this.connected();
    const answered = new Promise<Answer>((resolve) => {
      client.once('close', () => resolve('refused'));
      client.on('packetreceive', (packet) => {
        if (packet.cmd !== 'pubrec') return;
        // Before the library releases the message.
        client.stream.destroy();
        resolve((packet.reasonCode ?? 0) < REFUSED ? 'allowed' : 'refused');
      });
      client.publish(topic, '', { qos: 2, retain: false }, () => {});
    });
    return within<Answer>(ANSWER_MS, answered, 'unknown').finally(() => this.end());
  }

  end(): void {
    this.client?.end(true);
    this.client = null;
  }
}

const advice = (kind: 'read' | 'write', topic: string) =>
  `allow this agent to ${kind} it (mosquitto: "topic ${kind} ${topic.includes(FLEET) ? topic : topic.replace(/\/state\/.*/, '/state/#')}")`;

/** All rights in turn. Rejects when there is no connection. */
export async function checkRights(config: Broker, options: IClientOptions): Promise<Finding[]> {
  const { agent_id: agent } = config;
  const probe = new Probe(config.mqtt.url, options);
  const found: Finding[] = [];
  try {
    for (const topic of listened(agent)) {
      if ((await probe.listen(topic)) === 'refused')
        found.push(bad(`the broker does not let us listen to ${topic}`, advice('read', topic)));
    }
    await within(RETAINED_MS, new Promise<void>(() => {}), undefined);
    if (found.length === 0) found.push(...wish(probe, agent));
    const unknown: string[] = [];
    for (const topic of said(agent)) {
      const answer = await probe.offer(topic);
      if (answer === 'refused')
        found.push(bad(`the broker does not let us publish to ${topic}`, advice('write', topic)));
      if (answer === 'unknown') unknown.push(topic);
    }
    if (unknown.length > 0) {
      found.push(
        note(
          `the broker does not say whether we may publish to ${unknown.join(', ')}`,
          `allow this agent to write there (mosquitto: "topic readwrite lineheron/v1/${agent}/#")`,
        ),
      );
    }
  } finally {
    probe.end();
  }
  const rest = found.filter(({ level }) => level !== 'good');
  return rest.length > 0 ? found : [good('it lets us use all of our topics'), ...found];
}

/**
 * Brokers such as mosquitto take every subscription and hold back what may not be read. What the collector wishes is
 * retained, so that it must come at once where a collector has been.
 */
function wish(probe: Probe, agent: string): Finding[] {
  const topic = topics.desired(FLEET);
  if (probe.heard.has(topic)) return [good('it gives us what the collector wishes of the fleet')];
  const info = probe.heard.get(topics.info(agent))?.at(-1)?.toString() ?? '';
  if (hasBeenAcknowledged(info)) {
    return [
      bad(
        `a collector answers this agent, but ${topic} does not reach us: it never detects`,
        advice('read', topic),
      ),
    ];
  }
  return [
    note(
      `nothing on ${topic} yet: without it this agent does not detect`,
      `start a collector; if one runs, ${advice('read', topic)}`,
    ),
  ];
}

/** The running agent has sent batches, and none waits: somebody acknowledged them. */
function hasBeenAcknowledged(info: string): boolean {
  try {
    const { spool, counters } = JSON.parse(info) as {
      spool?: { batches?: number };
      counters?: { batches?: number };
    };
    return spool?.batches === 0 && (counters?.batches ?? 0) > 0;
  } catch {
    return false;
  }
}
