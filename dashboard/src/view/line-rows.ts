/** The list of lines as rows of known height, so that only those in sight need to be drawn. Pure. */
import type { FeedAgent } from '@lineheron/models';
import { deviceName, type Line, type LineKey } from '../line.js';

export const LINE_PX = 47;
export const HEADING_PX = 30;
/** Rows that are drawn beyond what is in sight, on both sides. */
const OVERSCAN = 4;
/** In a longer list lines with an alert come first: they would be out of sight. */
const SHORT_LIST = 40;

export type Row =
  | { readonly kind: 'heading'; readonly key: string; readonly agent: string | null; readonly lines: number }
  | { readonly kind: 'problem'; readonly key: string; readonly message: string; readonly heightPx: number }
  | { readonly kind: 'line'; readonly key: LineKey; readonly line: Line; readonly withAgent: boolean };

export interface RowList {
  readonly rows: readonly Row[];
  /** Where each row begins, and where the last one ends, px. */
  readonly tops: readonly number[];
}

/** Lines whose agent or device holds the text. */
export function searchLines(lines: readonly Line[], text: string): readonly Line[] {
  const wanted = text.trim().toLowerCase();
  if (wanted === '') return lines;
  return lines.filter(({ key, device }) => `${key} ${deviceName(device)}`.toLowerCase().includes(wanted));
}

/** Under a heading for each agent, with what keeps it from its work; lines are in the order of their agents. */
export function toRows(lines: readonly Line[], agents: readonly FeedAgent[]): RowList {
  const problems = new Map(agents.map((agent) => [agent.id, agent.problems]));
  const alarmed = lines.length > SHORT_LIST ? lines.filter(({ hasAlert }) => hasAlert) : [];
  const others = alarmed.length > 0 ? lines.filter(({ hasAlert }) => !hasAlert) : lines;
  const rows: Row[] = [];
  if (alarmed.length > 0) {
    rows.push({ kind: 'heading', key: 'alerts', agent: null, lines: alarmed.length });
    for (const line of alarmed) rows.push({ kind: 'line', key: line.key, line, withAgent: true });
  }
  let agent: string | null = null;
  for (const line of others) {
    if (line.agent !== agent) {
      agent = line.agent;
      rows.push({ kind: 'heading', key: agent, agent, lines: 0 });
      for (const { code, message } of problems.get(agent) ?? []) {
        rows.push({
          kind: 'problem',
          key: `${agent} ${code} ${message}`,
          message,
          heightPx: textPx(message),
        });
      }
    }
    rows.push({ kind: 'line', key: line.key, line, withAgent: false });
  }
  const tops = [0];
  for (const row of rows) tops.push(tops.at(-1)! + heightOf(row));
  return { rows, tops };
}

function heightOf(row: Row): number {
  if (row.kind === 'problem') return row.heightPx;
  return row.kind === 'line' ? LINE_PX : HEADING_PX;
}

/** Enough for the text in the narrowest list. */
const CHARACTERS_IN_A_ROW = 32;
const TEXT_PX = 16;

function textPx(text: string): number {
  return Math.ceil(text.length / CHARACTERS_IN_A_ROW) * TEXT_PX + 4;
}

/** Places of the rows to draw: what is in sight and a little more. */
export function rowsInSight(
  { rows, tops }: RowList,
  scrollPx: number,
  heightPx: number,
): { from: number; to: number } {
  const first = placeAt(tops, scrollPx);
  const last = placeAt(tops, scrollPx + heightPx);
  return { from: Math.max(0, first - OVERSCAN), to: Math.min(rows.length, last + 1 + OVERSCAN) };
}

/** The row that holds the point, by halving. */
function placeAt(tops: readonly number[], px: number): number {
  let [low, high] = [0, Math.max(0, tops.length - 2)];
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (tops[middle]! <= px) low = middle;
    else high = middle - 1;
  }
  return low;
}

export type Move = 'next' | 'previous' | 'first' | 'last' | 'pageDown' | 'pageUp';

/** The line to go to from the one at `place`; headings are passed over. Null when there is none. */
export function lineAfter({ rows }: RowList, place: number, move: Move, page: number): number | null {
  const lines = rows.flatMap(({ kind }, index) => (kind === 'line' ? [index] : []));
  const at = lines.indexOf(place);
  const steps = {
    next: 1,
    previous: -1,
    pageDown: page,
    pageUp: -page,
    first: -lines.length,
    last: lines.length,
  };
  return lines[Math.min(lines.length - 1, Math.max(0, at + steps[move]))] ?? null;
}

/** Where to scroll so that the row is wholly in sight; as it is when it is already. */
export function scrollTo({ tops }: RowList, place: number, scrollPx: number, heightPx: number): number {
  const [top, bottom] = [tops[place]!, tops[place + 1]!];
  if (top < scrollPx) return place === 1 ? 0 : top;
  return bottom > scrollPx + heightPx ? bottom - heightPx : scrollPx;
}
