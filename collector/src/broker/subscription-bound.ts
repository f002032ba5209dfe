/** Says which subscriptions are granted: so many of one client, and of all that are no agents of ours. */
import type { Client } from 'aedes';
import type { BrokerLimits } from './limits.js';
import type { RefusalReason } from './refusals.js';
import { isFilter } from './topic.js';

type SubscriptionLimits = Pick<
  BrokerLimits,
  'maxSubscriptions' | 'maxSubscriptionsOfOthers' | 'maxTopicBytes' | 'maxTopicLevels'
>;

interface Granted {
  readonly filters: Set<string>;
  readonly isReserved: boolean;
}

export class SubscriptionBound {
  private readonly granted = new Map<Client, Granted>();
  private ofOthers = 0;
  private ofAll = 0;

  constructor(
    private readonly limits: SubscriptionLimits,
    /** The collector, and agents that it knows. */
    private readonly isReserved: (client: Client) => boolean,
  ) {}

  get count(): number {
    return this.ofAll;
  }

  /** Null when it is granted. */
  grant(client: Client, filter: string): RefusalReason | null {
    if (!isFilter(filter, this.limits)) return 'bad_filter';
    const known = this.granted.get(client) ?? { filters: new Set(), isReserved: this.isReserved(client) };
    if (known.filters.has(filter)) return null;
    const isFull = !known.isReserved && this.ofOthers >= this.limits.maxSubscriptionsOfOthers;
    if (isFull || known.filters.size >= this.limits.maxSubscriptions) return 'too_many_subscriptions';
    this.granted.set(client, known);
    known.filters.add(filter);
    this.add(known, 1);
    return null;
  }

  isGranted(client: Client, filter: string): boolean {
    return this.granted.get(client)?.filters.has(filter) ?? false;
  }

  release(client: Client, filters: readonly string[]): void {
    const known = this.granted.get(client);
    if (!known) return;
    for (const filter of filters) if (known.filters.delete(filter)) this.add(known, -1);
  }

  /** The client has gone. */
  releaseAll(client: Client): void {
    const known = this.granted.get(client);
    if (!known) return;
    this.granted.delete(client);
    this.add(known, -known.filters.size);
  }

  private add({ isReserved }: Granted, change: number): void {
    this.ofAll += change;
    if (!isReserved) this.ofOthers += change;
  }
}
