/**
 * Follows one path through rotation. Renamed away: the rest of the old file is read to its end, then whatever was
 * written next. Copied and truncated: the rest is read from the copy where there is one, then the file from its
 * start; what was written between copying and truncating is in neither, and is counted where it had been seen. Gone: whatever is open is read on until a
 * new file appears. A saved position counts until a file has really been opened.
 *
 * Files are read by Node. Measured by `npm run bench:agent` and a bare read loop on the same file: reading takes 70 ns
 * a line in blocks of 1 MiB, all checks included, where read(2) into one buffer takes 30 ns and the engine about
 * 1,500 ns. Reading in Rust, or ahead of the engine, could win no more than 3 %.
 */
import { stat } from 'node:fs/promises';
import type { Counters } from '../counters.js';
import type { Log } from '../log.js';
import type { Encoding } from '../text-encoding.js';
import { MAX_LINE_BYTES } from './line-cutter.js';
import { type FileIdentity, type Lines, type Place, TailFile } from './tail-file.js';
import { findCopy, findRenamed, isCopy, openIfSame, openMissed, openNext } from './tail-find.js';
import { type FilePosition, filePosition, MAX_DONE, RefillMarks } from './tail-position.js';

export const MAX_CHUNK_BYTES = 1024 * 1024;

export interface FollowOptions {
  path: string;
  from: 'start' | 'end';
  /** Event time that a refill must reach back. */
  reachMs: number;
  /** Whether it reads again, once, what the windows need before a saved position. */
  refills: boolean;
  encoding?: Encoding;
  /** The longest line of the format; default MAX_LINE_BYTES. */
  longest?: number;
  log: Log;
  counters: Counters;
}

export interface FollowedLines extends Lines {
  /** Of this file once these lines are done. Null: they were done before, and only refill the windows. */
  position: ((newestMs: number | null) => FilePosition) | null;
}

/** Between the making of a copy and the truncation, at most. */
const COPYING_MS = 60_000;

/** What was at the path when nothing more was there to read. */
interface Seen {
  inode: number;
  size: number;
  mtimeMs: number;
}

export class Follower {
  private file: TailFile | null = null;
  /** Where an earlier run stopped, until that file or another one is open. */
  private saved: FilePosition | null = null;
  /** What must be read again first. */
  private again: { from: number; to: Place } | null = null;
  private fromEnd: boolean;
  /** Once a file is open, the windows are filled by what is read. */
  private refillDue: boolean;
  /** When the open file was last seen to be written while it was whole. */
  private writtenMs = 0;
  private readonly marks: RefillMarks;
  private newestMs: number | null = null;
  /** The old file after a rotation has been read to its end once; a second look makes sure. */
  private drained = false;
  /** The files that were finished last. */
  private done: FileIdentity[] = [];
  private idleAt: Seen | null = null;
  /** How long the open file has been seen while it was whole. */
  private seenBytes = 0;
  /** Nothing of the file has been seen that tells it from another: it may have been truncated unnoticed. */
  private unknown = false;

  private readonly longest: number;
  private readonly chunkBytes: number;

  constructor(private readonly options: FollowOptions) {
    this.longest = options.longest ?? MAX_LINE_BYTES;
    this.chunkBytes = Math.max(MAX_CHUNK_BYTES, this.longest + 2);
    this.marks = new RefillMarks(options.reachMs);
    this.fromEnd = options.from === 'end';
    this.refillDue = options.refills;
  }

  get isOpen(): boolean {
    return this.file !== null;
  }

  /** Device and inode of the file that is open now: not of the one that was open before a rotation. */
  get id(): string | null {
    return this.file?.id ?? null;
  }

  /** Opens the file where reading begins. When that fails or there is none yet, `next` tries again. */
  async start(saved: FilePosition | null): Promise<void> {
    this.saved = saved;
    this.done = saved?.done.slice(-MAX_DONE) ?? [];
    if (saved) this.fromEnd = false;
    await this.open();
  }

  /** The next lines of the part that must be read again; null at its end. Leaves the file where it goes on. */
  async refill(): Promise<FollowedLines | null> {
    const { file, again } = this;
    if (!file || !again) return null;
    // What cannot be read again leaves a window unfilled; it must not keep us from what is new.
    this.again = null;
    file.goTo({ offset: again.from, skipping: false });
    try {
      const lines = await file.readLines(this.chunkBytes, {
        limit: again.to.offset,
        last: true,
        longest: this.longest,
      });
      if (lines) this.again = { from: file.offset, to: again.to };
      return lines && { ...lines, position: null };
    } finally {
      file.goTo(again.to);
    }
  }

