/**
 * Which slices there are, when a new one begins and when the oldest goes. What the store holds is bounded by bytes and
 * by time. A slice is at most a 64th of the bytes and about a 24th of the time, so that dropping one overshoots little
 * and there are never more than some 160.
 */
import type { Database } from 'better-sqlite3';
import { sizeOf } from './files.js';
import { createSlice, dropRecords, dropSlice, readSlices, type Slice } from './slices.js';
import type { StoreLimits } from './store.js';

const SLICES_BY_BYTES = 64;
const MAX_SLICES_BY_TIME = 96;
/** So long a commit may be held up by dropping slices; one is always dropped where one must go. */
const DROPPING_MS = 250;
const CLOSED_ALERTS_A_STEP = 1000;
/** Free pages are for the next slice; what is more than this share of the file is given back to the disk. */
const SPARE_SHARE = 0.05;
const PAGES_A_STEP = 2000;
/** Bytes and time agree on how long windows are kept as long as these shares are not passed. */
const FULL_SHARE = 0.9;
const KEPT_SHARE = 0.95;

export interface StoreUsage {
  bytes: number;
  windowsSinceMs: number | null;
  cutByBytes: boolean;
}

export class SliceKeeper {
  /** Oldest first; the last is the one that grows. */
  private slices: Slice[];
  private readonly sliceMs: number;

  constructor(
    private readonly database: Database,
    private readonly path: string,
    private readonly limits: StoreLimits,
    /** Prepared statements name slices: called before one goes, and with the newest when it changes. */
    private readonly onChange: (newest: number) => void,
  ) {
    const { windowsMs, recordsMs } = limits;
    this.sliceMs = Math.max(windowsMs / MAX_SLICES_BY_TIME, Math.min(windowsMs / 24, recordsMs / 12));
    this.slices = readSlices(database);
  }

  get newest(): Slice {
    return this.slices.at(-1)!;
  }

  /** Newest first. */
  get numbers(): number[] {
    return this.slices.map(({ n }) => n).reverse();
  }

  /** Something failed on the way: what is really there. */
  reload(): void {
    this.slices = readSlices(this.database);
  }

  /** Before a commit: a slice is no longer than a slice's time, in whatever direction the clock went. */
  beginIfOld(nowMs: number): void {
    const { bytes, beganMs } = this.newest;
    if (bytes > 0 && Math.abs(nowMs - beganMs) >= this.sliceMs) this.begin(nowMs);
  }

  /** Part of a commit's transaction: the newest slice has grown, and holds what arrived until then. */
  grown(bytes: number, receivedMs: number): void {
    this.database
      .prepare(
        `UPDATE slices SET began_ms = iif(bytes = 0, $at, began_ms), ended_ms = iif(bytes = 0, $at, max(ended_ms, $at)),
         bytes = bytes + $bytes WHERE n = $n`,
      )
      .run({ at: receivedMs, bytes, n: this.newest.n });
  }

  /** After a commit: a new slice where this one is full, and the oldest ones gone where the bytes are passed. */
  maintain(grownBytes: number, receivedMs: number): void {
    const { newest } = this;
    if (grownBytes > 0) {
      if (newest.bytes === 0) newest.beganMs = receivedMs;
      newest.endedMs = newest.bytes === 0 ? receivedMs : Math.max(newest.endedMs, receivedMs);
      newest.bytes += grownBytes;
    }
    if (newest.bytes >= this.limits.maxBytes / SLICES_BY_BYTES) this.begin(receivedMs);
    this.keepWithinBytes();
  }

  /** One step towards the limits; whether there is more to do. */
  prune(nowMs: number): boolean {
    const { windowsMs, recordsMs } = this.limits;
    this.beginIfOld(nowMs);
    const [oldest] = this.slices;
    if (this.slices.length > 1 && oldest!.endedMs < nowMs - windowsMs) {
      this.drop(oldest!);
      return true;
    }
    const past = this.slices.find((slice) => slice.hasRecords && slice !== this.newest);
    if (past && past.endedMs < nowMs - recordsMs) {
      this.onChange(this.newest.n);
      dropRecords(this.database, past);
      return true;
    }
    return this.keepWithinBytes() || this.dropAlerts() || this.shrink();
  }

  usage(nowMs: number): StoreUsage {
    const { windowsMs, maxBytes } = this.limits;
    const bytes = this.liveBytes() + sizeOf(`${this.path}-wal`);
    const [oldest] = this.slices;
    const windowsSinceMs = this.slices.some((slice) => slice.bytes > 0) ? oldest!.beganMs : null;
    const isFull = bytes >= FULL_SHARE * maxBytes;
    const isShort = windowsSinceMs !== null && nowMs - windowsSinceMs < KEPT_SHARE * windowsMs;
    return { bytes, windowsSinceMs, cutByBytes: isFull && isShort };
  }

  /** Of pages that hold something. */
  liveBytes(): number {
    return (this.pragma('page_count') - this.pragma('freelist_count')) * this.pragma('page_size');
  }

  private begin(nowMs: number): void {
    const slice = this.database.transaction(() => createSlice(this.database, this.newest.n + 1, nowMs))();
    this.slices.push(slice);
    this.onChange(slice.n);
  }

  private keepWithinBytes(): boolean {
    const end = performance.now() + DROPPING_MS;
    const isOver = () => this.liveBytes() + sizeOf(`${this.path}-wal`) > this.limits.maxBytes;
    while (isOver()) {
      if (this.slices.length > 1) this.drop(this.slices[0]!);
      else return this.dropClosedAlerts(0);
      if (performance.now() > end) return isOver();
    }
    return false;
  }

  private drop(slice: Slice): void {
    this.onChange(this.newest.n);
    dropSlice(this.database, slice);
    this.slices = this.slices.filter((other) => other !== slice);
  }

  private dropAlerts(): boolean {
    return this.dropClosedAlerts(this.limits.maxAlerts);
  }

  /** All but the newest so many, a step of them. */
  private dropClosedAlerts(keep: number): boolean {
    const { changes } = this.database
      .prepare(
        `DELETE FROM alerts WHERE id IN (SELECT id FROM alerts WHERE status = 'closed'
         ORDER BY opened_ms DESC LIMIT ? OFFSET ?)`,
      )
      .run(CLOSED_ALERTS_A_STEP, keep);
    return changes > 0;
  }

  /** After the limit was lowered. A store made before slices were cannot shrink: its file is filled again. */
  private shrink(): boolean {
    if (this.pragma('auto_vacuum') !== 2) return false;
    const spare = () =>
      this.pragma('freelist_count') - Math.max(1000, this.pragma('page_count') * SPARE_SHARE);
    if (spare() <= 0) return false;
    this.database.pragma(`incremental_vacuum(${PAGES_A_STEP})`);
    return spare() > 0;
  }

  private pragma(name: string): number {
    return this.database.pragma(name, { simple: true }) as number;
  }
}
