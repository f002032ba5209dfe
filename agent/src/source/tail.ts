/**
 * The source `tail`: follows JSON-lines files and resumes where the last durable position says. Reads one chunk at
 * a time when asked, so a full spool makes it wait.
 */
import { type FSWatcher, watch } from 'node:fs';
import { dirname } from 'node:path';
import { z } from 'zod';
import type { Clock } from '../clock.js';
import type { Counters } from '../counters.js';
import { type Log, messageOf } from '../log.js';
import { type Chunk, lineKeys, type Phase, type Position, type Source, sourceKind } from './source.js';
import { Follower } from './tail-follow.js';
import { type FilePosition, parseTailPosition } from './tail-position.js';

const POLL_MS = 1_000;
const MIN_PAUSE_MS = 25;

const tailSchema = z.strictObject({
  type: z.literal('tail'),
  ...lineKeys,
  paths: z
    .array(z.string().min(1).max(4096))
    .min(1)
    .max(64)
    .refine((paths) => new Set(paths).size === paths.length, 'paths must differ'),
  /** Where to begin in a file seen for the first time; afterwards the kept position counts. */
  from: z.enum(['start', 'end']).default('end'),
});
export type TailConfig = z.infer<typeof tailSchema>;

export interface TailOptions {
  config: TailConfig;
  /** What was durable when the agent ended. */
  saved: unknown;
  windowSeconds: number;
  clock: Clock;
  log: Log;
  counters: Counters;
}

/** The window, and twice the lateness allowed on top: what a window may still need. */
const REACH_BEYOND_WINDOW_MS = 10_000;

export class TailSource implements Source {
  readonly phase: Phase = 'live';
  private readonly followers: Map<string, Follower>;
  /** Newest durable-to-be position of every file. */
  private readonly positions = new Map<string, FilePosition>();
  private wake = new AbortController();

  constructor(private readonly options: TailOptions) {
    const { config, log, counters } = options;
    const reachMs = options.windowSeconds * 1000 + REACH_BEYOND_WINDOW_MS;
    this.followers = new Map(
      config.paths.map((path) => [path, new Follower({ path, from: config.from, reachMs, log, counters })]),
    );
  }

  get detail(): string {
    return this.options.config.paths.join(', ').slice(0, 512);
  }

  async *chunks(signal: AbortSignal): AsyncGenerator<Chunk> {
    const watchers = this.watchFolders();
    signal.addEventListener('abort', () => this.wake.abort(), { once: true });
    try {
      yield* this.startAll(signal);
      while (!signal.aborted) {
        let idle = true;
        for (const [path, follower] of this.followers) {
          const chunk = await this.read(path, follower);
          if (!chunk || signal.aborted) continue;
          idle = false;
          yield chunk;
        }
        if (idle) await this.pause(signal);
      }
    } finally {
      for (const watcher of watchers) watcher.close();
      for (const follower of this.followers.values()) await follower.close();
    }
  }

  /** Opens every file, and reads again what the windows need. */
  private async *startAll(signal: AbortSignal): AsyncGenerator<Chunk> {
    const saved = parseTailPosition(this.options.saved)?.tail ?? {};
    for (const [path, follower] of this.followers) {
      const known = Object.hasOwn(saved, path) ? saved[path]! : null;
      await this.guarded(path, () => follower.start(known));
      this.keepPosition(path, follower);
    }
    for (const [path, follower] of this.followers) {
      while (!signal.aborted) {
        const lines = await this.guarded(path, () => follower.refill());
        if (!lines) break;
        yield { bytes: lines.bytes, emit: false, position: null };
      }
    }
    if (this.positions.size > 0) yield this.checkpoint();
  }

  private async read(path: string, follower: Follower): Promise<Chunk | null> {
    const wasOpen = follower.isOpen;
    const lines = await this.guarded(path, () => follower.next());
    if (!lines) {
      if (wasOpen || !follower.isOpen) return null;
      this.keepPosition(path, follower);
      return this.checkpoint();
    }
    const { bytes, position } = lines;
    if (!position) return { bytes, emit: false, position: null };
    return {
      bytes,
      emit: true,
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

  /** Once a file is open a start must not skip to another end of it, even when no line came in between. */
  private checkpoint(): Chunk {
    return { bytes: new Uint8Array(), emit: true, position: () => this.snapshot() };
  }

  private snapshot(): Position {
    return { tail: Object.fromEntries(this.positions) };
  }

  /** A file that cannot be read now is counted and tried again; it must not stop the others. */
  private async guarded<T>(path: string, work: () => Promise<T>): Promise<T | null> {
    try {
      return await work();
    } catch (error) {
      this.options.counters.add('tail_errors');
      this.options.log.warn({ path, error: messageOf(error) }, 'cannot read the file');
      return null;
    }
  }

  private async pause(signal: AbortSignal): Promise<void> {
    const { clock } = this.options;
    // A busy writer must not have us look after every single write.
    await clock.sleep(MIN_PAUSE_MS, signal);
    await clock.sleep(POLL_MS - MIN_PAUSE_MS, this.wake.signal);
    if (this.wake.signal.aborted && !signal.aborted) this.wake = new AbortController();
  }

  /** Notices spare us the wait for the next poll; where the system gives none, polling alone does. */
  private watchFolders(): FSWatcher[] {
    const folders = new Set(this.options.config.paths.map((path) => dirname(path)));
    return [...folders].flatMap((folder) => {
      try {
        const watcher = watch(folder, () => this.wake.abort());
        watcher.on('error', () => watcher.close());
        return [watcher];
      } catch {
        return [];
      }
    });
  }
}

export const tail = sourceKind({
  schema: tailSchema,
  canWait: true,
  create: (config, { saved, windowSeconds, clock, log, counters }) =>
    new TailSource({ config, saved, windowSeconds, clock, log, counters }),
});