  /** The next lines, or null when there are none now, and on the turn that opens the file: its position comes first. */
  async next(): Promise<FollowedLines | null> {
    if (!this.file) {
      await this.open();
      return null;
    }
    return (await this.refill()) ?? this.read(this.file!);
  }

  private async read(file: TailFile): Promise<FollowedLines | null> {
    const now = await this.atPath();
    if (this.idleAt && now && sameSight(this.idleAt, now)) return null;
    this.idleAt = null;
    const renamed = now !== null && now.inode !== file.inode;
    const undo = file.undoRead();
    const lines = await file.readLines(this.chunkBytes, {
      last: renamed && this.drained,
      longest: this.longest,
    });
    // Only now it is known what the lines were read from.
    if (!(await file.isWhole())) {
      undo();
      return this.truncated(file);
    }
    if (now?.inode === file.inode) this.seenBytes = Math.max(this.seenBytes, now.size);
    if (lines) {
      const missed = this.unknown ? await openMissed(this.options.path, this.done, file) : null;
      if (missed !== null) {
        undo();
        return missed ? this.goTo(missed) : null;
      }
      this.unknown = false;
      this.writtenMs = now?.inode === file.inode ? now.mtimeMs : this.writtenMs;
      return this.followed(file, lines);
    }
    if (!renamed) {
      this.idleAt = now;
      return null;
    }
    return this.rotated(file, now.size);
  }

  /** The old file is at its end. Its writer may hold it until it writes to the new one, so it gets a second look. */
  private async rotated(file: TailFile, newSize: number): Promise<FollowedLines | null> {
    if (newSize === 0) return null;
    if (!this.drained) {
      this.drained = true;
      return null;
    }
    return (await this.moveOn(file)) ? this.next() : null;
  }

  /** Where it stands now, null while no file has ever been seen. */
  position(): FilePosition | null {
    const { file, done } = this;
    if (!file) return this.saved;
    return filePosition(file.identity, file, this.marks.refillOffset(this.newestMs), done);
  }

  /** Closes the file, and would go on where it stands. */
  async close(): Promise<void> {
    this.saved = this.position();
    await this.file?.close();
    this.file = null;
  }

  private followed(file: TailFile, lines: Lines): FollowedLines {
    const { identity, skipping } = file;
    const { done } = this;
    return {
      ...lines,
      position: (newestMs) => {
        if (this.newestMs !== null) this.marks.add(lines.from, this.newestMs);
        if (newestMs !== null) this.newestMs = Math.max(newestMs, this.newestMs ?? newestMs);
        const refill = this.marks.refillOffset(this.newestMs);
        return filePosition(identity, { offset: lines.to, skipping }, refill, done);
      },
    };
  }

  private async open(): Promise<boolean> {
    if (this.saved) return this.resume(this.saved);
    const file = await TailFile.open(this.options.path, 0);
    if (file) file.encoding = this.options.encoding ?? 'auto';
    if (file && this.fromEnd) await skipToEnd(file);
    this.marks.reset(file?.offset ?? 0);
    // Whatever comes later is new from its first line on.
    this.fromEnd = false;
    return this.use(file);
  }

  private use(file: TailFile | null): boolean {
    this.file = file;
    if (file) file.encoding = this.options.encoding ?? 'auto';
    this.idleAt = null;
    this.seenBytes = 0;
    this.drained = false;
    if (file) this.refillDue = false;
    this.unknown = file !== null && file.identity.prefixBytes === 0;
    if (file?.looksBinary) {
      this.options.counters.add('tail_binary_files');
      this.options.log.warn(
        { path: this.options.path },
        'this does not look like text: what is no line is refused',
      );
    }
    return file !== null;
  }

  private async resume(saved: FilePosition): Promise<boolean> {
    const { path, log, counters } = this.options;
    const same = (await openIfSame(path, saved)) ?? (await findRenamed(path, saved));
    if (same) return this.goOn(same, saved);
    // While nothing is at the path, the file may still come back.
    if ((await this.atPath()) === null) return false;
    const copy = await findCopy(path, saved, 0);
    if (copy === undefined) return false;
    if (copy) return this.goOn(copy, { ...saved, offset: copy.offset });
    const file = await TailFile.open(path, 0);
    if (!file) return false;
    const missed = await openMissed(path, this.done, file);
    if (missed !== null) await file.close();
    if (missed === undefined) return false;
    if (missed && (await missed.beginsLike(saved))) return this.goOn(missed, saved);
    await missed?.close();
    const { offset } = saved;
    log.warn({ path, offset }, 'the file read last is gone or shrunk: going on from the new start');
    counters.add('tail_positions_lost');
    this.saved = null;
    this.marks.reset(0);
    return this.use(file);
  }

