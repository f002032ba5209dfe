/**
 * The source `tail`: follows files of lines through rotation and resumes where the last durable position says. Reads
 * one chunk at a time when asked, so a full spool makes it wait. Files are named, or found by patterns, again and again.
 *
 * A file that cannot be read is told once, counted, and tried again every second; it never stops the others. One
 * found by a pattern that has gone for a minute is closed; its position is kept for a day in case it comes back.
 */
import { stat } from 'node:fs/promises';
import { normalize } from 'node:path';
import { z } from 'zod';
import type { Clock } from '../clock.js';
import { encodingOf } from '../config-format.js';
import type { Counters } from '../counters.js';
import { type Log, messageOf } from '../log.js';
import { FolderWatch } from './folder-watch.js';
import { isPattern, patternRoot } from './glob.js';
import { longestLine } from './line-cutter.js';
import { type Chunk, lineKeys, type Phase, type Position, type Source, sourceKind } from './source.js';
import { Follower } from './tail-follow.js';
import { type Found, findFiles } from './tail-paths.js';
import { type FilePosition, parseTailPosition, type TailPosition } from './tail-position.js';

const POLL_MS = 1_000;
const MIN_PAUSE_MS = 25;
/** How often the patterns are asked, at most; and what share of the time that may take. */
const FIND_EVERY_MS = 2_000;
const FIND_AT_ONCE_MS = 1_000;
const FIND_SHARE = 0.05;
const CLOSE_GONE_MS = 60_000;
const FORGET_GONE_MS = 24 * 3_600_000;
/** Of one file before the next one's turn. */
const CHUNKS_A_TURN = 4;
/** The window, and twice the lateness allowed on top: what a window may still need. */
const REACH_BEYOND_WINDOW_MS = 10_000;

const tailSchema = z.strictObject({
  type: z.literal('tail'),
  ...lineKeys,
  /** Files, or patterns such as `/var/log/*.log` and `/var/log/**\/*.log`. */
  paths: z
    .array(z.string().min(1).max(4096))
    .min(1)
    .max(64)
    .refine((paths) => new Set(paths).size === paths.length, 'paths must differ'),
  /** Where to begin in a file seen for the first time; afterwards the kept position counts. */
  from: z.enum(['start', 'end']).default('end'),
  /** Found by patterns and followed at once; each costs an open file and 300 bytes in every write of the spool. */
  max_files: z.int().min(1).max(4096).default(256),
});
export type TailConfig = z.infer<typeof tailSchema>;

export interface TailOptions {
  config: TailConfig;
  /** What was durable when the agent ended. */
  saved: unknown;
  /** Whether what the windows need is read again before the saved position; default true. */
  refills?: boolean | undefined;
  windowSeconds: number;
  clock: Clock;
  log: Log;
  counters: Counters;
}

interface Followed {
  follower: Follower;
  /** By a pattern, as opposed to one that is named. */
  found: boolean;
  goneSinceMs: number | null;
  /** What was last told to be wrong with it. */
  fault: string | null;
}

export class TailSource implements Source {
  readonly phase: Phase = 'live';
  private readonly files = new Map<string, Followed>();
  /** Newest durable-to-be position of every file. */
  private readonly positions = new Map<string, FilePosition>();
  private readonly saved: TailPosition | null;
  private readonly watch = new FolderWatch();
  private readonly patterns: string[];
  private findAtMs = 0;
  private tooMany = false;

  constructor(private readonly options: TailOptions) {
    this.saved = parseTailPosition(options.saved);
    this.patterns = options.config.paths.filter(isPattern);
  }

  get detail(): string {
    return this.options.config.paths.join(', ').slice(0, 512);
  }

  async *chunks(signal: AbortSignal): AsyncGenerator<Chunk> {
    try {
      yield* this.startAll(signal);
      for (let polled = true; !signal.aborted; ) {
        yield* this.findDue(signal);
        const idle: boolean = yield* this.round(polled ? null : this.watch.takeChanged(), signal);
        polled = idle ? await this.pause(signal) : false;
      }
    } finally {
      this.watch.close();
      for (const { follower } of this.files.values()) await follower.close();
    }
  }

