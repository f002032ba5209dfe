/**
 * The spool: batches wait here, durable, until the collector has acknowledged them. Segment files only grow at their
 * end and go as a whole, once all in them is acknowledged. In memory there is a table of numbers alone; bytes are
 * read back when they are sent.
 *
 * One entry holds the batches made of some input together with the source's position after it, so both become
 * durable at once. Bounded by `maxBytes`. What a full spool does is a choice: `wait`, and whoever fills it waits for
 * `isFull` to end and goes over it by one entry at most; or `thin`, and from half full on the oldest segments are
 * thinned (thinner.ts). Only when nothing quiet is left does the oldest segment go, counted.
 */
import type { Counters } from '../counters.js';
import { type Log, messageOf } from '../log.js';
import {
  encodeEntry,
  FILE_HEADER_BYTES,
  type NewBatch,
  type PackedEntry,
  pack,
  type SequenceRange,
} from './entry.js';
import { nodeFiles, type SpoolFiles } from './files.js';
import { Reserve } from './reserve.js';
import type { Segment } from './segment.js';
import { type AgedBatch, Segments, type WaitingBatch } from './segments.js';
import { THINNED, Thinner } from './thinner.js';

export interface SpoolOptions {
  folder: string;
  maxBytes: number;
  segmentBytes: number;
  whenFull: 'thin' | 'wait';
  log: Log;
  counters: Counters;
  /** The real ones when absent. */
  files?: SpoolFiles;
}

export interface NewEntry {
  /** Undefined: the source's position has not moved. */
  position: unknown;
  batches: readonly NewBatch[];
}

export type { AgedBatch, WaitingBatch };

/** Acknowledgements not yet written down; a restart sends such batches again and they are acknowledged again. */
const MAX_PENDING_ACKS = 1024;

export class Spool {
  private readonly segments: Segments;
  /** The segment being written; null before the first write and after a failure. */
  private active: Segment | null = null;
  private newestPosition: unknown;
  private pendingAcks: SequenceRange[] = [];
  /** Everything that changes files happens one after another. */
  private tail: Promise<unknown> = Promise.resolve();
  private readonly files: SpoolFiles;
  private readonly reserve: Reserve;
  private readonly thinner = new Thinner();
  private whenFull: SpoolOptions['whenFull'];

  constructor(private readonly options: SpoolOptions) {
    this.files = options.files ?? nodeFiles;
    this.whenFull = options.whenFull;
    const { folder, log, counters } = options;
    this.segments = new Segments({ files: this.files, folder, log, counters });
    this.reserve = new Reserve(this.files, options.folder);
  }

  /** Reads what an earlier run left. */
  async start(): Promise<void> {
    this.newestPosition = await this.segments.recover();
    await this.reserve.take();
  }

  /** The newest durable position of the source, undefined when there is none. */
  get position(): unknown {
    return this.newestPosition;
  }

  get batches(): number {
    return this.segments.batches;
  }

  get bytes(): number {
    return this.segments.bytes;
  }

  /** Full enough that a source that can wait should. One segment is kept free for what is already read. */
  get isFull(): boolean {
    return this.whenFull === 'wait' && this.isCrowded;
  }

  /** From now on. */
  setWhenFull(whenFull: SpoolOptions['whenFull']): void {
    this.whenFull = whenFull;
  }

  /** Makes an entry durable. Rejects when the disk refuses; nothing of it counts then, and it may be tried again. */
  append(entry: NewEntry): Promise<void> {
    const packed = { position: entry.position, batches: entry.batches.map(pack) };
    const marks = entry.batches.flatMap((batch) => batch.marks);
    const done = this.serial(() => this.write({ ...packed, marks }));
    if (this.whenFull === 'thin') void this.serial(() => this.relieve());
    return done;
  }

  /** The oldest batch that waits and is not in `except`. */
  oldest(except: (batch: WaitingBatch) => boolean): AgedBatch | null {
    return this.segments.oldest(except);
  }

  has(batch: WaitingBatch): boolean {
    return this.segments.of(batch) !== null;
  }

  /** A batch's bytes for sending. Null when it is no longer there, or was damaged on the disk: then it is dropped. */
  async read(batch: WaitingBatch): Promise<Buffer | null> {
    const { boot, sequence } = batch;
    const segment = this.segments.of(batch);
    if (!segment) return null;
    const bytes = await segment.read(boot, sequence).catch((error) => {
      if (this.has(batch)) this.options.log.error({ error: messageOf(error) }, 'cannot read the spool');
      return undefined;
    });
    if (bytes === undefined || !this.has(batch)) return null;
    if (bytes === null) {
      this.options.log.error({ boot, sequence }, 'a batch was damaged on the disk and is lost');
      this.options.counters.add('spool_damaged_batches');
      this.segments.forget(batch);
    }
    return bytes;
  }

  /** Lets acknowledged batches go. Returns those that were waiting. */
  acknowledge(ranges: readonly SequenceRange[]): WaitingBatch[] {
    const gone = ranges.flatMap((range) => this.segments.settle(range));
    if (gone.length > 0) {
      this.rememberAcks(rangesOf(gone));
      void this.serial(() => this.release()).catch((error) => {
        this.options.log.error({ error: messageOf(error) }, 'cannot remove a spool segment');
      });
    }
    return gone;
  }

  /** Writes down what is acknowledged and closes all files. */
  async close(): Promise<void> {
    if (this.pendingAcks.length > 0 && this.segments.list.length > 0) {
      await this.append({ position: this.newestPosition, batches: [] }).catch(() => {});
    }
    await this.serial(() => this.segments.close());
  }

  private get isCrowded(): boolean {
    return this.bytes >= this.options.maxBytes - 2 * this.options.segmentBytes;
  }