  private goOn(file: TailFile, { refill, offset, skipping, prefixBytes }: FilePosition): true {
    this.saved = null;
    this.marks.reset(refill);
    const to = { offset, skipping };
    this.again = this.refillDue && refill < offset ? { from: refill, to } : null;
    file.goTo(to);
    this.use(file);
    this.unknown = prefixBytes === 0;
    return true;
  }

  /**
   * Truncated in place, or truncated and already longer again. Goes on with the copy that was made of it
   * before, where there is one, else with the file from its start.
   */
  private async truncated(file: TailFile): Promise<FollowedLines | null> {
    const { path, counters, log } = this.options;
    const read = { ...file.identity, offset: file.offset };
    // What was written after the copy was made may have been read already.
    const copy = await findCopy(path, read, this.writtenMs - COPYING_MS);
    if (copy === undefined) return null;
    this.countLost(Math.max(file.offset, (await copy?.size()) ?? 0));
    this.drained = false;
    if (copy) {
      log.info({ path }, 'the file was truncated: reading the rest from its copy');
      copy.skipping = file.skipping;
      await file.close();
      this.use(copy);
    } else {
      counters.add('tail_truncations');
      log.info({ path }, 'the file was truncated: reading from its start');
      this.remember(file.identity);
      await file.startOver();
      this.seenBytes = 0;
      this.unknown = file.identity.prefixBytes === 0;
      this.marks.reset(0);
    }
    return this.next();
  }

  /** The file was seen to be longer than what was read of it or is in its copy: that much is known to be gone. */
  private countLost(keptBytes: number): void {
    const bytes = this.seenBytes - keptBytes;
    if (bytes <= 0) return;
    const { path, counters, log } = this.options;
    counters.add('tail_truncated_bytes_lost', bytes);
    log.warn({ path, bytes }, 'the file was truncated before these bytes were read, and no copy has them');
  }

  private async atPath(): Promise<Seen | null> {
    const stats = await stat(this.options.path).catch(() => null);
    return stats && { inode: stats.ino, size: stats.size, mtimeMs: stats.mtimeMs };
  }

  /**
   * To the file written next: usually the new one at the path, after two rotations in a row one in between. False
   * when it cannot be told yet which one that is.
   */
  private async moveOn(old: TailFile): Promise<boolean> {
    const { path, counters, log } = this.options;
    const { mtimeMs, birthtimeMs } = await old.stats();
    const next = await openNext(path, { identity: old.identity, mtimeMs, birthtimeMs }, this.done);
    if (next === undefined) return false;
    if (old.fault) {
      counters.add('tail_damaged_archives');
      log.warn({ path, fault: old.fault }, 'a packed file is damaged: what stands behind the damage is lost');
    }
    // Between the making of a copy and the truncation something may have been written: each is counted once.
    if (await isCopy(old, birthtimeMs, path)) counters.add('tail_truncations');
    this.remember(old.identity);
    await old.close();
    this.use(next);
    this.marks.reset(0);
    counters.add('tail_rotations');
    return true;
  }

  /** Another file than the open one comes first. */
  private async goTo(file: TailFile): Promise<FollowedLines | null> {
    await this.file?.close();
    this.use(file);
    this.marks.reset(0);
    return this.next();
  }

  private remember(identity: FileIdentity): void {
    if (identity.prefixBytes > 0) this.done = [...this.done, identity].slice(-MAX_DONE);
  }
}

function sameSight(a: Seen, b: Seen): boolean {
  return a.inode === b.inode && a.size === b.size && a.mtimeMs === b.mtimeMs;
}

/** After its last line end: a last line that is still being written belongs to what comes. Closes it when that fails. */
async function skipToEnd(file: TailFile): Promise<void> {
  try {
    const size = await file.size();
    // Even, for characters of two bytes.
    const from = Math.max(0, size - (size % 2) - MAX_CHUNK_BYTES);
    file.offset = from;
    const lines = await file.readLines(MAX_CHUNK_BYTES, { limit: size });
    file.offset = lines ? lines.to : from;
  } catch (error) {
    await file.close();
    throw error;
  }
}
