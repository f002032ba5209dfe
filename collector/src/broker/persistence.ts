/**
 * What aedes asks to be remembered, in bounded memory: retained messages, sessions, and of QoS 2 messages that came in
 * only their numbers, since the message itself was handed on when it arrived. Wills need nothing: aedes holds them with
 * their connection, and keeps more only for clusters.
 */
import { Readable } from 'node:stream';
import type { Client } from 'aedes';
import type { BrokerLimits } from './limits.js';
import type { RetainedMessage, RetainedStore } from './retained-store.js';
import type { Queued, Sessions, Subscription } from './sessions.js';

type Incoming = Queued & { messageId: number };

export interface PersistenceOptions {
  retained: RetainedStore;
  sessions: Sessions;
  limits: Pick<BrokerLimits, 'maxQos2InFlight'>;
  /** aedes also names the filters that were refused. */
  isGranted: (client: Client, filter: string) => boolean;
}

export class Persistence {
  /** Of clients without a session: numbers of QoS 2 messages that wait for PUBREL. */
  private readonly unreleased = new WeakMap<Client, Set<number>>();

  constructor(private readonly options: PersistenceOptions) {}

  async setup(): Promise<void> {}

  async storeRetained(packet: RetainedMessage & { clientId?: string }): Promise<void> {
    this.options.retained.put(packet, packet.clientId ?? '');
  }

  /** None: `Replay` sends them, at the pace of the client. */
  createRetainedStreamCombi(): Readable {
    return Readable.from([]);
  }

  async addSubscriptions(client: Client, subscriptions: readonly Subscription[]): Promise<void> {
    const granted = subscriptions.filter(({ topic }) => this.options.isGranted(client, topic));
    this.options.sessions.subscribe(client.id, granted);
  }

  async removeSubscriptions({ id }: Client, topics: readonly string[]): Promise<void> {
    this.options.sessions.unsubscribe(id, topics);
  }

  async subscriptionsByClient({ id }: { id: string }): Promise<Subscription[]> {
    return this.options.sessions.subscriptions(id);
  }

  async subscriptionsByTopic(topic: string): Promise<Array<{ clientId: string; topic: string }>> {
    return this.options.sessions.wanting(topic).map((clientId) => ({ clientId, topic }));
  }

  /** Asked when a client begins a clean session: nothing of the one before may remain. */
  async cleanSubscriptions({ id }: Client): Promise<void> {
    this.options.sessions.end(id);
  }

  async outgoingEnqueue({ clientId }: { clientId: string }, packet: Queued): Promise<void> {
    await this.outgoingEnqueueCombi([{ clientId }], packet);
  }

  /** The payload is copied: a slice would keep alive the whole chunk that it came in. */
  async outgoingEnqueueCombi(wanting: ReadonlyArray<{ clientId: string }>, packet: Queued): Promise<void> {
    if (wanting.length === 0) return;
    const payload = Buffer.from(packet.payload ?? []);
    for (const { clientId } of wanting) this.options.sessions.enqueue(clientId, { ...packet, payload });
  }

  async outgoingUpdate({ id }: Client, packet: Queued): Promise<void> {
    this.options.sessions.update(id, packet);
  }

  async outgoingClearMessageId({ id }: Client, { messageId }: Queued): Promise<Queued | undefined> {
    return this.options.sessions.settle(id, messageId);
  }

  outgoingStream({ id }: Client): Readable {
    return Readable.from(this.options.sessions.waiting(id));
  }

  async incomingStorePacket(client: Client, { messageId }: Incoming): Promise<void> {
    const numbers = this.numbersOf(client);
    if (numbers.size >= this.options.limits.maxQos2InFlight) throw new Error(QOS2_FULL);
    numbers.add(messageId);
  }

  async incomingGetPacket(client: Client, { messageId }: Incoming): Promise<object> {
    if (!this.numbersOf(client).has(messageId)) throw new Error('no such packet');
    return { messageId };
  }

  async incomingDelPacket(client: Client, { messageId }: Incoming): Promise<void> {
    if (!this.numbersOf(client).delete(messageId)) throw new Error('no such packet');
  }

  async cleanIncoming(client: Client): Promise<void> {
    this.unreleased.delete(client);
  }

  async putWill(): Promise<void> {}

  async delWill(): Promise<void> {}

  streamWill(): Readable {
    return Readable.from([]);
  }

  private numbersOf(client: Client): Set<number> {
    const known = this.options.sessions.unreleased(client.id) ?? this.unreleased.get(client);
    if (known) return known;
    const numbers = new Set<number>();
    this.unreleased.set(client, numbers);
    return numbers;
  }
}

/** aedes has a bound of its own, whose error begins alike. */
export const QOS2_FULL = 'maxInflightInbound exceeded';
