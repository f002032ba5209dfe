/**
 * The spool: batches wait here, durable, until the collector has acknowledged them. Segment files only grow at their
 * end and go as a whole, once all in them is acknowledged. In memory there is an index alone; bytes are read back
 * when they are sent.
 *
 * One entry holds the batches made of some input together with the source's position after it, so both become
 * durable at once. Bounded by `maxBytes`: beyond it the oldest segment is dropped and counted, or whoever fills
 * the spool waits for `isFull` to end and goes over it by one entry at most.
 */
import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Counters } from '../counters.js';
import { type Log, messageOf } from '../log.js';
import {
  type BatchPlace,
  encodeEntry,
  FILE_HEADER_BYTES,
  type NewEntry,
  type ReadEntry,
  type SequenceRange,
} from './entry.js';
import { Reserve } from './reserve.js';
import { Segment, segmentNumber } from './segment.js';
import { SpoolIndex } from './spool-index.js';

export interface SpoolOptions {
  folder: string;
  maxBytes: number;
  segmentBytes: number;
  /** Whether a full spool drops its oldest segment. False: whoever fills it waits for `isFull` to end. */
  dropOldest: boolean;
  log: Log;
  counters: Counters;
}

export interface WaitingBatch {
  boot: string;
  sequence: number;
}

const KEPT_DAMAGED_FILES = 4;
/** Acknowledgements not yet written down; a restart sends such batches again and they are acknowledged again. */
const MAX_PENDING_ACKS = 1024;

export class Spool {
  private segments: Segment[] = [];
  /** The segment being written; null before the first write and after a failure. */
  private active: Segment | null = null;
  private readonly index = new SpoolIndex<Segment>();
  private newestPosition: unknown;
  private pendingAcks: SequenceRange[] = [];
  /** Everything that changes files happens one after another. */
  private tail: Promise<unknown> = Promise.resolve();

  private readonly reserve: Reserve;

  constructor(private readonly options: SpoolOptions) {
    this.reserve = new Reserve(options.folder);
  }

  /** Reads what an earlier run left. */
  async start(): Promise<void> {
    await mkdir(this.options.folder, { recursive: true, mode: 0o700 });
    const files = await readdir(this.options.folder, { withFileTypes: true });
    const names = files.filter((file) => file.isFile()).map(({ name }) => name);
    const numbers = names.flatMap((name) => segmentNumber(name) ?? []).sort((a, b) => a - b);
    for (const number of numbers) await this.recover(number, number === numbers.at(-1));
    await this.tidy(names);
    await this.removeFinished();
    await this.reserve.take();
  }

  /** The newest durable position of the source, undefined when there is none. */
  get position(): unknown {
    return this.newestPosition;
  }

  get batches(): number {
    return this.index.size;
  }

  get bytes(): number {
    return this.segments.reduce((sum, segment) => sum + segment.bytes, 0);
  }

  /** Full enough that a source that can wait should. One segment is kept free for what is already read. */
  get isFull(): boolean {
    return this.bytes >= this.options.maxBytes - 2 * this.options.segmentBytes;
  }

  /** Makes an entry durable. Rejects when the disk refuses; nothing of it counts then, and it may be tried again. */
  append(entry: Omit<NewEntry, 'acked'>): Promise<void> {
    return this.serial(() => this.write(entry));
  }

  /** The oldest batch that waits and is not in `except`. */
  oldest(except: (batch: WaitingBatch) => boolean): WaitingBatch | null {
    return this.index.first((place) => !except(place));
  }

  has(batch: WaitingBatch): boolean {
    return this.index.get(batch) !== null;
  }

  /** A batch's bytes for sending. Null when it is no longer there, or was damaged on the disk: then it is dropped. */
  async read(batch: WaitingBatch): Promise<Buffer | null> {
    const found = this.index.get(batch);
    if (!found) return null;
    const bytes = await found.segment.read(found.place).catch((error) => {
      if (this.has(batch)) this.options.log.error({ error: messageOf(error) }, 'cannot read the spool');
      return undefined;
    });
    if (bytes === undefined || !this.has(batch)) return null;
    if (bytes === null) {
      this.options.log.error(batch, 'a batch was damaged on the disk and is lost');
      this.options.counters.add('spool_damaged_batches');
      this.forget(batch);
    }
    return bytes;
  }

  /** Lets acknowledged batches go. Returns those that were waiting. */
  acknowledge(ranges: readonly SequenceRange[]): WaitingBatch[] {
    const gone = ranges.flatMap((range) => this.index.within(range));
    for (const batch of gone) this.forget(batch);
    if (gone.length > 0) {
      this.rememberAcks(ranges);
      void this.serial(() => this.release()).catch((error) => {
        this.options.log.error({ error: messageOf(error) }, 'cannot remove a spool segment');
      });
    }
    return gone;
  }

  /** Writes down what is acknowledged and closes all files. */
  async close(): Promise<void> {
    if (this.pendingAcks.length > 0 && this.segments.length > 0) {
      await this.append({ position: this.newestPosition, batches: [] }).catch(() => {});
    }
    await this.serial(async () => {
      for (const segment of this.segments) await segment.close();
    });
  }

  private rememberAcks(ranges: readonly SequenceRange[]): void {
    this.pendingAcks = [...this.pendingAcks, ...ranges].slice(-MAX_PENDING_ACKS);
  }

  private serial<T>(work: () => Promise<T>): Promise<T> {
    const result = this.tail.then(work);
    this.tail = result.catch(() => {});
    return result;
  }

