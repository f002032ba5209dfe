/**
 * The way in: source → pipeline → spool. Pulls a chunk only when the one before is done, makes what came of it
 * durable every half second (at once when an episode opened), and says so. Memory is bounded because nothing is
 * pulled while too much waits; a disk that refuses is asked again every second.
 */
import type { Clock } from './clock.js';
import type { Counters } from './counters.js';
import { type Log, messageOf } from './log.js';
import type { Output, Pipeline } from './score/pipeline.js';
import type { Source } from './source/source.js';
import type { Spool } from './spool/spool.js';

export interface IntakeOptions {
  source: Source;
  pipeline: Pipeline;
  spool: Spool;
  clock: Clock;
  log: Log;
  counters: Counters;
  /** What has become durable. */
  onDurable: (output: Output) => void;
  /** The source ended by itself with an error. */
  onFailure: (error: unknown) => void;
}

const FLUSH_EVERY_MS = 500;
const MAX_PENDING_BYTES = 1024 * 1024;
const RETRY_MS = 1_000;
const FULL_POLL_MS = 200;
/** How often a position is kept when nothing else is written. */
const POSITION_EVERY_MS = 5_000;

export class Intake {
  private readonly abort = new AbortController();
  private running: Promise<void> = Promise.resolve();
  private flushing: Promise<void> = Promise.resolve();
  private timer: NodeJS.Timeout | undefined;
  private keptPosition: unknown;
  private keptAtMs = 0;
  private gaveUp = false;

  constructor(private readonly options: IntakeOptions) {}

  start(): void {
    this.timer = setInterval(() => void this.flush(false), FLUSH_EVERY_MS);
    this.running = this.run().catch((error) => {
      if (!this.abort.signal.aborted) this.options.onFailure(error);
    });
  }

  /** Stops the source and makes durable what it gave. */
  async stop(): Promise<void> {
    this.abort.abort();
    clearInterval(this.timer);
    await this.running;
    await this.flush(true);
  }

  private async run(): Promise<void> {
    const { source, pipeline } = this.options;
    const { signal } = this.abort;
    for await (const chunk of source.chunks(signal)) {
      const urgent = pipeline.push(chunk);
      if (urgent) void this.flush(false);
      if (pipeline.pendingBytes > MAX_PENDING_BYTES) await this.flush(false);
      if (source.canWait) await this.waitForRoom();
      if (signal.aborted) return;
    }
  }

  private async waitForRoom(): Promise<void> {
    const { spool, clock, log, counters } = this.options;
    const { signal } = this.abort;
    if (!spool.isFull) return;
    log.warn({ bytes: spool.bytes }, 'the spool is full: reading waits');
    counters.add('spool_full_waits');
    while (spool.isFull && !signal.aborted) await clock.sleep(FULL_POLL_MS, signal);
  }

  /** One flush after another. */
  private flush(final: boolean): Promise<void> {
    this.flushing = this.flushing.then(() => this.flushOnce(final));
    return this.flushing;
  }

  private async flushOnce(final: boolean): Promise<void> {
    const { pipeline, clock, counters, onDurable } = this.options;
    if (this.gaveUp) return;
    pipeline.sweep(clock.nowMs());
    const output = pipeline.take();
    const moved = output.position !== this.keptPosition;
    const positionDue = moved && (final || clock.monotonicMs() - this.keptAtMs >= POSITION_EVERY_MS);
    if (output.batches.length > 0 || positionDue) {
      if (!(await this.append(output, final))) return;
      this.keptPosition = output.position;
      this.keptAtMs = clock.monotonicMs();
      counters.add('batches', output.batches.length);
    }
    onDurable(output);
  }

  private async append(output: Output, final: boolean): Promise<boolean> {
    const { source, pipeline, spool, clock, log, counters } = this.options;
    for (;;) {
      try {
        await spool.append({ position: output.position, batches: output.batches });
        return true;
      } catch (error) {
        counters.add('spool_write_errors');
        log.error({ error: messageOf(error) }, 'cannot write the spool: intake waits');
        if (final || this.abort.signal.aborted) return this.giveUp(output, 'windows_lost_at_stop');
        // Who cannot wait must go on measuring; what it cannot keep is counted.
        if (!source.canWait && pipeline.pendingBytes > MAX_PENDING_BYTES) {
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
    this.gaveUp = this.options.source.canWait;
    this.options.counters.add(counter, windows);
    this.options.log.error({ windows }, 'the disk refuses: these windows are not kept');
    return false;
  }
}
