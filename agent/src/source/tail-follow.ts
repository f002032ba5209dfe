/**
 * Follows one path through rotation. Renamed away: the rest of the old file is read to its end, then the new one.
 * Copied and truncated: read from the start again. Gone: whatever is open is read on until a new file appears.
 */
import { stat } from 'node:fs/promises';
import type { Counters } from '../counters.js';
import type { Log } from '../log.js';
import { type Lines, TailFile } from './tail-file.js';
import { type FilePosition, filePosition, RefillMarks } from './tail-position.js';
import { withInode, writtenAfter } from './tail-rotated.js';

export const MAX_CHUNK_BYTES = 256 * 1024;
/** A shorter prefix may well be the same in another file. */
const MIN_TELLING_BYTES = 64;

export interface FollowOptions {
  path: string;
  from: 'start' | 'end';
  /** Event time that a refill must reach back. */
  reachMs: number;
  log: Log;
  counters: Counters;
}

export interface FollowedLines extends Lines {
  /** Of this file once these lines are done. */
  position: (newestMs: number | null) => FilePosition;
}

export class Follower {
  private file: TailFile | null = null;
  private readonly marks: RefillMarks;
  private newestMs: number | null = null;
  /** The old file after a rotation has been read to its end once; a second look makes sure. */
  private drained = false;

  constructor(private readonly options: FollowOptions) {
    this.marks = new RefillMarks(options.reachMs);
  }

  /** Opens the file where reading begins. Returns what must be read again first, as an offset range. */
  async start(saved: FilePosition | null): Promise<{ from: number; to: number } | null> {
    if (saved) return this.resume(saved);
    this.file = await TailFile.open(this.options.path, 0);
    if (this.file && this.options.from === 'end') await this.skipToEnd(this.file);
    return null;
  }

  /** Lines of the refill range, from `from` on; null at its end. Leaves the file where it goes on. */
  async refill(range: { from: number; to: number }): Promise<Uint8Array | null> {
    const file = this.file!;
    file.offset = range.from;
    const lines = await file.readLines(MAX_CHUNK_BYTES, { limit: range.to, last: true });
    range.from = file.offset;
    file.offset = range.to;
    return lines?.bytes ?? null;
  }

  /** The next lines, or null when there are none now. */
  async next(): Promise<FollowedLines | null> {
    if (!this.file && !(await this.openNew())) return null;
    const file = this.file!;
    await this.checkTruncation(file);
    const renamed = await this.wasRenamed(file);
    const lines = await file.readLines(MAX_CHUNK_BYTES, { last: renamed && this.drained });
    if (lines) {
      await file.refreshIdentity(file.offset);
      return this.followed(file, lines);
    }
    if (!renamed) return null;
    // A writer may still hold the old file for a moment, so it gets a second look.
    if (!this.drained) {
      this.drained = true;
      return null;
    }
    await this.moveOn(file);
    return this.next();
  }

  /** Where it stands now, null while no file has been seen. */
  position(): FilePosition | null {
    if (!this.file) return null;
    return filePosition(this.file.identity, this.file.offset, this.marks.refillOffset(this.newestMs));
  }

  async close(): Promise<void> {
    await this.file?.close();
    this.file = null;
  }

  private followed(file: TailFile, lines: Lines): FollowedLines {
    const { identity } = file;
    return {
      ...lines,
      position: (newestMs) => {
        if (this.newestMs !== null) this.marks.add(lines.from, this.newestMs);
        if (newestMs !== null) this.newestMs = Math.max(newestMs, this.newestMs ?? newestMs);
        return filePosition(identity, lines.to, this.marks.refillOffset(this.newestMs));
      },
    };
  }

  private async resume(saved: FilePosition): Promise<{ from: number; to: number } | null> {
    const { path, log, counters } = this.options;
    const file = (await this.openIfSame(path, saved)) ?? (await this.findRotated(saved));
    if (file) {
      this.file = file;
      this.marks.reset(saved.refill);
      return saved.refill < saved.offset ? { from: saved.refill, to: saved.offset } : null;
    }
    log.warn(
      { path, offset: saved.offset },
      'the file read last is gone or shrunk: going on from the new start',
    );
    counters.add('tail_positions_lost');
    this.file = await TailFile.open(path, 0);
    return null;
  }

  private async openIfSame(path: string, saved: FilePosition): Promise<TailFile | null> {
    const file = await TailFile.open(path, saved.offset);
    if (!file) return null;
    // Without first bytes to compare, only the inode tells two empty files apart.
    const known = file.inode === saved.inode || saved.prefixBytes >= MIN_TELLING_BYTES;
    if (known && (await file.size()) >= saved.offset && (await file.beginsLike(saved))) return file;
    await file.close();
    return null;
  }

  /** The file was renamed while nobody watched: its inode is looked for beside it. */
  private async findRotated(saved: FilePosition): Promise<TailFile | null> {
    for (const path of await withInode(this.options.path, saved.inode)) {
      const file = await this.openIfSame(path, saved);
      if (file) return file;
    }
    return null;
  }

  private async skipToEnd(file: TailFile): Promise<void> {
    const size = await file.size();
    // A last line that is still being written belongs to what comes: begin after the last line end.
    const from = Math.max(0, size - MAX_CHUNK_BYTES);
    file.offset = from;
    const lines = await file.readLines(MAX_CHUNK_BYTES, { limit: size });
    file.offset = lines ? lines.to : from;
    this.marks.reset(file.offset);
  }

  private async openNew(): Promise<boolean> {
    this.file = await TailFile.open(this.options.path, 0);
    this.marks.reset(0);
    return this.file !== null;
  }

  /** Truncated in place, or truncated and already longer again: then its first bytes are others. */
  private async checkTruncation(file: TailFile): Promise<void> {
    const size = await file.size();
    if (size >= file.offset && (await file.beginsLike(file.identity))) return;
    this.options.counters.add('tail_truncations');
    this.options.log.info({ path: this.options.path }, 'the file was truncated: reading from its start');
    await file.startOver();
    this.marks.reset(0);
  }

  private async wasRenamed(file: TailFile): Promise<boolean> {
    const stats = await stat(this.options.path).catch(() => null);
    return stats !== null && stats.ino !== file.inode;
  }

  /** To the file written next: usually the new one at the path, after two rotations in a row one in between. */
  private async moveOn(old: TailFile): Promise<void> {
    const between = await writtenAfter(this.options.path, await old.stats());
    await old.close();
    this.file = between ? await TailFile.open(between, 0) : null;
    this.marks.reset(0);
    this.drained = false;
    this.options.counters.add('tail_rotations');
  }
}
