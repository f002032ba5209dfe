/**
 * Sessions that outlive their connection: subscriptions, the messages that wait for the client or for its
 * acknowledgement, and the numbers of QoS 2 messages that it has not released. In memory, as the broker is; bounded in
 * number, messages, bytes and age. A full session takes no more: its client gets what comes live while it is there,
 * without the promise to send it again.
 */

import { FilterTree } from './filter-tree.js';
import type { BrokerLimits } from './limits.js';
import type { RefusalReason } from './refusals.js';

export interface Subscription {
  topic: string;
  qos: 0 | 1 | 2;
}

/** What aedes queues: a PUBLISH, or the PUBREL that it became. */
export interface Queued {
  cmd: string;
  messageId?: number | undefined;
  brokerId?: string;
  brokerCounter?: number;
  topic?: string;
  payload?: Buffer;
  qos?: number;
  retain?: boolean;
  dup?: boolean;
}

type SessionLimits = Pick<
  BrokerLimits,
  'maxSessions' | 'maxSessionMessages' | 'maxSessionBytes' | 'sessionMs' | 'maxSubscriptions'
>;

interface Session {
  readonly id: string;
  readonly subscriptions: Map<string, 0 | 1 | 2>;
  /** By the broker's own number of the message. */
  readonly queue: Map<string, Queued>;
  /** Numbers of QoS 2 messages of the client that wait for its PUBREL. */
  readonly unreleased: Set<number>;
  bytes: number;
  /** The connection that it belongs to now. */
  owner: object | null;
  /** Since when its client is away; monotonic. */
  awayMs: number;
}

/** What one queued message costs besides its topic and payload, roughly. */
const OVERHEAD_BYTES = 300;

const sizeOf = ({ topic = '', payload }: Queued): number =>
  OVERHEAD_BYTES + 2 * topic.length + (payload?.length ?? 0);
const keyOf = ({ brokerId, brokerCounter }: Queued): string => `${brokerId}/${brokerCounter}`;

export class Sessions {
  private readonly sessions = new Map<string, Session>();
  private readonly tree = new FilterTree<Session>();

  constructor(
    private readonly limits: SessionLimits,
    private readonly refuse: (reason: RefusalReason) => void,
    private readonly now: () => number = () => performance.now(),
  ) {}

  get count(): number {
    return this.sessions.size;
  }

  get messages(): number {
    return [...this.sessions.values()].reduce((sum, { queue }) => sum + queue.size, 0);
  }

  get bytes(): number {
    return [...this.sessions.values()].reduce((sum, { bytes }) => sum + bytes, 0);
  }

  /** Whether this client can have one; the longest abandoned one may have to end for it. */
  hasRoom(id: string): boolean {
    return (
      this.sessions.has(id) || this.sessions.size < this.limits.maxSessions || this.longestAway() !== null
    );
  }

  /** The session of this client belongs to this connection from now on. */
  attach(id: string, owner: object): void {
    const known = this.sessions.get(id);
    if (known) {
      known.owner = owner;
      return;
    }
    const oldest = this.sessions.size < this.limits.maxSessions ? null : this.longestAway();
    if (oldest) {
      this.refuse('session_dropped');
      this.end(oldest.id);
    }
    this.sessions.set(id, {
      id,
      subscriptions: new Map(),
      queue: new Map(),
      unreleased: new Set(),
      bytes: 0,
      owner,
      awayMs: 0,
    });
  }

  detach(id: string, owner: object): void {
    const session = this.sessions.get(id);
    if (session?.owner !== owner) return;
    session.owner = null;
    session.awayMs = this.now();
  }

  /** Ends those whose clients were away for too long. */
  expire(): void {
    const since = this.now() - this.limits.sessionMs;
    for (const { id, owner, awayMs } of [...this.sessions.values()]) {
      if (owner === null && awayMs < since) this.end(id);
    }
  }

  end(id: string): void {
    const session = this.sessions.get(id);
    if (!session) return;
    for (const topic of session.subscriptions.keys()) this.tree.remove(topic, session);
    this.sessions.delete(id);
  }

  subscribe(id: string, subscriptions: readonly Subscription[]): void {
    const session = this.sessions.get(id);
    if (!session) return;
    for (const { topic, qos } of subscriptions) {
      if (!session.subscriptions.has(topic) && session.subscriptions.size >= this.limits.maxSubscriptions)
        continue;
      session.subscriptions.set(topic, qos);
      if (qos > 0) this.tree.add(topic, session);
      else this.tree.remove(topic, session);
    }
  }

  unsubscribe(id: string, topics: readonly string[]): void {
    const session = this.sessions.get(id);
    if (!session) return;
    for (const topic of topics) {
      if (session.subscriptions.delete(topic)) this.tree.remove(topic, session);
    }
  }

  subscriptions(id: string): Subscription[] {
    return [...(this.sessions.get(id)?.subscriptions ?? [])].map(([topic, qos]) => ({ topic, qos }));
  }

  unreleased(id: string): Set<number> | undefined {
    return this.sessions.get(id)?.unreleased;
  }

  /** Ids of the sessions that want a message of this topic, each once. */
  wanting(topic: string): string[] {
    return [...this.tree.match(topic)].map(({ id }) => id);
  }

  enqueue(id: string, packet: Queued): void {
    const session = this.sessions.get(id);
    if (!session) return;
    const size = sizeOf(packet);
    const { maxSessionMessages, maxSessionBytes } = this.limits;
    if (session.queue.size >= maxSessionMessages || session.bytes + size > maxSessionBytes) {
      this.refuse('session_full');
      return;
    }
    session.queue.set(keyOf(packet), packet);
    session.bytes += size;
  }

  /** The number under which a message was sent, or the PUBREL that takes its place. */
  update(id: string, packet: Queued): void {
    const session = this.sessions.get(id);
    const sent = session?.queue.get(keyOf(packet));
    if (sent) {
      sent.messageId = packet.messageId;
      return;
    }
    const found = session && this.find(session, packet.messageId);
    if (!session || !found) return;
    const [key, before] = found;
    session.queue.set(key, packet);
    session.bytes += sizeOf(packet) - sizeOf(before);
  }

  /** It was acknowledged. */
  settle(id: string, messageId: number | undefined): Queued | undefined {
    const session = this.sessions.get(id);
    const found = session && this.find(session, messageId);
    if (!session || !found) return undefined;
    const [key, packet] = found;
    session.queue.delete(key);
    session.bytes -= sizeOf(packet);
    return packet;
  }

  /** What waits, oldest first; what was sent before is marked as a repetition. */
  waiting(id: string): Queued[] {
    const queue = this.sessions.get(id)?.queue.values() ?? [];
    return [...queue].map((packet) => ({
      ...packet,
      dup: packet.cmd === 'publish' && packet.messageId !== undefined,
    }));
  }

  private find({ queue }: Session, messageId: number | undefined): [string, Queued] | undefined {
    if (messageId === undefined) return undefined;
    for (const entry of queue) if (entry[1].messageId === messageId) return entry;
    return undefined;
  }

  private longestAway(): Session | null {
    let oldest: Session | null = null;
    for (const session of this.sessions.values()) {
      if (session.owner === null && (oldest === null || session.awayMs < oldest.awayMs)) oldest = session;
    }
    return oldest;
  }
}
