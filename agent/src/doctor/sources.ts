/**
 * Whether the configured sources can be read, and whether a sample of their lines is understood. Sources are opened
 * as the agent opens them, but from nowhere kept and to nowhere kept; listeners listen for a moment, and what measures
 * at intervals does not wait for one.
 */
import { constants } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import type { Engine } from '@lineheron/native';
import { systemClock } from '../clock.js';
import { type SourceConfig, sourceName } from '../config-source.js';
import { Counters } from '../counters.js';
import { type Log, messageOf } from '../log.js';
import { createSource } from '../source/feeds.js';
import { isPattern } from '../source/glob.js';
import type { Chunk } from '../source/source.js';
import { bad, type Finding, good, note } from './finding.js';

const SAMPLE_MS = 3_000;
const FAR_MS = 1e12;
const MAX_AHEAD_MS = 5 * 60_000;

export interface SampleOptions {
  windowSeconds: number;
  /** An engine that has seen nothing, and its number of the source's format. */
  makeEngine: (source: SourceConfig) => { engine: Engine; format: number };
  nowMs: number;
}

/** A named file; one that is not there yet is waited for by the agent. */
async function checkPath(path: string): Promise<Finding | null> {
  try {
    const stats = await stat(path);
    if (stats.isDirectory())
      return bad(`${path} is a folder`, `name the files in it, such as ${path.replace(/\/$/, '')}/*.log`);
    if (!stats.isFile()) return bad(`${path} is no regular file`, 'tail reads regular files only');
    await access(path, constants.R_OK);
    return null;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return note(`${path} is not there (yet): the agent waits for it`);
    const group =
      'let this user read it, for example by the group adm, or by an ACL: setfacl -m u:lineheron:r';
    return bad(`${path} cannot be read: ${messageOf(error)}`, group);
  }
}

interface Sample {
  chunk: Chunk | null;
  said: string[];
  waitedMs: number;
}

/** As the agent opens it, but from the start of a file, and what measures once an interval does so within a second. */
function opened(config: SourceConfig): SourceConfig {
  if (config.type === 'tail') return { ...config, from: 'start' };
  if (!('interval_seconds' in config)) return config;
  return { ...config, interval_seconds: Math.min(1, config.interval_seconds) };
}

/** What a probe waits for answers that do not come has to be waited for too. */
function patienceMs(config: SourceConfig): number {
  return SAMPLE_MS + (config.type === 'probe' ? config.samples * config.timeout_seconds * 1000 : 0);
}

/** The first lines that a source gives within a few seconds. */
async function sample(config: SourceConfig, windowSeconds: number): Promise<Sample> {
  const said: string[] = [];
  const say = (...args: unknown[]) => {
    const [first, message] = args;
    const error = (first as { error?: string } | null)?.error;
    said.push(typeof first === 'string' ? first : `${String(message)}${error ? `: ${error}` : ''}`);
  };
  const log: Log = { debug: () => {}, info: () => {}, warn: say, error: say };
  const waitedMs = patienceMs(config);
  const source = createSource(opened(config), {
    windowSeconds,
    saved: undefined,
    trained: true,
    brokerRoundTrip: async () => null,
    clock: systemClock,
    random: Math.random,
    log,
    counters: new Counters(),
  });
  const abort = AbortSignal.timeout(waitedMs);
  for await (const chunk of source.chunks(abort))
    if (chunk.bytes.length > 0) return { chunk, said, waitedMs };
  return { chunk: null, said, waitedMs };
}

function judged(
  name: string,
  { chunk, said, waitedMs }: Sample,
  config: SourceConfig,
  options: SampleOptions,
): Finding {
  if (!chunk) {
    if (said[0] !== undefined) return bad(`source ${name}: ${said[0]}`, 'mend what it says');
    return note(`source ${name}: no line within ${waitedMs / 1000} s to try`);
  }
  const { engine, format } = options.makeEngine(config);
  // Received much later than any line says, so that a clock that is ahead shows; a line without a time shows nothing.
  const receivedMs = format === 0 ? options.nowMs + FAR_MS : options.nowMs;
  const { newestMs } = engine.push(chunk.bytes, receivedMs, false);
  const { records, lines, refused } = engine.counters();
  if (records === 0) {
    const reasons = Object.entries(refused)
      .filter(([, count]) => count > 0)
      .map(([reason, count]) => `${count} ${reason}`);
    return bad(
      `source ${name}: none of ${lines} lines is understood (${reasons.join(', ')})`,
      'is its format right?',
    );
  }
  if (newestMs !== null && newestMs < options.nowMs + FAR_MS && newestMs - options.nowMs > MAX_AHEAD_MS) {
    const minutes = Math.round((newestMs - options.nowMs) / 60_000);
    return bad(
      `source ${name}: its lines are ${minutes} minutes ahead of this clock`,
      'set the clock of this machine, or of the sender',
    );
  }
  return good(`source ${name}: ${records} of ${lines} lines of a sample are understood`);
}

/** Never rejects. */
export async function checkSource(config: SourceConfig, options: SampleOptions): Promise<Finding[]> {
  const name = sourceName(config);
  const found: Finding[] = [];
  if (config.type === 'tail') {
    for (const path of config.paths.filter((one) => !isPattern(one))) {
      const finding = await checkPath(path);
      if (finding) found.push(finding);
    }
    if (found.length === config.paths.length) return found;
  }
  if ((config.type as string) === 'stdin') return [note('source stdin is not read here')];
  try {
    found.push(judged(name, await sample(config, options.windowSeconds), config, options));
  } catch (error) {
    found.push(bad(`source ${name}: ${messageOf(error)}`, 'mend what it says'));
  }
  return found;
}
