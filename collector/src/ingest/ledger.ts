/**
 * What is known of each boot's batches in memory, so that a duplicate costs no question to the store. A cache: what it
 * does not hold is read from the store when a batch of that boot comes. Bounded in boots; those heard of longest ago go
 * first, so a flood of invented boots costs the real ones a look into the store and nothing else.
 */
import { addSpan, type BootKey, type ReceivedRange, type Span, spanAt } from '../spans.js';

const MAX_BOOTS = 20_000;

/** `perhaps`: only the store's rows can tell. */
type Knowledge = 'stored' | 'perhaps' | 'new';

export class Ledger {
  /** Heard of longest ago first. */
  private readonly boots = new Map<string, Span[]>();

  /** `maxBoots` is more than the boots of any one group. */
  constructor(private readonly maxBoots = MAX_BOOTS) {}

  /** Makes sure that all that is stored of these boots is known, as `read` gives it. */
  async recall(
    boots: Iterable<BootKey>,
    read: (unknown: readonly BootKey[]) => Promise<readonly ReceivedRange[]>,
  ): Promise<void> {
    const unknown = new Map<string, BootKey>();
    for (const { agent, boot } of boots) {
      const key = keyOf({ agent, boot });
      if (this.boots.has(key)) this.spans(key);
      else unknown.set(key, { agent, boot });
    }
    if (unknown.size === 0) return;
    const ranges = await read([...unknown.values()]);
    for (const key of unknown.keys()) this.spans(key);
    for (const range of ranges) this.add(range);
  }

  knows({ agent, boot, sequence }: BootKey & { sequence: number }): Knowledge {
    const span = spanAt(this.ranges({ agent, boot }), sequence);
    if (span === null) return 'new';
    return span.complete ? 'stored' : 'perhaps';
  }

  add({ agent, boot, first, last, complete }: ReceivedRange): void {
    addSpan(this.spans(keyOf({ agent, boot })), { first, last, complete });
  }

  /** Spans known of one boot, in order. */
  ranges(boot: BootKey): readonly Readonly<Span>[] {
    return this.boots.get(keyOf(boot)) ?? [];
  }

  /** Spans of a boot, which counts as heard of by that. */
  private spans(key: string): Span[] {
    const spans = this.boots.get(key) ?? [];
    this.boots.delete(key);
    this.boots.set(key, spans);
    if (this.boots.size > this.maxBoots) this.boots.delete(this.boots.keys().next().value!);
    return spans;
  }
}

function keyOf({ agent, boot }: BootKey): string {
  return `${agent}/${boot}`;
}
