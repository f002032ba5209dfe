/** The last minutes of windows, per line: in order of event time, each window once, bounded by time and number. */
import type { WindowView } from '@lineheron/models';
import { type LineKey, lineKey } from '../line.js';

export const KEPT_MS = 5 * 60_000;
/** Quiet windows come once a second; anomalous ones may come with every record. */
export const MAX_WINDOWS_PER_LINE = 900;

export type WindowsByLine = ReadonlyMap<LineKey, readonly WindowView[]>;

const endMs = (window: WindowView) => Date.parse(window.end);

/** Returns a new map with those of the watched lines; lines without a new window keep their list by reference. */
export function appendWindows(
  known: WindowsByLine,
  arrived: readonly WindowView[],
  watched: ReadonlySet<LineKey>,
): WindowsByLine {
  const groups = new Map<LineKey, WindowView[]>();
  for (const window of arrived) {
    const key = lineKey(window);
    if (!watched.has(key)) continue;
    const group = groups.get(key);
    if (group) group.push(window);
    else groups.set(key, [window]);
  }
  if (groups.size === 0) return known;
  const next = new Map(known);
  for (const [key, group] of groups) next.set(key, appendToLine(known.get(key) ?? [], group));
  return next;
}

/** Only the lines that are watched. */
export function keepLines(known: WindowsByLine, watched: ReadonlySet<LineKey>): WindowsByLine {
  return new Map([...known].filter(([key]) => watched.has(key)));
}

/** A window that comes again replaces its former self; one that comes late finds its place. */
export function appendToLine(
  known: readonly WindowView[],
  arrived: readonly WindowView[],
): readonly WindowView[] {
  const list = follows(known, arrived) ? [...known, ...arrived] : merged(known, arrived);
  const newest = list.at(-1);
  if (!newest) return list;
  const oldestKept = endMs(newest) - KEPT_MS;
  const from = list.findIndex((window) => endMs(window) >= oldestKept);
  return list.slice(Math.max(from, list.length - MAX_WINDOWS_PER_LINE));
}

/** Whether all that arrived is newer than what is known, as it mostly is, and in order. */
function follows(known: readonly WindowView[], arrived: readonly WindowView[]): boolean {
  let before = known.length > 0 ? endMs(known.at(-1)!) : Number.NEGATIVE_INFINITY;
  for (const window of arrived) {
    const end = endMs(window);
    if (end <= before) return false;
    before = end;
  }
  return true;
}

function merged(known: readonly WindowView[], arrived: readonly WindowView[]): readonly WindowView[] {
  const byId = new Map(known.map((window) => [window.id, window]));
  for (const window of arrived) byId.set(window.id, window);
  return [...byId.values()].sort((a, b) => endMs(a) - endMs(b));
}