  private async write(entry: Omit<NewEntry, 'acked'>): Promise<void> {
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
    const nothingWaits = this.index.size === 0;
    const oldest = this.segments[0];
    if (!oldest || !(nothingWaits || this.options.dropOldest)) return false;
    await this.reserve.release();
    try {
      await this.beginSegment();
    } catch {
      return false;
    }
    if (!nothingWaits) await this.dropUnsent(oldest, 'the disk is full: oldest dropped');
    await this.removeFinished();
    await this.reserve.take();
    return true;
  }

  private async writeOnce(entry: Omit<NewEntry, 'acked'>): Promise<void> {
    const acked = this.pendingAcks;
    // What is acknowledged from here on belongs to the next entry.
    this.pendingAcks = [];
    const position = entry.position === undefined ? this.newestPosition : entry.position;
    const encoded = encodeEntry({ position, acked, batches: entry.batches });
    let segment: Segment;
    let offset: number;
    try {
      segment = await this.segmentFor(encoded.bytes.length);
      offset = await segment.append(encoded.bytes);
    } catch (error) {
      // After a failed flush nobody knows what is on the disk: never append to that file again.
      this.active = null;
      this.rememberAcks(acked);
      throw error;
    }
    this.newestPosition = position;
    for (const place of encoded.places) this.keep(segment, { ...place, offset: place.offset + offset });
  }

  private async segmentFor(length: number): Promise<Segment> {
    await this.makeRoom(length + this.checkpoint().length + FILE_HEADER_BYTES);
    const { active } = this;
    if (active && active.bytes + length <= this.options.segmentBytes) return active;
    const created = await this.beginSegment();
    await this.removeFinished();
    return created;
  }

  /** The position must outlive the segments before: every new one begins with it. */
  private async beginSegment(): Promise<Segment> {
    const number = (this.segments.at(-1)?.number ?? 0) + 1;
    const created = await Segment.create(this.options.folder, number);
    this.segments.push(created);
    this.active = null;
    await created.append(this.checkpoint());
    this.active = created;
    return created;
  }

  private checkpoint(): Buffer {
    return encodeEntry({ position: this.newestPosition, acked: [], batches: [] }).bytes;
  }

  /** Drops the oldest segments until `length` more bytes fit. */
  private async makeRoom(length: number): Promise<void> {
    if (!this.options.dropOldest) return;
    while (this.segments.length > 0 && this.bytes + length > this.options.maxBytes) {
      await this.dropUnsent(this.segments[0]!, 'the spool is full: oldest dropped');
    }
  }

  private async dropUnsent(segment: Segment, why: string): Promise<void> {
    const { live, liveWindows } = segment;
    if (live > 0) {
      this.options.counters.add('spool_dropped_batches', live);
      this.options.counters.add('spool_dropped_windows', liveWindows);
      this.options.log.error({ batches: live, windows: liveWindows }, why);
    }
    this.index.removeSegment(segment);
    await this.drop(segment);
  }

  private keep(segment: Segment, place: BatchPlace): void {
    const earlier = this.index.get(place);
    if (earlier) this.forget(place);
    this.index.add(segment, place);
    segment.live += 1;
    segment.liveWindows += place.windows;
  }

  private forget(batch: WaitingBatch): void {
    const found = this.index.remove(batch);
    if (!found) return;
    found.segment.live -= 1;
    found.segment.liveWindows -= found.place.windows;
  }

  /** Removes every segment in which nothing waits any more; the newest stays, for it holds the position. */
  private async removeFinished(): Promise<void> {
    const newest = this.segments.at(-1);
    for (const segment of this.segments.filter(({ live }) => live === 0)) {
      if (segment !== newest) await this.drop(segment);
    }
  }

  private async release(): Promise<void> {
    // A full spool in which nothing waits must not stay full because of what its newest segment once held.
    if (this.isFull && this.index.size === 0) await this.beginSegment();
    await this.removeFinished();
  }

  private async drop(segment: Segment): Promise<void> {
    this.segments = this.segments.filter((other) => other !== segment);
    if (this.active === segment) this.active = null;
    await segment.remove();
  }

  private async recover(number: number, newest: boolean): Promise<void> {
    const { log, counters, folder } = this.options;
    const { segment, entries, cutBytes, fault } = await Segment.recover(folder, number, newest);
    if (fault !== null) {
      counters.add('spool_damaged_segments');
      log.error(
        { segment: number, fault, kept: entries.length },
        'a spool segment was damaged and set aside',
      );
    }
    if (cutBytes > 0) {
      counters.add('spool_torn_tails');
      log.warn({ segment: number, bytes: cutBytes }, 'cut a torn tail off the spool');
    }
    if (!segment) return;
    this.segments.push(segment);
    for (const entry of entries) this.replay(segment, entry);
  }

  private replay(segment: Segment, entry: ReadEntry): void {
    if (entry.position !== undefined) this.newestPosition = entry.position;
    for (const range of entry.acked) for (const batch of this.index.within(range)) this.forget(batch);
    for (const place of entry.batches) this.keep(segment, place);
  }

  /** Keeps the newest few damaged files. */
  private async tidy(names: readonly string[]): Promise<void> {
    const damaged = names.filter((name) => name.endsWith('.damaged')).sort();
    for (const name of damaged.slice(0, -KEPT_DAMAGED_FILES)) {
      await rm(join(this.options.folder, name), { force: true });
    }
  }
}

function isNoSpace(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException).code;
  return code === 'ENOSPC' || code === 'EDQUOT';
}