  /** One turn of every file, or of those that changed. True when none had anything. */
  private async *round(
    changed: ((path: string) => boolean) | null,
    signal: AbortSignal,
  ): AsyncGenerator<Chunk, boolean> {
    let idle = true;
    for (const [path, file] of this.files) {
      const away = file.goneSinceMs !== null && !file.follower.isOpen;
      if (away || (changed && !changed(path))) continue;
      for (let turn = 0; turn < CHUNKS_A_TURN && !signal.aborted; turn++) {
        const chunk = await this.read(path, file);
        if (!chunk) break;
        idle = false;
        // Whoever has more gets another turn, told or not.
        this.watch.noteChanged(path);
        yield chunk;
      }
    }
    return idle;
  }

  /** Opens every file, and reads again what the windows need. */
  private async *startAll(signal: AbortSignal): AsyncGenerator<Chunk> {
    const { config } = this.options;
    for (const path of config.paths.filter((one) => !isPattern(one))) {
      const stats = this.saved && (await stat(path).catch(() => null));
      await this.add(path, false, this.beginOf({ path, createdMs: stats?.birthtimeMs ?? 0 }));
    }
    for (const found of await this.find()) await this.add(found.path, true, this.beginOf(found));
    for (const path of this.files.keys()) yield* this.refill(path, signal);
    yield this.checkpoint();
  }

  /** Files that appeared since are new from their first line on. */
  private async *findDue(signal: AbortSignal): AsyncGenerator<Chunk> {
    const { clock } = this.options;
    if (this.patterns.length === 0 || clock.monotonicMs() < this.findAtMs) return;
    const added = await this.find();
    for (const { path } of added) {
      await this.add(path, true, this.tooMany ? this.options.config.from : 'start');
      yield* this.refill(path, signal);
    }
    if (added.length > 0) yield this.checkpoint();
  }

  private async *refill(path: string, signal: AbortSignal): AsyncGenerator<Chunk> {
    const file = this.files.get(path);
    while (file && !signal.aborted) {
      const lines = await this.guarded(path, file, () => file.follower.refill());
      if (!lines) break;
      yield { bytes: lines.bytes, emit: false, position: null };
    }
  }

  private async find(): Promise<Found[]> {
    const { config, clock, log, counters } = this.options;
    if (this.patterns.length === 0) return [];
    const startMs = clock.monotonicMs();
    const byPattern = [...this.files].filter((entry) => entry[1].found);
    const followed = new Map(byPattern.map(([path, { follower }]) => [path, follower.id]));
    const known = new Set([...this.files.keys(), ...Object.keys(this.saved?.tail ?? {})].map(normalize));
    const { found, matches, gone } = await findFiles(this.patterns, followed, known, config.max_files);
    const tookMs = clock.monotonicMs() - startMs;
    this.findAtMs = startMs + Math.max(FIND_EVERY_MS, tookMs / FIND_SHARE);
    for (const folder of this.patterns.map(patternRoot)) this.watch.add(folder);
    await this.noteGone(new Set(gone));
    const tooMany = matches > config.max_files;
    if (tooMany && !this.tooMany) {
      const { max_files } = config;
      counters.add('tail_too_many_files');
      log.error(
        { matches, max_files },
        'the patterns find more files than max_files: the others are not read. Narrow the patterns, or raise it',
      );
    }
    this.tooMany = tooMany;
    return found.filter(({ path }) => !this.files.has(path));
  }

  /** A file that was there before the last position was kept was left unread on purpose. */
  private beginOf({ path, createdMs }: Pick<Found, 'path' | 'createdMs'>): 'start' | 'end' {
    const { saved } = this;
    const isNew = saved !== null && !Object.hasOwn(saved.tail, path) && createdMs > saved.at;
    return isNew ? 'start' : this.options.config.from;
  }

