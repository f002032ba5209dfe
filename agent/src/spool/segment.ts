/**
 * One segment file of the spool: written by appending, flushed before anything of it counts, read at places, written
 * anew when it is thinned, removed whole. Start-up cuts a torn tail and sets a file that is damaged in its middle
 * aside, keeping its good entries.
 */
import { join } from 'node:path';
import { BatchTable } from './batch-table.js';
import {
  type BatchPlace,
  type EncodedEntry,
  fileHeader,
  fileHeaderFault,
  type Mark,
  type ReadEntry,
  scanEntries,
  thinningOf,
} from './entry.js';
import { replaceFile, type SpoolFile, type SpoolFiles, writeFully } from './files.js';
import { Marks } from './marks.js';
import { unpackBatch } from './pack.js';

const NAME = /^(\d{12})\.spool$/;

export function segmentNumber(name: string): number | null {
  const match = NAME.exec(name);
  return match ? Number(match[1]) : null;
}

export interface Recovered {
  segment: Segment | null;
  entries: ReadEntry[];
  cutBytes: number;
  fault: string | null;
}

export class Segment {
  /** Batches in it that nobody has acknowledged. */
  live = 0;
  liveWindows = 0;
  /** How far it is thinned. */
  thinning = 0;
  readonly marks = new Marks();
  table = new BatchTable();
  private file: Promise<SpoolFile> | null = null;
  /** Counts how often the file was written anew. */
  private generation = 0;

  private constructor(
    private readonly files: SpoolFiles,
    private readonly folder: string,
    readonly number: number,
    /** Length of the file up to its last durable entry. */
    public bytes: number,
  ) {}

  private get path(): string {
    return join(this.folder, `${String(this.number).padStart(12, '0')}.spool`);
  }

  /** A new, empty segment, durable under its name. */
  static async create(files: SpoolFiles, folder: string, number: number): Promise<Segment> {
    const header = fileHeader(0);
    const segment = new Segment(files, folder, number, header.length);
    // A file left over from a creation that failed half-way is begun anew.
    const file = await files.open(segment.path, true);
    segment.file = Promise.resolve(file);
    try {
      await writeFully(file, header, 0);
      await file.datasync();
      await files.syncFolder(folder);
    } catch (error) {
      await segment.close();
      throw error;
    }
    return segment;
  }

  /** Reads a segment of an earlier run. `fault` says what was wrong with it, if anything. */
  static async recover(
    files: SpoolFiles,
    folder: string,
    number: number,
    newest: boolean,
  ): Promise<Recovered> {
    const segment = new Segment(files, folder, number, 0);
    const bytes = await files.readAll(segment.path);
    const headerFault = fileHeaderFault(bytes);
    if (headerFault) {
      const nothing = { segment: null, entries: [] };
      // Killed while the file was being created: there is nothing in it.
      if (newest && bytes.length < fileHeader(0).length) {
        await files.remove(segment.path);
        return { ...nothing, cutBytes: bytes.length, fault: null };
      }
      await segment.setAside();
      return { ...nothing, cutBytes: 0, fault: headerFault };
    }
    segment.thinning = thinningOf(bytes);
    const scan = scanEntries(bytes);
    if (scan.damaged) return segment.salvage(bytes, scan.entries);
    const cutBytes = bytes.length - scan.goodEnd;
    if (cutBytes > 0) await files.truncate(segment.path, scan.goodEnd);
    segment.bytes = scan.goodEnd;
    return { segment, entries: scan.entries, cutBytes, fault: null };
  }

  /** Writes one entry and makes it durable. On failure the file ends where it ended before, if that can be done. */
  async append({ bytes, places }: EncodedEntry, marks: readonly Mark[]): Promise<BatchPlace[]> {
    const file = await this.open();
    const start = this.bytes;
    try {
      await writeFully(file, bytes, start);
      await file.datasync();
    } catch (error) {
      await file.truncate(start).catch(() => {});
      throw error;
    }
    this.bytes += bytes.length;
    for (const mark of marks) this.marks.add(mark);
    return places.map((place) => ({ ...place, offset: place.offset + start }));
  }

