/** The ledger as it will be once a commit that is under way is through: what that holds counts as stored. */
import { addSpan, type BootKey, type ReceivedRange, type Span } from '../spans.js';
import type { Ledger } from './ledger.js';

export type KnownBatches = Pick<Ledger, 'recall' | 'knows' | 'ranges'>;

export class PendingLedger implements KnownBatches {
  private readonly names: ReadonlySet<string>;
  private readonly added = new Map<string, ReceivedRange[]>();

  /** `batches`: those that leave a row; `ranges`: what the commit adds to the account. */
  constructor(
    private readonly ledger: KnownBatches,
    batches: readonly (BootKey & { sequence: number })[],
    ranges: readonly ReceivedRange[],
  ) {
    this.names = new Set(batches.map(nameOf));
    for (const range of ranges) {
      const key = keyOf(range);
      this.added.set(key, [...(this.added.get(key) ?? []), range]);
    }
  }

  recall(...args: Parameters<Ledger['recall']>): Promise<void> {
    return this.ledger.recall(...args);
  }

  knows(batch: BootKey & { sequence: number }): ReturnType<Ledger['knows']> {
    return this.names.has(nameOf(batch)) ? 'stored' : this.ledger.knows(batch);
  }

  ranges(boot: BootKey): readonly Readonly<Span>[] {
    const added = this.added.get(keyOf(boot));
    const known = this.ledger.ranges(boot);
    if (!added) return known;
    const copy = known.map((span) => ({ ...span }));
    for (const { first, last, complete } of added) addSpan(copy, { first, last, complete });
    return copy;
  }
}

const keyOf = ({ agent, boot }: BootKey) => `${agent}/${boot}`;
const nameOf = ({ agent, boot, sequence }: BootKey & { sequence: number }) => `${agent}/${boot}/${sequence}`;
