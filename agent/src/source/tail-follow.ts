/**
 * Follows one path through rotation. Renamed away: the rest of the old file is read to its end, then the new one.
 * Copied and truncated: the rest is read from the copy where there is one, then the file from its start. Gone:
 * whatever is open is read on until a new file appears. A saved position counts until a file has really been opened.
 */
import { stat } from 'node:fs/promises';
import type { Counters } from '../counters.js';
import type { Log } from '../log.js';
import { type Lines, TailFile } from './tail-file.js';
import { findCopy, findRenamed, openIfSame, openRotated } from './tail-find.js';
import { type FilePosition, filePosition, RefillMarks } from './tail-position.js';
import { writtenAfter } from './tail-rotated.js';

export const MAX_CHUNK_BYTES = 256 * 1024;

export interface FollowOptions {
  path: string;
  from: 'start' | 'end';
  /** Event time that a refill must reach back. */
  reachMs: number;
  log: Log;
  counters: Counters;
}

export interface FollowedLines extends Lines {
  /** Of this file once these lines are done. Null: they were done before, and only refill the windows. */
  position: ((newestMs: number | null) => FilePosition) | null;
}

export class Follower {
  private file: TailFile | null = null;
  /** Where an earlier run stopped, until that file or another one is open. */
  private saved: FilePosition | null = null;
  /** What must be read again first. */
  private again: { from: number; to: number } | null = null;
  private fromEnd: boolean;
  /** When the open file was last seen to be written while it was whole. */
  private writtenMs = 0;
  private readonly marks: RefillMarks;
  private newestMs: number | null = null;
  /** The old file after a rotation has been read to its end once; a second look makes sure. */
  private drained = false;

  constructor(private readonly options: FollowOptions) {
    this.marks = new RefillMarks(options.reachMs);
    this.fromEnd = options.from === 'end';
  }

  get isOpen(): boolean {
    return this.file !== null;
  }

  /** Opens the file where reading begins. When that fails or there is none yet, `next` tries again. */
  async start(saved: FilePosition | null): Promise<void> {
    this.saved = saved;
    if (saved) this.fromEnd = false;
    await this.open();
  }

  /** The next lines of the part that must be read again; null at its end. Leaves the file where it goes on. */
  async refill(): Promise<FollowedLines | null> {
    const { file, again } = this;
    if (!file || !again) return null;
    // What cannot be read again leaves a window unfilled; it must not keep us from what is new.
    this.again = null;
    file.offset = again.from;
    try {
      const lines = await file.readLines(MAX_CHUNK_BYTES, { limit: again.to, last: true });
      if (lines) this.again = { from: file.offset, to: again.to };
      return lines && { ...lines, position: null };
    } finally {
      file.offset = again.to;
    }
  }

  /** The next lines, or null when there are none now. */
  async next(): Promise<FollowedLines | null> {
    if (!this.file && !(await this.open())) return null;
    return (await this.refill()) ?? this.read();
  }

  private async read(): Promise<FollowedLines | null> {
    const file = await this.checkTruncation(this.file!);
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

  /** Where it stands now, null while no file has ever been seen. */
  position(): FilePosition | null {
    if (!this.file) return this.saved;
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

  private async open(): Promise<boolean> {
    if (this.saved) return this.resume(this.saved);
    const file = await TailFile.open(this.options.path, 0);
    this.marks.reset(0);
    if (file && this.fromEnd) await this.skipToEnd(file);
    // Whatever comes later is new from its first line on.
    this.fromEnd = false;
    this.file = file;
    return file !== null;
  }

  private async resume(saved: FilePosition): Promise<boolean> {
    const { path, log, counters } = this.options;
    const same = (await openIfSame(path, saved)) ?? (await findRenamed(path, saved));
    if (same) return this.goOn(same, saved);
    // While nothing is at the path, the file may still come back.
    if ((await this.currentInode()) === null) return false;
    const copy = await findCopy(path, saved, { minBytes: saved.offset, sinceMs: 0 });
    if (copy) return this.goOn(copy, saved);
    const file = await TailFile.open(path, 0);
    if (!file) return false;
    log.warn(
      { path, offset: saved.offset },
      'the file read last is gone or shrunk: going on from the new start',
    );
    counters.add('tail_positions_lost');
    this.saved = null;
    this.file = file;
    this.marks.reset(0);
    return true;
  }

  private goOn(file: TailFile, { refill, offset }: FilePosition): true {
    this.saved = null;
    this.file = file;
    this.marks.reset(refill);
    this.again = refill < offset ? { from: refill, to: offset } : null;
    return true;
  }

  private async skipToEnd(file: TailFile): Promise<void> {
    try {
      const size = await file.size();
      // A last line that is still being written belongs to what comes: begin after the last line end.
      const from = Math.max(0, size - MAX_CHUNK_BYTES);
      file.offset = from;
      const lines = await file.readLines(MAX_CHUNK_BYTES, { limit: size });
      file.offset = lines ? lines.to : from;
      this.marks.reset(file.offset);
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  /**
   * Truncated in place, or truncated and already longer again: then its first bytes are others. Returns the file to
   * read now: a copy that was made of it before, when that holds more than was read, else the file from its start.
   */
  private async checkTruncation(file: TailFile): Promise<TailFile> {
    const { path, counters, log } = this.options;
    const stats = await file.stats();
    if (stats.size >= file.offset && (await file.beginsLike(file.identity))) {
      this.writtenMs = stats.mtimeMs;
      return file;
    }
    const read = { ...file.identity, offset: file.offset };
    const copy = await findCopy(path, read, { minBytes: file.offset + 1, sinceMs: this.writtenMs });
    counters.add('tail_truncations');
    this.drained = false;
    if (copy) {
      log.info({ path }, 'the file was truncated: reading the rest from its copy');
      this.file = copy;
      await file.close();
      return copy;
    }
    log.info({ path }, 'the file was truncated: reading from its start');
    await file.startOver();
    this.marks.reset(0);
    return file;
  }

  private async currentInode(): Promise<number | null> {
    const stats = await stat(this.options.path).catch(() => null);
    return stats?.ino ?? null;
  }

  private async wasRenamed(file: TailFile): Promise<boolean> {
    const inode = await this.currentInode();
    return inode !== null && inode !== file.inode;
  }

  /** To the file written next: usually the new one at the path, after two rotations in a row one in between. */
  private async moveOn(old: TailFile): Promise<void> {
    const between = await writtenAfter(this.options.path, await old.stats());
    const file = between ? await openRotated(between) : null;
    await old.close();
    this.file = file;
    this.marks.reset(0);
    this.drained = false;
    this.options.counters.add('tail_rotations');
  }
}
