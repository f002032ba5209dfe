/**
 * The source `probe`: round trips to the targets that the configuration names, and to nothing else. Each target is a
 * device; once an interval, at a moment of its own, it is asked a few times, which gives latency and loss.
 *
 * Loss is the share of what could be measured that no answer came to; a network that says that no way leads there
 * counts as such. What this machine could not even try (no program, no permission, no name server, no socket) is
 * unknown: it is left out, counted and told once, and an interval in which nothing could be measured gives no record.
 */
import { deviceIdSchema } from '@lineheron/models';
import { z } from 'zod';
import type { Clock } from '../clock.js';
import type { Counters } from '../counters.js';
import type { Log } from '../log.js';
import type { Reply } from '../reply.js';
import type { SystemLookup } from './name-lookup.js';
import { asker } from './probe-target.js';
import { HOST_AND_PORT, hasGoodPort, orAborted } from './round-trip.js';
import { type Chunk, commonKeys, type Phase, type Source, sourceKind } from './source.js';
import { UnmeasuredNotice } from './unmeasured.js';

/** Of an interval, either way. */
const JITTER = 0.1;
const MAX_TARGETS = 64;

const SERVER = /^(\[[0-9a-fA-F:.]+\]|[^\s:[\]]{1,253})(:\d{1,5})?$/;
const NAME = /^(?=.{1,253}$)([A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?\.?)+$/;
const BAD_PORT = 'the port must be from 1 to 65535';
const target = { name: deviceIdSchema };

const targetSchema = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('tcp'),
    ...target,
    address: z.string().regex(HOST_AND_PORT, 'must be host:port').refine(hasGoodPort, BAD_PORT),
  }),
  z.strictObject({ type: z.literal('http'), ...target, url: z.url({ protocol: /^https?$/ }) }),
  z.strictObject({
    type: z.literal('dns'),
    ...target,
    /** Address of a name server, with its port when it is not 53. */
    server: z.string().regex(SERVER, 'must be an address, or address:port').refine(hasGoodPort, BAD_PORT),
    query: z.string().regex(NAME, 'must be a host name'),
  }),
  z.strictObject({
    type: z.literal('icmp'),
    ...target,
    address: z.string().regex(/^(?!-)[^\s/@]{1,253}$/, 'must be a host name or address'),
  }),
]);

const probeSchema = z
  .strictObject({
    type: z.literal('probe'),
    ...commonKeys,
    interval_seconds: z.number().min(1).max(3600).default(10),
    timeout_seconds: z.number().min(0.1).max(60).default(2),
    /** Round trips an interval, one after another: loss is the share that came back unanswered. */
    samples: z.int().min(1).max(20).default(3),
    targets: z
      .array(targetSchema)
      .min(1)
      .max(MAX_TARGETS)
      .refine((list) => new Set(list.map(({ name }) => name)).size === list.length, 'names must differ'),
  })
  .refine((config) => config.samples * config.timeout_seconds <= config.interval_seconds, {
    path: ['timeout_seconds'],
    message: 'samples times timeout_seconds must not be longer than interval_seconds',
  });
export type ProbeConfig = z.infer<typeof probeSchema>;

export interface ProbeOptions {
  config: ProbeConfig;
  clock: Clock;
  random: () => number;
  log: Log;
  counters: Counters;
  /** How names are looked up; the system's own way when absent. */
  lookup?: SystemLookup;
}

export class ProbeSource implements Source {
  readonly phase: Phase = 'live';
  private ready: Buffer[] = [];
  private wake: () => void = () => {};
  private readonly notices: UnmeasuredNotice[];

  constructor(private readonly options: ProbeOptions) {
    const { config, log, counters } = options;
    this.notices = config.targets.map(
      ({ name }) => new UnmeasuredNotice(name, 'probe_unmeasured', log, counters),
    );
  }

