/**
 * The first lines of a source, taken as the agent takes them: the same source, format, device and call into the
 * engine. Only where it begins differs: at the start of a file, whatever was kept, and nothing of it is kept. Listeners
 * listen for a moment, and what measures at intervals does not wait for one.
 */
import type { Engine } from '@lineheron/native';
import { systemClock } from '../clock.js';
import type { Config } from '../config.js';
import type { SourceConfig } from '../config-source.js';
import { Counters } from '../counters.js';
import { type LineChunk, pushLines } from '../engine-lines.js';
import type { Log } from '../log.js';
import { addFormat, buildEngine } from '../parts.js';
import { unmeasured } from '../reply.js';
import { buildFeed } from '../source/feeds.js';

const SAMPLE_MS = 3_000;

export interface Sample {
  engine: Engine;
  /** What the engine was given; null when no line came. */
  lines: LineChunk | null;
  /** Faults that the source told of. */
  said: string[];
  waitedMs: number;
}

/** From the start of a file, and what measures once an interval does so within a second. */
function opened(source: SourceConfig): SourceConfig {
  if (source.type === 'tail') return { ...source, from: 'start' };
  if (!('interval_seconds' in source)) return source;
  return { ...source, interval_seconds: Math.min(1, source.interval_seconds) };
}

/** What a probe waits for answers that do not come has to be waited for too. */
function patienceMs(source: SourceConfig): number {
  return SAMPLE_MS + (source.type === 'probe' ? source.samples * source.timeout_seconds * 1000 : 0);
}

/** Throws when the source cannot be opened, or the engine refuses its format. */
export async function takeSample(config: Config, source: SourceConfig): Promise<Sample> {
  const said: string[] = [];
  const say = (...args: unknown[]) => {
    const [first, message] = args;
    const error = (first as { error?: string } | null)?.error;
    said.push(typeof first === 'string' ? first : `${String(message)}${error ? `: ${error}` : ''}`);
  };
  const log: Log = { debug: () => {}, info: () => {}, warn: say, error: say };
  const waitedMs = patienceMs(source);
  const engine = buildEngine(config);
  const beginning = { position: undefined, refills: true };
  const feed = buildFeed(opened(source), addFormat(engine, source), beginning, {
    windowSeconds: config.window_size_seconds,
    trained: true,
    channels: config.channels.map(({ name }) => name),
    agentId: config.agent_id,
    brokerRoundTrip: async () => unmeasured('no_broker'),
    clock: systemClock,
    random: Math.random,
    log,
    counters: new Counters(),
  });
  for await (const chunk of feed.source.chunks(AbortSignal.timeout(waitedMs))) {
    if (chunk.bytes.length === 0) continue;
    const lines = feed.lines(chunk);
    pushLines(engine, lines, systemClock.nowMs());
    return { engine, lines, said, waitedMs };
  }
  return { engine, lines: null, said, waitedMs };
}
