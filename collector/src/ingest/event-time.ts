/**
 * Holds event time against arrival: what claims to be of a time more than five minutes after it arrived is stamped by
 * arrival, as agents do with records. Everything of a device in a batch that is ahead moves by the same amount, so that
 * its windows keep their distances. The past is left as it is: backlogs are of the past. Pure.
 */
import type { ScoreBatch } from '@lineheron/models';

const AHEAD_MS = 5 * 60_000;

export interface TimedBatch {
  batch: ScoreBatch;
  /** How far its newest time is ahead of arrival, where that is too far; else 0. */
  aheadMs: number;
  /** Windows that were stamped by arrival. */
  windows: number;
}

export function heldAgainstArrival(batch: ScoreBatch, arrivalMs: number): TimedBatch {
  const ahead = devicesAhead(batch, arrivalMs);
  if (ahead.size === 0) return { batch, aheadMs: 0, windows: 0 };
  const stamped = (device: string, time: string): string | null => {
    const atMs = Date.parse(time);
    if (atMs - arrivalMs <= AHEAD_MS) return null;
    return new Date(atMs - (ahead.get(device) ?? 0)).toISOString();
  };
  let count = 0;
  const windows = batch.windows.map((window) => {
    const end = stamped(window.device, window.end);
    if (end === null) return window;
    count++;
    return { ...window, end };
  });
  const records = batch.records.map((record) => {
    const timestamp = stamped(record.device_id, record.timestamp);
    return timestamp === null ? record : { ...record, timestamp };
  });
  return { batch: { ...batch, windows, records }, aheadMs: Math.max(...ahead.values()), windows: count };
}

/** How far the newest time of each device is ahead, of those that are too far. */
function devicesAhead({ windows, records }: ScoreBatch, arrivalMs: number): Map<string, number> {
  const ahead = new Map<string, number>();
  const note = (device: string, time: string) => {
    const byMs = Date.parse(time) - arrivalMs;
    if (byMs > AHEAD_MS) ahead.set(device, Math.max(byMs, ahead.get(device) ?? 0));
  };
  for (const { device, end } of windows) note(device, end);
  for (const { device_id, timestamp } of records) note(device_id, timestamp);
  return ahead;
}
