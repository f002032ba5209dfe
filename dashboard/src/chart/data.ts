/**
 * Windows → aligned columns. One time column for all lines; `null` is a gap and breaks the drawn line, `undefined`
 * only says that another line has a point here. Gaps stay gaps: silence longer than `MAX_SILENCE_S` gets a null.
 */
import type { WindowView } from '@lineheron/models';

/** Windows of a healthy line come once a second; this many seconds without one is a gap to be seen. */
export const MAX_SILENCE_S = 6;

export type Value = number | null | undefined;
export type Columns = [times: number[], ...values: Value[][]];

type Point = readonly [time: number, value: number | null];

/** One line's points, with a null in every silence. Windows are in order of time. */
export function points(
  windows: readonly WindowView[],
  pick: (window: WindowView) => number | null,
): readonly Point[] {
  const list: Point[] = [];
  let before: number | null = null;
  for (const window of windows) {
    const time = Date.parse(window.end) / 1000;
    if (before !== null && time - before > MAX_SILENCE_S) list.push([before + 1, null]);
    list.push([time, pick(window)]);
    before = time;
  }
  return list;
}

/** Columns of several lines. Where two windows of a line end at the same time the later one counts. */
export function columns(
  lines: readonly (readonly WindowView[])[],
  pick: (window: WindowView) => number | null,
): Columns {
  const all = lines.map((windows) => new Map(points(windows, pick)));
  const times = [...new Set(all.flatMap((line) => [...line.keys()]))].sort((a, b) => a - b);
  return [times, ...all.map((line) => times.map((time) => line.get(time)))];
}

/** Places of values between two gaps: no line is drawn there, so they need a dot to be seen. */
export function isolatedPoints(column: readonly Value[]): number[] {
  const known = column.flatMap((value, index) => (value === undefined ? [] : [{ value, index }]));
  return known
    .filter(
      ({ value }, place) =>
        value !== null &&
        (known[place - 1]?.value ?? null) === null &&
        (known[place + 1]?.value ?? null) === null,
    )
    .map(({ index }) => index);
}

/** The newest value of a column that is known or known to be missing; null when there is none. */
export function lastValue(column: readonly Value[]): number | null {
  for (let index = column.length - 1; index >= 0; index -= 1) {
    const value = column[index];
    if (value !== undefined) return value;
  }
  return null;
}

/** The value of a column at the index or just before it. */
export function valueAt(column: readonly Value[], index: number): number | null {
  return lastValue(column.slice(Math.max(0, index - 8), index + 1));
}
