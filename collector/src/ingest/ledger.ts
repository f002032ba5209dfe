/**
 * Which batches are stored: merged ranges of sequences per agent and boot, rebuilt from the store at start. Bounded:
 * the agents unseen for longest go first, and their ranges are asked of the store when they come back; of an agent,
 * the boots heard of longest ago. A batch of a forgotten boot is stored once all the same, because the store's own
 * keys refuse the second copy.
 */

export interface ReceivedRange {
  agent: string;
  boot: string;
  first: number;
  last: number;
}

interface Span {
  first: number;
  last: number;
}

const MAX_AGENTS = 10_000;
const MAX_BOOTS_PER_AGENT = 1000;

export class Ledger {
  /** Unseen for longest first. */
  private readonly agents = new Map<string, Map<string, Span[]>>();

  /** `maxAgents` is more than the agents of any one group. */
  constructor(private readonly maxAgents = MAX_AGENTS) {}

  /** Makes sure that all that is stored of these agents is known, as `read` gives it. */
  async recall(
    agents: Iterable<string>,
    read: (unknown: readonly string[]) => Promise<readonly ReceivedRange[]>,
  ): Promise<void> {
    const unknown: string[] = [];
    for (const agent of new Set(agents)) {
      if (this.agents.has(agent)) this.boots(agent);
      else unknown.push(agent);
    }
    if (unknown.length === 0) return;
    const ranges = await read(unknown);
    for (const agent of unknown) this.boots(agent);
    for (const range of ranges) this.add(range);
  }

  has(agent: string, boot: string, sequence: number): boolean {
    const spans = this.agents.get(agent)?.get(boot);
    if (!spans) return false;
    const at = firstEndingAtOrAfter(spans, sequence);
    return at < spans.length && spans[at]!.first <= sequence;
  }

  add({ agent, boot, first, last }: ReceivedRange): void {
    const boots = this.boots(agent);
    const spans = boots.get(boot) ?? [];
    boots.delete(boot);
    boots.set(boot, insertSpan(spans, { first, last }));
    if (boots.size > MAX_BOOTS_PER_AGENT) boots.delete(boots.keys().next().value!);
  }

  /** Boots of an agent, which counts as seen by that. */
  private boots(agent: string): Map<string, Span[]> {
    const boots = this.agents.get(agent) ?? new Map<string, Span[]>();
    this.agents.delete(agent);
    this.agents.set(agent, boots);
    if (this.agents.size > this.maxAgents) this.agents.delete(this.agents.keys().next().value!);
    return boots;
  }

  /** Ranges known of one boot, in order. */
  ranges(agent: string, boot: string): readonly Readonly<Span>[] {
    return this.agents.get(agent)?.get(boot) ?? [];
  }
}

/** Merges what batches stand for into the fewest ranges, by agent and boot. */
export function mergeSequences(
  batches: Iterable<{ agent: string; boot: string; sequence: number; first?: number | undefined }>,
): ReceivedRange[] {
  const groups = new Map<string, { agent: string; boot: string; spans: Span[] }>();
  for (const { agent, boot, sequence, first = sequence } of batches) {
    const key = `${agent}/${boot}`;
    const group = groups.get(key) ?? { agent, boot, spans: [] };
    groups.set(key, group);
    insertSpan(group.spans, { first, last: sequence });
  }
  return [...groups.values()].flatMap(({ agent, boot, spans }) =>
    spans.map((span) => ({ agent, boot, ...span })),
  );
}

/** Puts a span into an ordered list, joining those it touches. Returns the same list. */
function insertSpan(spans: Span[], span: Span): Span[] {
  const start = firstEndingAtOrAfter(spans, span.first - 1);
  let end = start;
  let { first, last } = span;
  while (end < spans.length && spans[end]!.first <= last + 1) {
    first = Math.min(first, spans[end]!.first);
    last = Math.max(last, spans[end]!.last);
    end++;
  }
  spans.splice(start, end - start, { first, last });
  return spans;
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
