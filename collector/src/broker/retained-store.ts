/**
 * Retained messages, each with a holder: the collector, an agent that retains under its own id, or any other client.
 * Holders have a bound each and share the bound of their pool. In a full pool who holds most gives way to who holds
 * less, and an agent that the collector knows to anybody whom it does not. `status`, `info` and `desired` of agents have a pool of
 * their own. Payloads are copied: a slice would keep alive the whole chunk that it came in.
 */
import type { RetainedLimits, RetainedShare } from './limits.js';
import type { RefusalReason } from './refusals.js';
import { agentOfClient, agentOfCore, isUnder } from './topic.js';

export interface RetainedMessage {
  topic: string;
  payload: Buffer;
  qos: 0 | 1 | 2;
}

export interface RetainedOptions {
  limits: RetainedLimits;
  /** Client id of the collector. */
  ownerId: string | undefined;
  isKnown: (agent: string) => boolean;
  refuse: (reason: RefusalReason) => void;
}

/** What one retained message costs the broker besides its topic and payload, roughly. */
const OVERHEAD_BYTES = 256;

interface Holder {
  readonly name: string;
  /** Holds its place against all that are not. */
  readonly isKnown: boolean;
  readonly limit: RetainedShare;
  readonly topics: Set<string>;
  bytes: number;
}

interface Pool {
  readonly limit: RetainedShare;
  readonly holders: Map<string, Holder>;
  topics: number;
  bytes: number;
}

interface Kept extends RetainedMessage {
  size: number;
  pool: Pool;
  holder: Holder;
}

const newPool = (limit: RetainedShare): Pool => ({ limit, holders: new Map(), topics: 0, bytes: 0 });

export class RetainedStore {
  private readonly kept = new Map<string, Kept>();
  private readonly pools: Record<'core' | 'agents' | 'others' | 'owner', Pool>;

  constructor(private readonly options: RetainedOptions) {
    const { core, agents, others, owner } = options.limits;
    this.pools = {
      core: newPool(core),
      agents: newPool(agents),
      others: newPool(others),
      owner: newPool(owner),
    };
  }

  get topics(): number {
    return this.kept.size;
  }

  get bytes(): number {
    return Object.values(this.pools).reduce((sum, { bytes }) => sum + bytes, 0);
  }

  get(topic: string): RetainedMessage | undefined {
    return this.kept.get(topic);
  }

  all(): IterableIterator<RetainedMessage> {
    return this.kept.values();
  }

  /** An empty payload clears the topic. What would exceed a bound is refused; what the topic held before then stays. */
  put({ topic, payload, qos }: RetainedMessage, clientId: string): void {
    const before = this.kept.get(topic);
    if (payload.length === 0) {
      if (before) this.drop(before);
      return;
    }
    const size = OVERHEAD_BYTES + 2 * topic.length + payload.length;
    const pool = this.poolOf(topic, clientId);
    const holder = pool.holders.get(clientId) ?? this.newHolder(topic, clientId);
    if (before) this.release(before);
    if (this.fits(holder, size) && this.makeRoom(pool, holder, size)) {
      this.hold({ topic, payload: Buffer.from(payload), qos, size, pool, holder });
      return;
    }
    if (before) this.hold(before);
    this.options.refuse('not_retained');
  }

  private poolOf(topic: string, clientId: string): Pool {
    if (clientId === this.options.ownerId) return this.pools.owner;
    if (agentOfCore(topic) !== null) return this.pools.core;
    const agent = agentOfClient(clientId);
    return agent !== null && isUnder(agent, topic) ? this.pools.agents : this.pools.others;
  }

  private newHolder(topic: string, clientId: string): Holder {
    const { limits, isKnown, ownerId } = this.options;
    const agent = agentOfClient(clientId);
    const isOwn = agent !== null && isUnder(agent, topic);
    const limit = clientId === ownerId ? limits.owner : isOwn ? limits.perAgent : limits.perClient;
    return { name: clientId, isKnown: isOwn && isKnown(agent), limit, topics: new Set(), bytes: 0 };
  }

  private fits({ limit, topics, bytes }: Holder, size: number): boolean {
    return topics.size < limit.maxTopics && bytes + size <= limit.maxBytes;
  }

  private makeRoom(pool: Pool, holder: Holder, size: number): boolean {
    const { maxTopics, maxBytes } = pool.limit;
    while (pool.topics >= maxTopics || pool.bytes + size > maxBytes) {
      const by = pool.topics >= maxTopics ? (one: Holder) => one.topics.size : (one: Holder) => one.bytes;
      const [topic] = this.whoGivesWay(pool, holder, by)?.topics ?? [];
      const victim = topic === undefined ? undefined : this.kept.get(topic);
      if (!victim) return false;
      this.drop(victim);
      this.options.refuse('retained_displaced');
    }
    return true;
  }

  /** Who holds most of those that may be asked to, or null: then the newcomer is refused. */
  private whoGivesWay(pool: Pool, holder: Holder, by: (one: Holder) => number): Holder | null {
    let most: Holder | null = null;
    for (const one of pool.holders.values()) {
      if (one === holder || (one.isKnown && !holder.isKnown)) continue;
      const mayAsk = (holder.isKnown && !one.isKnown) || by(one) > by(holder) + 1;
      if (mayAsk && (most === null || (most.isKnown && !one.isKnown) || by(one) > by(most))) most = one;
    }
    return most;
  }

  /** A topic that is renewed keeps its place in the order, so that who walks through all of them comes to an end. */
  private hold(one: Kept): void {
    const { topic, size, pool, holder } = one;
    this.kept.set(topic, one);
    pool.holders.set(holder.name, holder);
    holder.topics.add(topic);
    holder.bytes += size;
    pool.topics += 1;
    pool.bytes += size;
  }

  private release({ topic, size, pool, holder }: Kept): void {
    holder.topics.delete(topic);
    holder.bytes -= size;
    pool.topics -= 1;
    pool.bytes -= size;
    if (holder.topics.size === 0) pool.holders.delete(holder.name);
  }

  private drop(one: Kept): void {
    this.release(one);
    this.kept.delete(one.topic);
  }
}