  private rememberAcks(ranges: readonly SequenceRange[]): void {
    this.pendingAcks = [...this.pendingAcks, ...ranges].slice(-MAX_PENDING_ACKS);
  }

  private serial<T>(work: () => Promise<T>): Promise<T> {
    const result = this.tail.then(work);
    this.tail = result.catch(() => {});
    return result;
  }

  private async write(entry: Omit<PackedEntry, 'acked'>): Promise<void> {
    try {
      await this.writeOnce(entry);
    } catch (error) {
      if (!isNoSpace(error) || !(await this.freeSpace())) throw error;
      await this.writeOnce(entry);
    }
  }

  /**
   * The disk is full. Removes what nobody waits for any more, or the oldest segment where that is the rule; whether
   * anything was removed.
   */
  private async freeSpace(): Promise<boolean> {
    const nothingWaits = this.batches === 0;
    const oldest = this.segments.list[0];
    if (!oldest || !(nothingWaits || this.whenFull === 'thin')) return false;
    await this.reserve.release();
    try {
      await this.beginSegment();
    } catch {
      return false;
    }
    if (!nothingWaits) await this.dropUnsent(oldest, 'the disk is full: oldest dropped');
    await this.segments.removeFinished();
    await this.reserve.take();
    return true;
  }

  private async writeOnce(entry: Omit<PackedEntry, 'acked'>): Promise<void> {
    const acked = this.pendingAcks;
    // What is acknowledged from here on belongs to the next entry.
    this.pendingAcks = [];
    const position = entry.position === undefined ? this.newestPosition : entry.position;
    const encoded = encodeEntry({ ...entry, position, acked });
    try {
      const segment = await this.segmentFor(encoded.bytes.length);
      const places = await segment.append(encoded, entry.marks);
      this.newestPosition = position;
      for (const place of places) this.segments.keep(segment, place);
    } catch (error) {
      // After a failed flush nobody knows what is on the disk: never append to that file again.
      this.active = null;
      this.rememberAcks(acked);
      throw error;
    }
  }

  private async segmentFor(length: number): Promise<Segment> {
    await this.makeRoom(length + this.checkpoint().bytes.length + FILE_HEADER_BYTES);
    const { active } = this;
    if (active && active.bytes + length <= this.options.segmentBytes) return active;
    const created = await this.beginSegment();
    await this.segments.removeFinished();
    return created;
  }

  /** The position must outlive the segments before: every new one begins with it. */
  private async beginSegment(): Promise<Segment> {
    const created = await this.segments.begin();
    this.active = null;
    await created.append(this.checkpoint(), []);
    this.active = created;
    return created;
  }

  private checkpoint() {
    return encodeEntry({ position: this.newestPosition, acked: [], marks: [], batches: [] });
  }

  /** Lets quiet windows go, then the oldest segments, until `length` more bytes fit. */
  private async makeRoom(length: number): Promise<void> {
    if (this.whenFull === 'wait') return;
    while (this.segments.list.length > 0 && this.bytes + length > this.options.maxBytes) {
      if (await this.thinNext(THINNED.toOneAMinute)) continue;
      if (await this.thinNext(THINNED.toWhatHappened)) continue;
      const empty = this.segments.list.find((each) => each !== this.active && each.liveWindows === 0);
      await this.dropUnsent(empty ?? this.segments.list[0]!, 'the spool is full: oldest dropped');
    }
  }

  /** Over half full: one segment a time, so that an append waits for one at most. */
  private async relieve(): Promise<void> {
    if (this.bytes > this.options.maxBytes / 2) await this.thinNext(THINNED.toOneAMinute);
  }

  /** Thins the oldest segment that is not thinned so far. False when there is none. */
  private async thinNext(level: number): Promise<boolean> {
    const { log, counters } = this.options;
    const next = this.segments.list.find((segment) => segment !== this.active && segment.thinning < level);
    if (!next) return false;
    // Whatever comes of it: not again and again.
    next.thinning = level;
    const covered = (device: string, atMs: number) => this.segments.covers(device, atMs);
    try {
      const thinning = await this.thinner.thin(next, level, covered);
      if (thinning.bytes.length >= next.bytes) return true;
      const windows = await next.rewrite(thinning.bytes, thinning.places, level);
      counters.add('spool_thinned_windows', windows);
      counters.add('spool_thinned_records', thinning.recordsGone);
      log.warn({ windows, level }, 'the spool runs full: quiet windows are thinned');
    } catch (error) {
      counters.add('spool_thinning_errors');
      log.error({ error: messageOf(error) }, 'cannot thin the spool');
    }
    return true;
  }

  private async dropUnsent(segment: Segment, why: string): Promise<void> {
    const { live, liveWindows } = segment;
    if (live > 0) {
      this.options.counters.add('spool_dropped_batches', live);
      this.options.counters.add('spool_dropped_windows', liveWindows);
      this.options.log.error({ batches: live, windows: liveWindows }, why);
    }
    if (this.active === segment) this.active = null;
    await this.segments.drop(segment);
  }

  private async release(): Promise<void> {
    // A full spool in which nothing waits must not stay full because of what its newest segment once held.
    if (this.isCrowded && this.batches === 0) await this.beginSegment();
    await this.segments.removeFinished();
  }
}

/** Only what was here: what an acknowledgement names beyond that may come yet. */
function rangesOf(batches: readonly WaitingBatch[]): SequenceRange[] {
  const ranges: SequenceRange[] = [];
  for (const { boot, sequence } of batches) {
    const last = ranges.at(-1);
    if (last?.boot === boot && last.to + 1 === sequence) last.to = sequence;
    else ranges.push({ boot, from: sequence, to: sequence });
  }
  return ranges;
}

function isNoSpace(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException).code;
  return code === 'ENOSPC' || code === 'EDQUOT';
}