  private async add(path: string, found: boolean, from: 'start' | 'end'): Promise<void> {
    const { windowSeconds, log, counters } = this.options;
    const reachMs = windowSeconds * 1000 + REACH_BEYOND_WINDOW_MS;
    const { refills = true } = this.options;
    const { format } = this.options.config;
    const encoding = encodingOf(format);
    const longest = longestLine(format);
    const follower = new Follower({ path, from, reachMs, refills, encoding, longest, log, counters });
    const file: Followed = { follower, found, goneSinceMs: null, fault: null };
    this.files.set(path, file);
    this.watch.addFolderOf(path);
    const saved = this.saved?.tail ?? {};
    const known = this.positions.get(path) ?? (Object.hasOwn(saved, path) ? saved[path]! : null);
    await this.guarded(path, file, () => follower.start(known));
    this.keepPosition(path, follower);
  }

  private async noteGone(gone: ReadonlySet<string>): Promise<void> {
    const nowMs = this.options.clock.monotonicMs();
    for (const [path, file] of this.files) {
      if (!gone.has(path)) {
        file.goneSinceMs = null;
        continue;
      }
      file.goneSinceMs ??= nowMs;
      const goneMs = nowMs - file.goneSinceMs;
      if (goneMs >= CLOSE_GONE_MS && file.follower.isOpen) await file.follower.close();
      if (goneMs < FORGET_GONE_MS && !this.tooMany) continue;
      await file.follower.close();
      this.files.delete(path);
      this.positions.delete(path);
    }
  }

  private async read(path: string, file: Followed): Promise<Chunk | null> {
    const { follower } = file;
    const wasOpen = follower.isOpen;
    const lines = await this.guarded(path, file, () => follower.next());
    if (!lines) {
      if (wasOpen || !follower.isOpen) return null;
      this.keepPosition(path, follower);
      return this.checkpoint();
    }
    const { bytes, position, from } = lines;
    if (!position) return { bytes, emit: false, position: null };
    return {
      bytes,
      emit: true,
      begins: from === 0,
      position: (newestMs) => {
        this.positions.set(path, position(newestMs));
        return this.snapshot();
      },
    };
  }

  private keepPosition(path: string, follower: Follower): void {
    const position = follower.position();
    if (position) this.positions.set(path, position);
  }

  /**
   * Durable before a line is read: whoever is killed right after must not skip to another end of the file, nor over
   * what was rotated meanwhile. Without any file it still says since when a new one is new.
   */
  private checkpoint(): Chunk {
    return { bytes: new Uint8Array(), emit: true, durable: true, position: () => this.snapshot() };
  }

  private snapshot(): Position {
    return { tail: Object.fromEntries(this.positions), at: this.options.clock.nowMs() };
  }

  private async guarded<T>(path: string, file: Followed, work: () => Promise<T>): Promise<T | null> {
    const { log, counters } = this.options;
    try {
      const result = await work();
      if (file.fault !== null && file.follower.isOpen) {
        log.info({ path }, 'the file can be read again');
        file.fault = null;
      }
      return result;
    } catch (error) {
      const fault = messageOf(error);
      counters.add('tail_errors');
      if (fault !== file.fault) log.warn({ path, error: fault }, 'cannot read the file');
      file.fault = fault;
      return null;
    }
  }

  /** True when it is time to look at every file, false when something was noticed before. */
  private async pause(signal: AbortSignal): Promise<boolean> {
    const { clock } = this.options;
    // A busy writer must not have us look after every single write.
    await clock.sleep(MIN_PAUSE_MS, signal);
    const noticed = await this.watch.wait(clock, POLL_MS - MIN_PAUSE_MS, signal);
    if (noticed && this.watch.isNew((path) => this.files.has(path))) {
      this.findAtMs = Math.min(this.findAtMs, clock.monotonicMs() + FIND_AT_ONCE_MS);
    }
    return !noticed;
  }
}

export const tail = sourceKind({
  schema: tailSchema,
  canWait: true,
  create: (config, { saved, refills, windowSeconds, clock, log, counters }) =>
    new TailSource({ config, saved, refills, windowSeconds, clock, log, counters }),
});
