/** The source `generate`: paces the generator. First the back-fill, as fast as it is taken; then real time. */
import type { Clock } from '../clock.js';
import { deviceNames, type GenerateConfig } from '../config-source.js';
import type { Counters } from '../counters.js';
import type { Log } from '../log.js';
import { Generator, type ScheduledFault } from './generator.js';
import type { Chunk, Phase, Source } from './source.js';

const RECORDS_PER_CHUNK = 400;
/** A machine that slept longer than this goes on from now instead of writing what it slept through. */
const MAX_CATCH_UP_MS = 60_000;

export interface GenerateOptions {
  config: GenerateConfig;
  /** Whether to write the back-fill: only an agent without a trained forest needs it. */
  backfill: boolean;
  clock: Clock;
  log: Log;
  counters: Counters;
}

export class GenerateSource implements Source {
  readonly type = 'generate';
  readonly canWait = false;
  private current: Phase;
  private readonly names: string[];

  constructor(private readonly options: GenerateOptions) {
    this.names = deviceNames(options.config);
    this.current = options.backfill && options.config.backfill_minutes > 0 ? 'backfilling' : 'live';
  }

  get phase(): Phase {
    return this.current;
  }

  get detail(): string {
    return this.names.length === 1 ? '1 simulated device' : `${this.names.length} simulated devices`;
  }

  async *chunks(signal: AbortSignal): AsyncGenerator<Chunk> {
    const { config, clock } = this.options;
    const intervalMs = config.interval_seconds * 1000;
    const backfillMs = this.current === 'backfilling' ? config.backfill_minutes * 60_000 : 0;
    const startMs = Math.ceil(clock.nowMs() / intervalMs) * intervalMs;
    const generator = this.generator(startMs);
    for await (const chunk of this.backfill(generator, startMs - backfillMs, startMs, intervalMs)) {
      if (signal.aborted) return;
      yield chunk;
    }
    this.current = config.realtime ? 'live' : 'ended';
    if (config.realtime) yield* this.live(generator, startMs, intervalMs, signal);
  }

  /** Scheduled faults count from the first live record. */
  private generator(liveMs: number): Generator {
    const { config } = this.options;
    const faults = config.faults?.map((fault): ScheduledFault => {
      const startMs = liveMs + fault.start_s * 1000;
      return {
        device: fault.device_id,
        type: fault.type,
        strength: fault.strength,
        startMs,
        endMs: startMs + fault.duration_s * 1000,
      };
    });
    return new Generator({
      devices: this.names,
      seed: config.seed,
      anomalies: config.anomalies,
      anomalyProbability: config.anomaly_probability,
      strength: config.strength,
      faults,
    });
  }

  private async *backfill(
    generator: Generator,
    fromMs: number,
    toMs: number,
    intervalMs: number,
  ): AsyncGenerator<Chunk> {
    let lines: string[] = [];
    for (let timeMs = fromMs; timeMs < toMs; timeMs += intervalMs) {
      for (const record of generator.at(timeMs)) lines.push(JSON.stringify(record));
      if (lines.length < RECORDS_PER_CHUNK) continue;
      yield chunkOf(lines);
      lines = [];
      // Other work of the process must get its turn between chunks.
      await new Promise((resolve) => setImmediate(resolve));
    }
    if (lines.length > 0) yield chunkOf(lines);
  }

  private async *live(
    generator: Generator,
    startMs: number,
    intervalMs: number,
    signal: AbortSignal,
  ): AsyncGenerator<Chunk> {
    const { clock } = this.options;
    for (let timeMs = startMs; !signal.aborted; timeMs += intervalMs) {
      const behindMs = clock.nowMs() - timeMs;
      if (behindMs > MAX_CATCH_UP_MS) timeMs += this.skip(Math.floor(behindMs / intervalMs)) * intervalMs;
      // A wall clock that was set back must not make us silent for as long as it went back.
      else if (behindMs < -2 * intervalMs - 1000) timeMs = Math.ceil(clock.nowMs() / intervalMs) * intervalMs;
      await clock.sleep(Math.max(0, timeMs - clock.nowMs()), signal);
      if (signal.aborted) return;
      yield chunkOf(generator.at(timeMs).map((record) => JSON.stringify(record)));
    }
  }

  private skip(moments: number): number {
    this.options.counters.add('generator_skipped_moments', moments);
    this.options.log.warn({ moments }, 'the generator fell behind and goes on from now');
    return moments;
  }
}

function chunkOf(lines: readonly string[]): Chunk {
  return { bytes: Buffer.from(`${lines.join('\n')}\n`), emit: true, position: null };
}
