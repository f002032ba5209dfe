/**
 * Which windows of a waiting batch a spool that runs full lets go: quiet ones, never a suspect, an episode or what is
 * around them. A window keeps its place in the batch, because its id holds it. Pure, but for the keeper's memory.
 */
import type { LineRecord, ScoreBatch, ScoredWindow } from '@lineheron/models';
import type { Mark } from './entry.js';

/** Says of a quiet window or record whether it stays all the same. */
export type Keeps = (device: string, atMs: number) => boolean;

export interface Thinned {
  batch: ScoreBatch;
  windowsGone: number;
  recordsGone: number;
}

/** The spans of event time in which something happens in these windows, one a device. */
export function marksOf(windows: readonly ScoredWindow[]): Mark[] {
  const marks = new Map<string, Mark>();
  for (const { device, end, suspect, episode } of windows) {
    if (!suspect && episode === null) continue;
    const atMs = Date.parse(end);
    const known = marks.get(device);
    marks.set(device, [device, Math.min(known?.[1] ?? atMs, atMs), Math.max(known?.[2] ?? atMs, atMs)]);
  }
  return [...marks.values()];
}

/**
 * `keepsWindow` is asked of each quiet window in the order of the batch, `keepsRecord` of the records that no window
 * here points at any more.
 */
export function thinBatch(batch: ScoreBatch, keepsWindow: Keeps, keepsRecord: Keeps): Thinned {
  const kept = batch.windows.flatMap((window, at) => {
    const stays =
      window.suspect || window.episode !== null || keepsWindow(window.device, Date.parse(window.end));
    return stays ? [{ ...window, index: window.index ?? at }] : [];
  });
  const { records, moved } = keptRecords(batch, kept, keepsRecord);
  const windows = kept.map((window) =>
    window.record === undefined ? window : { ...window, record: moved.get(window.record)! },
  );
  return {
    batch: { ...batch, windows, records },
    windowsGone: batch.windows.length - windows.length,
    recordsGone: batch.records.length - records.length,
  };
}

/** Records that stay, and where each of them stands now. */
function keptRecords(batch: ScoreBatch, windows: readonly ScoredWindow[], keeps: Keeps) {
  const needed = new Set(windows.map(({ record }) => record));
  const records: LineRecord[] = [];
  const moved = new Map<number, number>();
  batch.records.forEach((record, at) => {
    const stays = record.suspect || needed.has(at) || keeps(record.device_id, Date.parse(record.timestamp));
    if (!stays) return;
    moved.set(at, records.length);
    records.push(record);
  });
  return { records, moved };
}
