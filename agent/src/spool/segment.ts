/**
 * One segment file of the spool: written by appending, flushed before anything of it counts, read at places, removed
 * whole. Start-up cuts a torn tail and sets a file that is damaged in its middle aside, keeping its good entries.
 */
import { constants } from 'node:fs';
import { copyFile, type FileHandle, open, readFile, rename, rm, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { syncFolder, writeFileAtomic } from '@lineheron/models/persist';
import { type BatchPlace, fileHeader, fileHeaderFault, type ReadEntry, scanEntries } from './entry.js';

const NAME = /^(\d{12})\.spool$/;

export function segmentNumber(name: string): number | null {
  const match = NAME.exec(name);
  return match ? Number(match[1]) : null;
}

export class Segment {
  /** Batches in it that nobody has acknowledged. */
  live = 0;
  liveWindows = 0;
  private handle: FileHandle | null = null;

  private constructor(
    private readonly folder: string,
    readonly number: number,
    /** Length of the file up to its last durable entry. */
    public bytes: number,
  ) {}

  private get path(): string {
    return join(this.folder, `${String(this.number).padStart(12, '0')}.spool`);
  }

  /** A new, empty segment, durable under its name. */
  static async create(folder: string, number: number): Promise<Segment> {
    const header = fileHeader();
    const segment = new Segment(folder, number, header.length);
    // Without O_EXCL: a file left over from a creation that failed half-way is begun anew.
    segment.handle = await open(
      segment.path,
      constants.O_RDWR | constants.O_CREAT | constants.O_TRUNC,
      0o600,
    );
    try {
      await segment.handle.write(header, 0, header.length, 0);
      await segment.handle.datasync();
      await syncFolder(folder);
    } catch (error) {
      await segment.close();
      throw error;
    }
    return segment;
  }

  /** Reads a segment of an earlier run. `fault` says what was wrong with it, if anything. */
  static async recover(
    folder: string,
    number: number,
    newest: boolean,
  ): Promise<{ segment: Segment | null; entries: ReadEntry[]; cutBytes: number; fault: string | null }> {
    const segment = new Segment(folder, number, 0);
    const bytes = await readFile(segment.path);
    const headerFault = fileHeaderFault(bytes);
    if (headerFault) {
      // Killed while the file was being created: there is nothing in it.
      if (newest && bytes.length < fileHeader().length) {
        await rm(segment.path, { force: true });
        return { segment: null, entries: [], cutBytes: bytes.length, fault: null };
      }
      await segment.setAside();
      return { segment: null, entries: [], cutBytes: 0, fault: headerFault };
    }
    const scan = scanEntries(bytes);
    if (scan.damaged) return segment.salvage(bytes, scan.entries);
    const cutBytes = bytes.length - scan.goodEnd;
    if (cutBytes > 0) await truncate(segment.path, scan.goodEnd);
    segment.bytes = scan.goodEnd;
    return { segment, entries: scan.entries, cutBytes, fault: null };
  }

  /** Writes one entry and makes it durable. On failure the file ends where it ended before, if that can be done. */
  async append(entry: Buffer): Promise<number> {
    const handle = await this.open();
    const offset = this.bytes;
    try {
      await writeFully(handle, entry, offset);
      await handle.datasync();
    } catch (error) {
      await handle.truncate(offset).catch(() => {});
      throw error;
    }
    this.bytes += entry.length;
    return offset;
  }

  /** A batch's bytes, or null when they are not what was written. */
  async read(place: BatchPlace): Promise<Buffer | null> {
    const handle = await this.open();
    const buffer = Buffer.allocUnsafe(place.length);
    const { bytesRead } = await handle.read(buffer, 0, place.length, place.offset);
    return bytesRead === place.length && crc32(buffer) === place.crc ? buffer : null;
  }

  async close(): Promise<void> {
    const handle = this.handle;
    this.handle = null;
    await handle?.close();
  }

  async remove(): Promise<void> {
    await this.close();
    await rm(this.path, { force: true });
  }

  private async open(): Promise<FileHandle> {
    this.handle ??= await open(this.path, 'r+');
    return this.handle;
  }

  private async setAside(): Promise<void> {
    await rename(this.path, `${this.path}.damaged`);
    await syncFolder(this.folder);
  }

  /** A copy of the damaged file stays for whoever wants to look; its good entries go on under the old name. */
  private async salvage(bytes: Buffer, entries: ReadEntry[]) {
    await copyFile(this.path, `${this.path}.damaged`);
    const kept: Buffer[] = [fileHeader()];
    const moved: ReadEntry[] = [];
    let at = fileHeader().length;
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
    await writeFileAtomic(this.path, Buffer.concat(kept));
    this.bytes = at;
    return { segment: this, entries: moved, cutBytes: 0, fault: 'damaged in its middle' };
  }
}

async function writeFully(handle: FileHandle, bytes: Buffer, offset: number): Promise<void> {
  let written = 0;
  while (written < bytes.length) {
    const result = await handle.write(bytes, written, bytes.length - written, offset + written);
    written += result.bytesWritten;
  }
}
