/**
 * The source `probe`: round trips to the targets that the configuration names, and to nothing else. Each target is a
 * device; once an interval, at a moment of its own, it is asked a few times, which gives latency and loss.
 *
 * ICMP needs the program `ping`, which has the permission for it where the system gives one; what is missing is told
 * once a target.
 */
import { deviceIdSchema } from '@lineheron/models';
import { z } from 'zod';
import type { Clock } from '../clock.js';
import type { Counters } from '../counters.js';
import type { Log } from '../log.js';
import { asker, type Reply } from './probe-target.js';
import { type Chunk, commonKeys, type Phase, type Source, sourceKind } from './source.js';

/** Of an interval, either way. */
const JITTER = 0.1;
const MAX_TARGETS = 64;

const SERVER = /^(\[[0-9a-fA-F:.]+\]|[^\s:[\]]{1,253})(:\d{1,5})?$/;
const NAME = /^(?=.{1,253}$)([A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?\.?)+$/;
const target = { name: deviceIdSchema };

const targetSchema = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('tcp'),
    ...target,
    address: z.string().regex(/^(\[[0-9a-fA-F:.]+\]|[^\s:[\]]+):\d{1,5}$/, 'must be host:port'),
  }),
  z.strictObject({ type: z.literal('http'), ...target, url: z.url({ protocol: /^https?$/ }) }),
  z.strictObject({
    type: z.literal('dns'),
    ...target,
    /** Address of a name server, with its port when it is not 53. */
    server: z.string().regex(SERVER, 'must be an address, or address:port'),
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
}

export class ProbeSource implements Source {
  readonly phase: Phase = 'live';
  private ready: Buffer[] = [];
  private wake: () => void = () => {};

  constructor(private readonly options: ProbeOptions) {}

  get detail(): string {
    const names = this.options.config.targets.map(({ name, type }) => `${name} (${type})`);
    return `round trips to ${names.join(', ')}`.slice(0, 512);
  }

  async *chunks(signal: AbortSignal): AsyncGenerator<Chunk> {
    const running = this.options.config.targets.map((_, index) => this.run(index, signal));
    const wake = () => this.wake();
    signal.addEventListener('abort', wake, { once: true });
    while (!signal.aborted) {
      const lines = this.ready;
      this.ready = [];
      if (lines.length > 0) yield { bytes: Buffer.concat(lines), emit: true, position: null };
      else await new Promise<void>((resolve) => this.sleepUntilWoken(resolve, signal));
    }
    await Promise.all(running);
  }

  private sleepUntilWoken(resolve: () => void, signal: AbortSignal): void {
    this.wake = resolve;
    if (signal.aborted) resolve();
  }

  private async run(index: number, signal: AbortSignal): Promise<void> {
    const { config, clock, random } = this.options;
    const { name, ...target } = config.targets[index]!;
    const ask = asker(target, { clock, random });
    const intervalMs = config.interval_seconds * 1000;
    // Targets are spread over the interval, and drift against each other and against other gateways.
    let dueMs = clock.monotonicMs() + random() * intervalMs;
    let told: string | null = null;
    while (!signal.aborted) {
      await clock.sleep(Math.max(0, dueMs - clock.monotonicMs()), signal);
      if (signal.aborted) return;
      const timeMs = clock.nowMs();
      const replies: Reply[] = [];
      for (let sample = 0; sample < config.samples && !signal.aborted; sample++) {
        replies.push(await orAborted(ask(config.timeout_seconds * 1000), signal));
      }
      if (signal.aborted) return;
      told = this.tell(name, replies, told);
      this.ready.push(lineOf(name, timeMs, replies));
      this.wake();
      dueMs = Math.max(dueMs + intervalMs * (1 + JITTER * (2 * random() - 1)), clock.monotonicMs());
    }
  }

  /** What only a person can mend is told when it begins, not every interval. */
  private tell(name: string, replies: readonly Reply[], told: string | null): string | null {
    const { log, counters } = this.options;
    const faults = replies.map(({ error }) => error).filter((error) => error !== null);
    counters.add('probe_failures', replies.filter(({ latencyMs }) => latencyMs === null).length);
    const [fault] = faults.filter((one) => Object.hasOwn(ADVICE, one));
    if (fault && fault !== told)
      log.warn({ target: name, advice: ADVICE[fault] }, 'this target cannot be probed');
    return fault ?? null;
  }
}

const ADVICE: Readonly<Record<string, string>> = {
  no_ping_program: 'there is no program ping: install it (iputils-ping), or probe by tcp',
  not_permitted:
    'ping may not send: give it the capability net_raw or set net.ipv4.ping_group_range, or probe by tcp',
  unknown_host: 'the name is not known',
};

function lineOf(name: string, timeMs: number, replies: readonly Reply[]): Buffer {
  const known = replies.map(({ latencyMs }) => latencyMs).filter((latencyMs) => latencyMs !== null);
  const error = replies.find((reply) => reply.error !== null)?.error;
  const meanMs = known.reduce((sum, latencyMs) => sum + latencyMs, 0) / known.length;
  const record = {
    timestamp: new Date(timeMs).toISOString(),
    device_id: name,
    packet_loss_pct: Math.round((1e4 * (replies.length - known.length)) / replies.length) / 100,
    ...(known.length > 0 ? { latency_ms: Math.round(meanMs * 1e3) / 1e3 } : {}),
    ...(error ? { error_code: /^\d+$/.test(error) ? Number(error) : error } : {}),
  };
  return Buffer.from(`${JSON.stringify(record)}\n`);
}

/** The end of the agent waits for no answer. */
function orAborted(awaited: Promise<Reply>, signal: AbortSignal): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const abort = () => resolve({ latencyMs: null, error: 'stopped' });
    signal.addEventListener('abort', abort, { once: true });
    awaited.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}

export const probe = sourceKind({
  schema: probeSchema,
  canWait: false,
  create: (config, { clock, random, log, counters }) =>
    new ProbeSource({ config, clock, random, log, counters }),
});
