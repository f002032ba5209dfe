/** The last minutes of windows, per line: in order of event time, each window once, bounded by time and number. */
import type { WindowView } from '@lineheron/models';
import { type LineKey, lineKey } from '../line.js';

export const KEPT_MS = 5 * 60_000;
/** Quiet windows come once a second; anomalous ones may come with every record. */
export const MAX_WINDOWS_PER_LINE = 900;
export const MAX_LINES = 2_000;

const endMs = (window: WindowView) => Date.parse(window.end);

/** Returns a new map; lines without a new window keep their list by reference. */
export function appendWindows(
  known: ReadonlyMap<LineKey, readonly WindowView[]>,
  arrived: readonly WindowView[],
): ReadonlyMap<LineKey, readonly WindowView[]> {
  const groups = new Map<LineKey, WindowView[]>();
  for (const window of arrived) {
    const key = lineKey(window);
    const group = groups.get(key);
    if (group) group.push(window);
    else groups.set(key, [window]);
  }
  const next = new Map(known);
  for (const [key, group] of groups) next.set(key, appendToLine(known.get(key) ?? [], group));
  return next;
}

/** A window that comes again replaces its former self; one that comes late finds its place. */
export function appendToLine(
  known: readonly WindowView[],
  arrived: readonly WindowView[],
): readonly WindowView[] {
  const byId = new Map(known.map((window) => [window.id, window]));
  for (const window of arrived) byId.set(window.id, window);
  const list = [...byId.values()];
  if (!isOrdered(list)) list.sort((a, b) => endMs(a) - endMs(b));
  const newest = list.at(-1);
  if (!newest) return list;
  const oldestKept = endMs(newest) - KEPT_MS;
  const from = list.findIndex((window) => endMs(window) >= oldestKept);
  return list.slice(Math.max(from, list.length - MAX_WINDOWS_PER_LINE));
}

function isOrdered(list: readonly WindowView[]): boolean {
  let before = Number.NEGATIVE_INFINITY;
  for (const window of list) {
    const end = endMs(window);
    if (end < before) return false;
    before = end;
  }
  return true;
}
