/**
 * Sends retained messages to who has just subscribed: one SUBSCRIBE after another, as fast as the client takes them,
 * and in small steps, so that neither a slow client nor a broad filter holds anybody else up.
 */
import { setImmediate as turn } from 'node:timers/promises';
import type { Client, Subscription } from 'aedes';
import type { RetainedMessage, RetainedStore } from './retained-store.js';
import { matches } from './topic.js';

/** A client with more than this unsent is waited for. */
const HIGH_WATER_BYTES = 64 * 1024;
/** Comparisons of a topic with a filter before others have their turn. */
const STEP = 2000;
/** Granted QoS of a filter that was refused. */
const REFUSED = 128;

/** aedes' own way to deliver one message to one client, which also gives it its number. */
type Deliver = (packet: object, done: () => void) => void;

interface Wanted {
  filter: string;
  levels: readonly string[];
  qos: number;
}

export class Replay {
  private readonly queues = new WeakMap<Client, Wanted[][]>();

  constructor(private readonly retained: RetainedStore) {}

  /** SUBSCRIBE packets of this client whose messages are still being sent. */
  pending(client: Client): number {
    return this.queues.get(client)?.length ?? 0;
  }

  start(client: Client, subscriptions: readonly Subscription[]): void {
    const wanted = subscriptions
      .filter(({ qos }) => (qos as number) !== REFUSED)
      .map(({ topic, qos }) => ({ filter: topic, levels: topic.split('/'), qos }));
    if (wanted.length === 0) return;
    const queue = this.queues.get(client);
    if (queue) {
      queue.push(wanted);
      return;
    }
    const begun = [wanted];
    this.queues.set(client, begun);
    void this.run(client, begun);
  }

  private async run(client: Client, queue: Wanted[][]): Promise<void> {
    for (let wanted = queue[0]; wanted && !client.closed; wanted = queue[0]) {
      await this.send(client, wanted);
      queue.shift();
    }
    this.queues.delete(client);
  }

  private async send(client: Client, wanted: readonly Wanted[]): Promise<void> {
    const exact = wanted.filter(({ levels }) => !levels.includes('+') && levels.at(-1) !== '#');
    const broad = wanted.filter((one) => !exact.includes(one));
    for (const { filter, qos } of exact) {
      const message = this.retained.get(filter);
      if (message) await deliver(client, message, qos);
      if (client.closed) return;
    }
    if (broad.length === 0) return;
    let compared = 0;
    for (const message of this.retained.all()) {
      compared += broad.length;
      if (compared >= STEP) {
        compared = 0;
        await turn();
      }
      const found = broad.filter(({ levels }) => matches(levels, message.topic));
      if (found.length > 0) await deliver(client, message, Math.max(...found.map(({ qos }) => qos)));
      if (client.closed) return;
    }
  }
}

async function deliver(
  client: Client,
  { topic, payload, qos }: RetainedMessage,
  granted: number,
): Promise<void> {
  const { deliverQoS } = client as unknown as { deliverQoS: Deliver };
  // Without a number of its own it is no duplicate of anything.
  const packet = {
    cmd: 'publish',
    topic,
    payload,
    qos: Math.min(qos, granted),
    retain: true,
    brokerId: null,
  };
  await new Promise<void>((resolve) => deliverQoS(packet, resolve));
  if (client.closed || client.conn.writableLength <= HIGH_WATER_BYTES) return;
  // aedes emits it, too, when the connection ends.
  await new Promise<void>((resolve) => client.conn.once('drain', () => resolve()));
}
