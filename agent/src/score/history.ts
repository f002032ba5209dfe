/**
 * The last windows of one scope on disk, for training on the past. Rows of fixed size with a CRC each, appended as
 * windows come; at twice the bound the newest half is written aside and renamed. A torn or damaged row is passed
 * over; what a full disk took only in part is written again at the same place. Rows of another feature list are dropped: no forest of ours could use them.
 */
import { type FileHandle, mkdir, open, readFile, truncate } from 'node:fs/promises';
import { dirname } from 'node:path';
import { crc32 } from 'node:zlib';
import { writeFileAtomic } from '@lineheron/models/persist';

const MAGIC = 'LHWH';
const VERSION = 1;
const HEADER_BYTES = 24;

export interface HistoryRow {
  endMs: number;
  features: readonly (number | null)[];
}

export interface HistoryOptions {
  path: string;
  fingerprint: string;
  columns: number;
  /** Rows kept. */
  rows: number;
}

export class History {
  private pending: Buffer[] = [];
  /** Whole rows in the file; what may stand behind them does not count. */
  private onDisk = 0;
  /** Writing and reading happen one after another. */
  private tail: Promise<unknown> = Promise.resolve();

  constructor(private readonly options: HistoryOptions) {}

  /** Makes the file ours, cuts a torn end. */
  async start(): Promise<void> {
    await mkdir(dirname(this.options.path), { recursive: true, mode: 0o700 });
    const bytes = await this.readFile();
    if (!bytes.subarray(0, HEADER_BYTES).equals(this.header())) {
      await writeFileAtomic(this.options.path, this.header());
      return;
    }
    this.onDisk = Math.floor((bytes.length - HEADER_BYTES) / this.rowBytes);
    const whole = HEADER_BYTES + this.onDisk * this.rowBytes;
    if (whole < bytes.length) await truncate(this.options.path, whole);
  }

  /** Keeps a row in memory until the next flush; of those only as many as are kept at all. */
  add(row: HistoryRow): void {
    this.pending.push(this.encode(row));
    if (this.pending.length > this.options.rows) this.pending.shift();
  }

  /** Writes what waits. Rejects when the disk refuses: then it goes on waiting. */
  flush(): Promise<void> {
    return this.serial(async () => {
      if (this.pending.length === 0) return;
      const rows = this.pending;
      this.pending = [];
      try {
        await this.write(Buffer.concat(rows));
      } catch (error) {
        this.pending = [...rows, ...this.pending].slice(-this.options.rows);
        throw error;
      }
      this.onDisk += rows.length;
      if (this.onDisk >= 2 * this.options.rows) await this.compact();
    });
  }

  /** The newest rows, oldest first. */
  read(): Promise<HistoryRow[]> {
    return this.serial(async () => {
      const bytes = Buffer.concat([await this.readWhole(), ...this.pending]);
      return this.rowsOf(bytes).flatMap((row) => this.decode(row) ?? []);
    });
  }

  private serial<T>(work: () => Promise<T>): Promise<T> {
    const result = this.tail.then(work);
    this.tail = result.catch(() => {});
    return result;
  }

  /** Behind the last whole row, not at the file's end: an earlier write may have left a part of a row there. */
  private async write(bytes: Buffer): Promise<void> {
    const file = await this.openForWriting();
    try {
      let at = HEADER_BYTES + this.onDisk * this.rowBytes;
      for (let done = 0; done < bytes.length; ) {
        const { bytesWritten } = await file.write(bytes, done, bytes.length - done, at);
        if (bytesWritten === 0) throw new Error('the disk takes no more');
        done += bytesWritten;
        at += bytesWritten;
      }
    } finally {
      await file.close();
    }
  }

  /** Somebody may have removed the file meanwhile: then it begins again. */
  private async openForWriting(): Promise<FileHandle> {
    try {
      return await open(this.options.path, 'r+');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
    await writeFileAtomic(this.options.path, this.header());
    this.onDisk = 0;
    return open(this.options.path, 'r+');
  }

  private async readWhole(): Promise<Buffer> {
    const bytes = await this.readFile();
    return bytes.length === 0 ? this.header() : bytes.subarray(0, HEADER_BYTES + this.onDisk * this.rowBytes);
  }

  private get rowBytes(): number {
    return 4 + 8 * (1 + this.options.columns);
  }

  private async readFile(): Promise<Buffer> {
    return readFile(this.options.path).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return Buffer.alloc(0);
      throw error;
    });
  }

  private rowsOf(bytes: Buffer): Buffer[] {
    const count = Math.max(0, Math.floor((bytes.length - HEADER_BYTES) / this.rowBytes));
    const first = Math.max(0, count - this.options.rows);
    return Array.from({ length: count - first }, (_, index) => {
      const at = HEADER_BYTES + (first + index) * this.rowBytes;
      return bytes.subarray(at, at + this.rowBytes);
    });
  }

  private async compact(): Promise<void> {
    const rows = this.rowsOf(await this.readWhole());
    await writeFileAtomic(this.options.path, Buffer.concat([this.header(), ...rows]));
    this.onDisk = rows.length;
  }

  private header(): Buffer {
    const header = Buffer.alloc(HEADER_BYTES);
    header.write(MAGIC, 0, 'latin1');
    header.writeUInt16LE(VERSION, 4);
    header.writeUInt16LE(this.options.columns, 6);
    header.write(this.options.fingerprint, 8, 16, 'latin1');
    return header;
  }

  private encode({ endMs, features }: HistoryRow): Buffer {
    const row = Buffer.allocUnsafe(this.rowBytes);
    row.writeDoubleLE(endMs, 4);
    for (let column = 0; column < this.options.columns; column++) {
      row.writeDoubleLE(features[column] ?? Number.NaN, 12 + 8 * column);
    }
    row.writeUInt32LE(crc32(row.subarray(4)), 0);
    return row;
  }

  private decode(row: Buffer): HistoryRow | null {
    if (row.readUInt32LE(0) !== crc32(row.subarray(4))) return null;
    const features = Array.from({ length: this.options.columns }, (_, column) => {
      const value = row.readDoubleLE(12 + 8 * column);
      return Number.isNaN(value) ? null : value;
    });
    return { endMs: row.readDoubleLE(4), features };
  }
}