  /** Counts a batch in. */
  keep(place: BatchPlace): void {
    this.table.add(place);
    this.live += 1;
    this.liveWindows += place.windows;
  }

  /** Nobody waits for the batch in this row any more. */
  settle(row: number): void {
    this.table.settle(row);
    this.live -= 1;
    this.liveWindows -= this.table.windows(row);
  }

  /** Whether somebody waits for the very batch at this place. */
  holds({ boot, sequence, offset }: BatchPlace): boolean {
    const row = this.table.find(boot, sequence);
    return row >= 0 && this.table.place(row).offset === offset;
  }

  /** A batch's wire JSON, or null when it is not what was written. */
  async read(boot: string, sequence: number): Promise<Buffer | null> {
    for (;;) {
      const row = this.table.find(boot, sequence);
      if (row < 0) return null;
      const { generation } = this;
      const { offset, length } = this.table.place(row);
      const packed = Buffer.allocUnsafe(length);
      try {
        const bytesRead = await (await this.open()).read(packed, offset);
        if (generation === this.generation)
          return bytesRead === length ? (unpackBatch(packed)?.json ?? null) : null;
      } catch (error) {
        if (generation === this.generation) throw error;
      }
      // Written anew in between: the place was of the file before.
    }
  }

  readAll(): Promise<Buffer> {
    return this.files.readAll(this.path);
  }

  /**
   * Puts other content in the place of the file's. Batches acknowledged meanwhile stay so. Returns how many waiting
   * windows there are less.
   */
  async rewrite(bytes: Buffer, places: readonly BatchPlace[], thinning: number): Promise<number> {
    await replaceFile(this.files, this.path, bytes);
    const before = this.table;
    const windowsBefore = this.liveWindows;
    const file = this.file;
    this.file = null;
    this.generation += 1;
    this.table = new BatchTable();
    [this.live, this.liveWindows, this.bytes, this.thinning] = [0, 0, bytes.length, thinning];
    for (const place of places) {
      if (before.find(place.boot, place.sequence) >= 0) this.keep(place);
    }
    const gone = windowsBefore - this.liveWindows;
    await (await file)?.close();
    return gone;
  }

  async close(): Promise<void> {
    const file = this.file;
    this.file = null;
    await (await file)?.close();
  }

  async remove(): Promise<void> {
    await this.close();
    await this.files.remove(this.path);
  }

  private open(): Promise<SpoolFile> {
    if (!this.file) {
      const opening = this.files.open(this.path, false);
      this.file = opening;
      // What could not be opened is tried anew by the next who needs it.
      opening.catch(() => {
        if (this.file === opening) this.file = null;
      });
    }
    return this.file;
  }

  private async setAside(): Promise<void> {
    await this.files.rename(this.path, `${this.path}.damaged`);
    await this.files.syncFolder(this.folder);
  }

  /** A copy of the damaged file stays for whoever wants to look; its good entries go on under the old name. */
  private async salvage(bytes: Buffer, entries: ReadEntry[]): Promise<Recovered> {
    await this.files.copy(this.path, `${this.path}.damaged`);
    const header = fileHeader(this.thinning);
    const kept: Buffer[] = [header];
    const moved: ReadEntry[] = [];
    let at = header.length;
    for (const entry of entries) {
      const shift = at - entry.start;
      kept.push(bytes.subarray(entry.start, entry.end));
      at += entry.end - entry.start;
      moved.push({
        ...entry,
        start: entry.start + shift,
        end: entry.end + shift,
        batches: entry.batches.map((place) => ({ ...place, offset: place.offset + shift })),
      });
    }
    await replaceFile(this.files, this.path, Buffer.concat(kept));
    this.bytes = at;
    return { segment: this, entries: moved, cutBytes: 0, fault: 'damaged in its middle' };
  }
}
