/**
 * The way in: sources → pipeline → spool. Pulls a chunk of a source only when its last one is done, makes what came
 * of them durable every half second (at once when an episode opened), and says so. Memory is bounded because nothing
 * is pulled while too much waits; a disk that refuses is asked again every second.
 *
 * A full spool makes the sources wait that can; what the others measure meanwhile fills the windows, is told to
 * nobody and counted. Where none can wait, the spool drops its oldest. A source that fails is told and started again
 * after a pause that grows to a minute; the others go on. Sources may end and others begin while the rest goes on.
 */
import type { Clock } from './clock.js';
import type { Counters } from './counters.js';
import { type Log, messageOf } from './log.js';
import type { Output, Pipeline } from './score/pipeline.js';
import { containedChunks } from './source/contained.js';
import type { Feed, Feeds } from './source/feeds.js';
import type { Chunk } from './source/source.js';
import type { Spool } from './spool/spool.js';

export interface IntakeOptions {
  feeds: Feeds;
  pipeline: Pipeline;
  spool: Spool;
  clock: Clock;
  /** In [0, 1), for jitter. */
  random: () => number;
  log: Log;
  counters: Counters;
  /** Lines as they came. */
  onLines?: (source: string, bytes: Uint8Array) => void;
  /** After each chunk that the engine was given. */
  onPushed?: (feed: Feed, bytes: Uint8Array) => void;
  /** What has become durable. */
  onDurable: (output: Output) => void;
}

const FLUSH_EVERY_MS = 500;
const MAX_PENDING_BYTES = 1024 * 1024;
const RETRY_MS = 1_000;
const FULL_POLL_MS = 200;
/** How often a position is kept when nothing else is written. */
const POSITION_EVERY_MS = 5_000;
const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 60_000;
const LINE_FEED = 10;

interface Run {
  abort: AbortController;
  done: Promise<void>;
  /** It has come to its end by itself. */
  over: boolean;
}

export class Intake {
  private readonly abort = new AbortController();
  private readonly runs = new Map<Feed, Run>();
  private flushing: Promise<void> = Promise.resolve();
  private timer: NodeJS.Timeout | undefined;
  private keptPosition: unknown;
  private keptAtMs = 0;
  private gaveUp = false;
  private full = false;
  /** Nothing has been told since the start: what comes first is not kept waiting. */
  private silent = true;

  constructor(private readonly options: IntakeOptions) {}

  start(): void {
    this.timer = setInterval(() => void this.flush(), FLUSH_EVERY_MS);
    for (const feed of this.options.feeds.list) this.begin(feed);
  }

  /** Pulls this one, too, from now on. */
  begin(feed: Feed): void {
    const abort = new AbortController();
    const signal = AbortSignal.any([this.abort.signal, abort.signal]);
    const run: Run = { abort, over: false, done: Promise.resolve() };
    run.done = this.keepRunning(feed, signal).then(() => {
      run.over = !signal.aborted;
    });
    this.runs.set(feed, run);
  }

  /** Ends this one and takes all that it has given; its position is where it can be taken up again. */
  async end(feed: Feed): Promise<void> {
    const run = this.runs.get(feed);
    run?.abort.abort();
    await run?.done;
    this.runs.delete(feed);
  }

  /** Every source has ended by itself. */
  get ended(): boolean {
    return this.runs.size > 0 && [...this.runs.values()].every(({ over }) => over);
  }

  /** Stops the sources and makes durable what they gave. */
  async stop(): Promise<void> {
    this.abort.abort();
    clearInterval(this.timer);
    await Promise.all([...this.runs.values()].map(({ done }) => done));
    await this.flush({ withPosition: true, final: true });
  }

  private async keepRunning(feed: Feed, signal: AbortSignal): Promise<void> {
    const { clock, random, log, counters } = this.options;
    let pauseMs = FIRST_PAUSE_MS;
    for (;;) {
      const startMs = clock.monotonicMs();
      try {
        return await this.run(feed, signal);
      } catch (error) {
        if (signal.aborted) return;
        if (clock.monotonicMs() - startMs > LONGEST_PAUSE_MS) pauseMs = FIRST_PAUSE_MS;
        counters.add('source_failures');
        const again_in_ms = Math.round(pauseMs * (0.5 + random() / 2));
        const { name } = feed.options;
        log.error({ source: name, error: messageOf(error), again_in_ms }, 'a source failed: it starts again');
        await clock.sleep(again_in_ms, signal);
        if (signal.aborted) return;
        pauseMs = Math.min(2 * pauseMs, LONGEST_PAUSE_MS);
        feed.renew();
      }
    }
  }

