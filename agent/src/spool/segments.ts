/**
 * The spool's segments from the oldest to the newest: read back at the start with what an earlier run acknowledged,
 * asked for batches together, and removed once nothing in them waits. The newest stays, for it holds the position.
 */
import { join } from 'node:path';
import type { Counters } from '../counters.js';
import type { Log } from '../log.js';
import type { BatchPlace, ReadEntry, SequenceRange } from './entry.js';
import { ASIDE, type SpoolFiles } from './files.js';
import { Segment, segmentNumber } from './segment.js';

export interface WaitingBatch {
  boot: string;
  sequence: number;
}

/** A waiting batch, and when it was made: epoch ms, to the second. */
export interface AgedBatch extends WaitingBatch {
  createdMs: number;
}

export interface SegmentsOptions {
  files: SpoolFiles;
  folder: string;
  log: Log;
  counters: Counters;
}

const KEPT_DAMAGED_FILES = 4;

export class Segments {
  private all: Segment[] = [];

  constructor(private readonly options: SegmentsOptions) {}

  get list(): readonly Segment[] {
    return this.all;
  }

  get batches(): number {
    return this.all.reduce((sum, { live }) => sum + live, 0);
  }

  get bytes(): number {
    return this.all.reduce((sum, segment) => sum + segment.bytes, 0);
  }

  /** Reads what an earlier run left. Returns the newest position in it, undefined when there is none. */
  async recover(): Promise<unknown> {
    const { files, folder } = this.options;
    await files.makeFolder(folder);
    const names = await files.list(folder);
    for (const name of names.filter((each) => each.endsWith(ASIDE))) await files.remove(join(folder, name));
    const numbers = names.flatMap((name) => segmentNumber(name) ?? []).sort((a, b) => a - b);
    let position: unknown;
    for (const number of numbers) {
      const newer = await this.recoverOne(number, number === numbers.at(-1));
      if (newer !== undefined) position = newer;
    }
    await this.tidy(names);
    await this.removeFinished();
    return position;
  }

  /** A new one behind the newest, empty. */
  async begin(): Promise<Segment> {
    const { files, folder } = this.options;
    const created = await Segment.create(files, folder, (this.all.at(-1)?.number ?? 0) + 1);
    this.all.push(created);
    return created;
  }

  /** The oldest batch that waits and is not in `except`. */
  oldest(except: (batch: WaitingBatch) => boolean): AgedBatch | null {
    for (const { table, live } of this.all) {
      if (live === 0) continue;
      const row = table.first((boot, sequence) => !except({ boot, sequence }));
      if (row >= 0) {
        return { boot: table.bootOf(row), sequence: table.sequence(row), createdMs: table.createdMs(row) };
      }
    }
    return null;
  }

  /** The segment in which the batch waits. */
  of({ boot, sequence }: WaitingBatch): Segment | null {
    return this.all.find(({ live, table }) => live > 0 && table.find(boot, sequence) >= 0) ?? null;
  }

  /** Nobody waits for these any more. Returns those that were here. */
  settle({ boot, from, to }: SequenceRange): WaitingBatch[] {
    return this.all.flatMap((segment) =>
      segment.table.within(boot, from, to).map((row) => {
        segment.settle(row);
        return { boot, sequence: segment.table.sequence(row) };
      }),
    );
  }

  forget({ boot, sequence }: WaitingBatch): void {
    this.settle({ boot, from: sequence, to: sequence });
  }

  keep(segment: Segment, place: BatchPlace): void {
    // A write that failed half-way may have left an earlier copy.
    this.forget(place);
    segment.keep(place);
  }

  /** Whether something happened around a moment of a device. */
  covers(device: string, atMs: number): boolean {
    return this.all.some(({ marks }) => marks.cover(device, atMs));
  }

  async drop(segment: Segment): Promise<void> {
    this.all = this.all.filter((other) => other !== segment);
    await segment.remove();
  }

  /** Removes every segment but the newest in which nothing waits any more. */
  async removeFinished(): Promise<void> {
    const newest = this.all.at(-1);
    for (const segment of this.all.filter(({ live }) => live === 0)) {
      if (segment !== newest) await this.drop(segment);
    }
  }

  async close(): Promise<void> {
    for (const segment of this.all) await segment.close();
  }

  /** Returns the newest position in it. */
  private async recoverOne(number: number, newest: boolean): Promise<unknown> {
    const { log, counters, folder, files } = this.options;
    const { segment, entries, cutBytes, fault } = await Segment.recover(files, folder, number, newest);
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
    if (!segment) return undefined;
    this.all.push(segment);
    for (const entry of entries) this.replay(segment, entry);
    return entries.findLast((entry) => entry.hasPosition)?.position();
  }

  private replay(segment: Segment, { acked, batches, marks }: ReadEntry): void {
    for (const range of acked) this.settle(range);
    for (const place of batches) this.keep(segment, place);
    for (const mark of marks) segment.marks.add(mark);
  }

  /** Keeps the newest few damaged files. */
  private async tidy(names: readonly string[]): Promise<void> {
    const damaged = names.filter((name) => name.endsWith('.damaged')).sort();
    for (const name of damaged.slice(0, -KEPT_DAMAGED_FILES)) {
      await this.options.files.remove(join(this.options.folder, name));
    }
  }
}
