/** The source `generate`: paces the generator. First the back-fill, as fast as it is taken; then real time. */
import { anomalyProbability, deviceIdSchema } from '@lineheron/models';
import { z } from 'zod';
import type { Clock } from '../clock.js';
import type { Counters } from '../counters.js';
import type { Log } from '../log.js';
import { FAULT_TYPES, Generator, type ScheduledFault } from './generator.js';
import { type Chunk, commonKeys, type Phase, type Source, sourceKind } from './source.js';

const RECORDS_PER_CHUNK = 400;
/** A machine that slept longer than this goes on from now instead of writing what it slept through. */
const MAX_CATCH_UP_MS = 60_000;

const DEFAULT_DEVICES = { episodes: 4, independent: 10, none: 4 } as const;

const strength = z.number().gt(0).max(10).default(1);

const faultSchema = z.strictObject({
  device_id: deviceIdSchema,
  type: z.enum(FAULT_TYPES),
  /** Seconds after the first live record; back-filled time does not count. */
  start_s: z.number().min(0),
  duration_s: z.number().gt(0).max(86_400),
  strength,
});

const deviceNamesSchema = z
  .array(deviceIdSchema)
  .min(1)
  .max(10_000)
  .refine((names) => new Set(names).size === names.length, 'names must differ');

const generateSchema = z
  .strictObject({
    type: z.literal('generate'),
    ...commonKeys,
    /** Names, or how many; when absent 4, with `independent` 10. */
    devices: z.union([z.int().min(1).max(10_000), deviceNamesSchema]).optional(),
    seed: z.int().min(0).max(Number.MAX_SAFE_INTEGER).default(1),
    /** `independent`: one record per interval over all devices together, each anomalous by itself. */
    anomalies: z.enum(['episodes', 'independent', 'none']).default('episodes'),
    anomaly_probability: anomalyProbability,
    strength,
    /** When given, these happen and no random ones. */
    faults: z.array(faultSchema).max(1000).optional(),
    interval_seconds: z.number().min(0.01).max(3600).default(1),
    /** Event time written at once at the first start, while no forest is trained yet. */
    backfill_minutes: z
      .number()
      .min(0)
      .max(7 * 24 * 60)
      .default(0),
    /** False: writes the back-fill and ends. */
    realtime: z.boolean().default(true),
  })
  .superRefine((source, context) => {
    const names = new Set(source.faults ? deviceNames(source) : []);
    source.faults?.forEach((fault, index) => {
      if (names.has(fault.device_id)) return;
      const path = ['faults', index, 'device_id'];
      context.addIssue({ code: 'custom', path, message: 'is no device of this source' });
    });
  });
export type GenerateConfig = z.infer<typeof generateSchema>;

/** The names meant by `devices`. */
export function deviceNames({
  devices,
  anomalies,
}: {
  devices?: number | string[] | undefined;
  anomalies: keyof typeof DEFAULT_DEVICES;
}): string[] {
  const wanted = devices ?? DEFAULT_DEVICES[anomalies];
  if (typeof wanted !== 'number') return wanted;
  const digits = Math.max(2, String(wanted).length);
  return Array.from({ length: wanted }, (_, index) => `line-${String(index + 1).padStart(digits, '0')}`);
}

export interface GenerateOptions {
  config: GenerateConfig;
  /** Whether to write the back-fill: only an agent without a trained forest needs it. */
  backfill: boolean;
  clock: Clock;
  log: Log;
  counters: Counters;
}

export class GenerateSource implements Source {
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

export const generate = sourceKind({
  schema: generateSchema,
  canWait: false,
  create: (config, { trained, clock, log, counters }) =>
    new GenerateSource({ config, backfill: !trained, clock, log, counters }),
});

function chunkOf(lines: readonly string[]): Chunk {
  return { bytes: Buffer.from(`${lines.join('\n')}\n`), emit: true, position: null };
}