  get detail(): string {
    const names = this.options.config.targets.map(({ name, type }) => `${name} (${type})`);
    const unmeasured = this.notices.flatMap(({ detail }) => detail ?? []);
    return [...unmeasured, `round trips to ${names.join(', ')}`].join('; ').slice(0, 512);
  }

  async *chunks(signal: AbortSignal): AsyncGenerator<Chunk> {
    const failed = new AbortController();
    const ending = AbortSignal.any([signal, failed.signal]);
    const running = this.options.config.targets.map((_, index) =>
      this.run(index, ending).catch((error) => failed.abort(error)),
    );
    ending.addEventListener('abort', () => this.wake(), { once: true });
    while (!ending.aborted) {
      const lines = this.ready;
      this.ready = [];
      if (lines.length > 0) yield { bytes: Buffer.concat(lines), emit: true, position: null };
      else await new Promise<void>((resolve) => this.sleepUntilWoken(resolve, ending));
    }
    await Promise.all(running);
    if (failed.signal.aborted) throw failed.signal.reason;
  }

  private sleepUntilWoken(resolve: () => void, signal: AbortSignal): void {
    this.wake = resolve;
    if (signal.aborted) resolve();
  }

  private async run(index: number, signal: AbortSignal): Promise<void> {
    const { config, clock, random, lookup } = this.options;
    const { name, ...target } = config.targets[index]!;
    const ask = asker(target, { clock, random, lookup });
    const intervalMs = config.interval_seconds * 1000;
    // Targets are spread over the interval, and drift against each other and against other gateways.
    let dueMs = clock.monotonicMs() + random() * intervalMs;
    while (!signal.aborted) {
      await clock.sleep(Math.max(0, dueMs - clock.monotonicMs()), signal);
      if (signal.aborted) return;
      const timeMs = clock.nowMs();
      const replies: Reply[] = [];
      for (let sample = 0; sample < config.samples && !signal.aborted; sample++) {
        const reply = await orAborted(ask(config.timeout_seconds * 1000), signal);
        if (reply) replies.push(reply);
      }
      if (signal.aborted) return;
      this.take(index, name, timeMs, replies);
      dueMs = Math.max(dueMs + intervalMs * (1 + JITTER * (2 * random() - 1)), clock.monotonicMs());
    }
  }

  private take(index: number, name: string, timeMs: number, replies: readonly Reply[]): void {
    const { counters } = this.options;
    this.notices[index]!.note(replies);
    counters.add('probe_failures', replies.filter(({ kind }) => kind === 'lost').length);
    const line = lineOf(name, timeMs, replies);
    if (!line) return;
    this.ready.push(line);
    this.wake();
  }
}

/** Null when nothing could be measured. */
function lineOf(name: string, timeMs: number, all: readonly Reply[]): Buffer | null {
  const replies = all.filter((reply) => reply.kind !== 'unmeasured');
  if (replies.length === 0) return null;
  const answered = replies.filter((reply) => reply.kind === 'answered');
  const times = answered.flatMap(({ latencyMs }) => latencyMs ?? []);
  const error = replies.find((reply) => reply.error !== null)?.error;
  const meanMs = times.reduce((sum, latencyMs) => sum + latencyMs, 0) / times.length;
  const record = {
    timestamp: new Date(timeMs).toISOString(),
    device_id: name,
    packet_loss_pct: Math.round((1e4 * (replies.length - answered.length)) / replies.length) / 100,
    ...(times.length > 0 ? { latency_ms: Math.round(meanMs * 1e3) / 1e3 } : {}),
    ...(error ? { error_code: /^\d+$/.test(error) ? Number(error) : error } : {}),
  };
  return Buffer.from(`${JSON.stringify(record)}\n`);
}

export const probe = sourceKind({
  schema: probeSchema,
  canWait: false,
  create: (config, { clock, random, log, counters }) =>
    new ProbeSource({ config, clock, random, log, counters }),
});