  private async run(feed: Feed, signal: AbortSignal): Promise<void> {
    const { pipeline } = this.options;
    for await (const chunk of containedChunks(feed.source, signal)) {
      if (chunk.emit) this.options.onLines?.(feed.options.name, chunk.bytes);
      const urgent = pipeline.push(this.prepared(feed, chunk));
      this.options.onPushed?.(feed, chunk.bytes);
      const first = this.silent && pipeline.pendingBytes > 0;
      if (first) this.silent = false;
      if (urgent || first) void this.flush();
      if (chunk.durable) await this.flush({ withPosition: true });
      if (pipeline.pendingBytes > MAX_PENDING_BYTES && this.waits(feed)) await this.flush();
      if (feed.options.canWait) await this.waitForRoom(signal);
    }
  }

  /** Where others wait for the disk, one that cannot wait must not wait with them. */
  private waits(feed: Feed): boolean {
    return feed.options.canWait || !this.options.feeds.canWait;
  }

  /** With all sources' positions in place of its own, and not to be told when there is no room for it. */
  private prepared(feed: Feed, chunk: Chunk) {
    const { bytes, emit, position } = chunk;
    const { feeds, counters, spool, pipeline } = this.options;
    const crowded = !this.waits(feed) && (spool.isFull || pipeline.pendingBytes > MAX_PENDING_BYTES);
    if (crowded && emit) counters.add('lines_not_told', countLines(bytes));
    return {
      ...feed.lines(chunk),
      emit: emit && !crowded,
      position:
        position &&
        ((newestMs: number | null) => {
          feed.position = position(newestMs);
          return feeds.position();
        }),
    };
  }

  private async waitForRoom(signal: AbortSignal): Promise<void> {
    const { spool, clock, log, counters } = this.options;
    if (!spool.isFull) return;
    if (!this.full) log.warn({ bytes: spool.bytes }, 'the spool is full: reading waits');
    this.full = true;
    counters.add('spool_full_waits');
    while (spool.isFull && !signal.aborted) await clock.sleep(FULL_POLL_MS, signal);
    this.full = false;
  }

  /** One flush after another. `withPosition`: a position that moved is written even when it is not due. */
  private flush(how: { withPosition?: boolean; final?: boolean } = {}): Promise<void> {
    const { withPosition = false, final = false } = how;
    this.flushing = this.flushing.then(() => this.flushOnce(withPosition, final));
    return this.flushing;
  }

  private async flushOnce(withPosition: boolean, final: boolean): Promise<void> {
    const { pipeline, clock, counters, onDurable } = this.options;
    if (this.gaveUp) return;
    pipeline.sweep();
    const output = pipeline.take();
    const moved = output.position !== this.keptPosition;
    const positionDue = moved && (withPosition || clock.monotonicMs() - this.keptAtMs >= POSITION_EVERY_MS);
    if (output.batches.length > 0 || positionDue) {
      if (!(await this.append(output, final))) return;
      this.keptPosition = output.position;
      this.keptAtMs = clock.monotonicMs();
      counters.add('batches', output.batches.length);
    }
    onDurable(output);
  }

  private async append(output: Output, final: boolean): Promise<boolean> {
    const { feeds, pipeline, spool, clock, log, counters } = this.options;
    for (;;) {
      try {
        await spool.append({ position: output.position, batches: output.batches });
        return true;
      } catch (error) {
        counters.add('spool_write_errors');
        log.error({ error: messageOf(error) }, 'cannot write the spool: intake waits');
        if (final || this.abort.signal.aborted) return this.giveUp(output, 'windows_lost_at_stop');
        // Who cannot wait must go on measuring; what it cannot keep is counted.
        if (!feeds.canWait && pipeline.pendingBytes > MAX_PENDING_BYTES) {
          return this.giveUp(output, 'windows_dropped_by_disk');
        }
        await clock.sleep(RETRY_MS, this.abort.signal);
      }
    }
  }

  /**
   * The disk refuses, and nobody can wait. Nothing may become durable after this, or its position would step over
   * what was given up: a tail, which only gives up at its end, then reads these lines again.
   */
  private giveUp(output: Output, counter: string): false {
    const windows = output.batches.reduce((sum, batch) => sum + batch.windows, 0);
    this.gaveUp = this.options.feeds.canWait;
    this.options.counters.add(counter, windows);
    this.options.log.error({ windows }, 'the disk refuses: these windows are not kept');
    return false;
  }
}

function countLines(bytes: Uint8Array): number {
  let lines = 0;
  for (let at = bytes.indexOf(LINE_FEED); at >= 0; at = bytes.indexOf(LINE_FEED, at + 1)) lines += 1;
  return lines;
}
