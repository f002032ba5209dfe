/**
 * Which sequences of one agent's boot are accounted for: disjoint spans in rising order. A complete span holds only
 * sequences that are stored. In an incomplete one some may never have come, because an agent said that it thinned them
 * away, or because spans were joined to keep the list short: there the stored rows themselves decide. So nothing that
 * is only claimed can ever pass for stored. Pure.
 */

export interface Span {
  first: number;
  last: number;
  complete: boolean;
}

export interface BootKey {
  agent: string;
  boot: string;
}

export interface ReceivedRange extends BootKey, Span {}

/** A boot that has more has its lowest ones joined. A thinned backlog leaves a gap between any two batches. */
export const MAX_SPANS = 64;

/** Adds what no span holds yet, joined with its neighbours of the same kind. Returns the same list. */
export function addSpan(spans: Span[], { first, last, complete }: Span): Span[] {
  for (const gap of gaps(spans, first, last)) insert(spans, { ...gap, complete });
  while (spans.length > MAX_SPANS) {
    spans.splice(0, 2, { first: spans[0]!.first, last: spans[1]!.last, complete: false });
  }
  return spans;
}

export function spanAt(spans: readonly Span[], sequence: number): Span | null {
  const span = spans[firstEndingAtOrAfter(spans, sequence)];
  return span && span.first <= sequence ? span : null;
}

/** How many sequences from `first` to `last` are in no span. */
export function unaccounted(spans: readonly Span[], first: number, last: number): number {
  return gaps(spans, first, last).reduce((sum, gap) => sum + gap.last - gap.first + 1, 0);
}

function gaps(spans: readonly Span[], first: number, last: number): Omit<Span, 'complete'>[] {
  const found: Omit<Span, 'complete'>[] = [];
  let next = first;
  for (let at = firstEndingAtOrAfter(spans, first); at < spans.length && next <= last; at++) {
    const span = spans[at]!;
    if (span.first > last) break;
    if (span.first > next) found.push({ first: next, last: span.first - 1 });
    next = span.last + 1;
  }
  if (next <= last) found.push({ first: next, last });
  return found;
}

/** `span` overlaps none that is there. */
function insert(spans: Span[], { first, last, complete }: Span): void {
  const at = firstEndingAtOrAfter(spans, first);
  const [left, right] = [spans[at - 1], spans[at]];
  const joinsLeft = left?.complete === complete && left.last === first - 1;
  const joinsRight = right?.complete === complete && right.first === last + 1;
  const joined = {
    first: joinsLeft ? left.first : first,
    last: joinsRight ? right.last : last,
    complete,
  };
  spans.splice(joinsLeft ? at - 1 : at, Number(joinsLeft) + Number(joinsRight), joined);
}

function firstEndingAtOrAfter(spans: readonly Span[], sequence: number): number {
  let [low, high] = [0, spans.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (spans[middle]!.last >= sequence) high = middle;
    else low = middle + 1;
  }
  return low;
}
