/**
 * Tells the new batches of a group from those that are stored, and says what the next commit accounts for. What a batch
 * claims beside its own sequence (`first`: the ones between held only what a full spool thinned away) is counted and
 * noted as a claim. It decides nothing: a batch that comes after all is stored.
 */
import { type ScoreBatch, windowId } from '@lineheron/models';
import { addSpan, type ReceivedRange, type Span, unaccounted } from '../spans.js';
import type { KnownBatches } from './pending-ledger.js';

/**
 * A claim reaches no further than the batches of one segment of the agent's spool. The largest segment (64 MiB) holds
 * fewer than this; a longer claim is no honest one and left aside.
 */
const MAX_THINNED = 1_000_000;

interface StoredBatches {
  receivedRanges(boots: readonly { agent: string; boot: string }[]): Promise<ReceivedRange[]>;
  /** Whether any row of each batch is stored. */
  hasBatches(
    batches: readonly { agent: string; boot: string; sequence: number }[],
  ): Promise<readonly boolean[]>;
}

export interface SortedBatches {
  /** Each once. */
  fresh: ScoreBatch[];
  duplicates: number;
  ranges: ReceivedRange[];
  /** Batches that `fresh` says were thinned away and of which nothing else is known. */
  thinned: number;
  /** Claims that no agent could make. */
  implausible: number;
}

export async function sortBatches(
  batches: readonly ScoreBatch[],
  ledger: KnownBatches,
  store: StoredBatches,
): Promise<SortedBatches> {
  await ledger.recall(batches, (unknown) => store.receivedRanges(unknown));
  const single = eachOnce(batches).filter((batch) => ledger.knows(batch) !== 'stored');
  const perhaps = single.filter((batch) => ledger.knows(batch) === 'perhaps');
  const keys = perhaps.map(({ agent, boot, sequence }) => ({ agent, boot, sequence }));
  const there = keys.length === 0 ? [] : await store.hasBatches(keys);
  const stored = new Set(perhaps.filter((_, at) => there[at]));
  const fresh = single.filter((batch) => !stored.has(batch));
  return { fresh, duplicates: batches.length - fresh.length, ...accounted(fresh, ledger) };
}

/** Of two under one name the one that holds something: an empty one must not stand in its way. */
function eachOnce(batches: readonly ScoreBatch[]): ScoreBatch[] {
  const byName = new Map<string, ScoreBatch>();
  for (const batch of batches) {
    const name = windowId(batch.agent, batch.boot, batch.sequence, 0);
    const known = byName.get(name);
    if (known === undefined || (isEmpty(known) && !isEmpty(batch))) byName.set(name, batch);
  }
  return [...byName.values()];
}

/** An empty batch leaves nothing in the store, so its sequence stays open to one that does. */
function accounted(
  fresh: readonly ScoreBatch[],
  ledger: KnownBatches,
): Pick<SortedBatches, 'ranges' | 'thinned' | 'implausible'> {
  const ranges: ReceivedRange[] = [];
  const drafts = new Map<string, Span[]>();
  const add = ({ agent, boot }: ScoreBatch, span: Span): number => {
    const key = `${agent}/${boot}`;
    const draft = drafts.get(key) ?? ledger.ranges({ agent, boot }).map((known) => ({ ...known }));
    drafts.set(key, draft);
    const added = unaccounted(draft, span.first, span.last);
    if (added > 0) ranges.push({ agent, boot, ...span });
    addSpan(draft, span);
    return added;
  };
  for (const batch of fresh) {
    const { sequence } = batch;
    if (!isEmpty(batch)) add(batch, { first: sequence, last: sequence, complete: true });
  }
  let [thinned, implausible] = [0, 0];
  for (const batch of fresh) {
    const { first = batch.sequence, sequence } = batch;
    if (sequence - first > MAX_THINNED) implausible++;
    else if (first < sequence) thinned += add(batch, { first, last: sequence - 1, complete: false });
  }
  return { ranges, thinned, implausible };
}

function isEmpty({ windows, records }: ScoreBatch): boolean {
  return windows.length + records.length === 0;
}
