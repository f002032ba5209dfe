/**
 * What `tap` and `top` show: lines and scored windows as they come. By default from the configured sources themselves,
 * read a second time from now on and scored with the agent's stored forests: no running agent, broker or collector is
 * needed, nothing is published or kept. Or, with a broker, what a running agent publishes, without its raw lines.
 */

import { join } from 'node:path';
import { type ScoredWindow, scoreBatchSchema, topics } from '@lineheron/models';
import mqtt from 'mqtt';
import { systemClock } from '../clock.js';
import { DesiredState } from '../command/desired.js';
import type { Config } from '../config.js';
import type { SourceConfig } from '../config-source.js';
import { Counters } from '../counters.js';
import { EXIT, ExitError } from '../exit-code.js';
import { type Log, messageOf } from '../log.js';
import { mqttLogin } from '../mqtt-login.js';
import { addFormat, buildEngineKept, buildForests, detectionSettings, engineSettings } from '../parts.js';
import { unmeasured } from '../reply.js';
import { arrivalClock } from '../score/device-clock.js';
import { Scoring } from '../score/scoring.js';
import { createSource, deviceOfNameless } from '../source/feeds.js';

export interface Viewer {
  line(text: string): void;
  window(window: ScoredWindow): void;
  note(text: string): void;
}

/** Ids are not shown here. */
const BOOT = '0000000000000000';
const CONNECT_TIMEOUT_MS = 5_000;
const MAX_SHOWN_LINE = 4_096;

/** Shows until the signal is aborted or every source has ended. Throws ExitError when nothing can be shown. */
export type Feed = (viewer: Viewer, signal: AbortSignal) => Promise<void>;

/** How often it is looked whether a device fell silent. */
const SWEEP_EVERY_MS = 500;

/** Scores as the agent of this data folder does: with its forests, what it knows of the devices, and what is desired of it. */
async function scoringLikeAgent(config: Config, viewer: Viewer, log: Log): Promise<Scoring> {
  const clock = systemClock;
  const desired = new DesiredState({ path: join(config.data_dir, 'desired.json'), log, onChange: () => {} });
  await desired.start();
  const scoring = new Scoring({
    engine: engineSettings(config),
    // Who looks wants opinions, whether the agent may alert or not.
    detection: { ...detectionSettings(config, desired.settled), detecting: true },
    ...{ agent: config.agent_id, boot: BOOT },
    maintenance: () => config.maintenance,
    clock: arrivalClock(
      () => clock.monotonicMs(),
      () => true,
    ),
    nowMs: () => clock.nowMs(),
    onWindow: () => {},
    publishes: false,
    onScored: ({ wire }) => viewer.window(wire),
    onEngineError: (error) => viewer.note(messageOf(error)),
  });
  const forests = buildForests(config, scoring, clock, log);
  await forests.start();
  if (forests.models.length === 0)
    viewer.note(`no trained forest in ${config.data_dir} yet: only the adaptive baseline judges`);
  const around = { clock, log, counters: new Counters() };
  for (const kept of buildEngineKept(config.data_dir, scoring.engine, around)) await kept.start();
  return scoring;
}

/** From now on, whatever an agent has kept: its position is its own. */
const fromNow = (source: SourceConfig): SourceConfig =>
  source.type === 'tail' ? { ...source, from: 'end' } : source;

function quietLog(viewer: Viewer): Log {
  const say = (first: unknown, message?: string) => {
    const error = (first as { error?: string } | null)?.error;
    viewer.note(typeof first === 'string' ? first : `${message ?? ''}${error ? `: ${error}` : ''}`);
  };
  return { debug: () => {}, info: () => {}, warn: say as Log['warn'], error: say as Log['error'] };
}

/** Reads the configured sources itself. */
export function sourceFeed(config: Config): Feed {
  return async (viewer, signal) => {
    const log = quietLog(viewer);
    const { engine, pipeline } = await scoringLikeAgent(config, viewer, log);
    const sweeps = setInterval(() => pipeline.sweep(), SWEEP_EVERY_MS);
    const context = {
      windowSeconds: config.window_size_seconds,
      saved: undefined,
      trained: true,
      brokerRoundTrip: async () => unmeasured('no_broker'),
      clock: systemClock,
      random: Math.random,
      log,
      counters: new Counters(),
    };
    const follow = async (source: SourceConfig) => {
      const format = addFormat(engine, source);
      const own = deviceOfNameless(source, config.agent_id);
      for await (const { bytes, emit, device = own } of createSource(fromNow(source), context).chunks(
        signal,
      )) {
        for (const line of Buffer.from(bytes).toString('utf8').split('\n')) {
          if (line !== '') viewer.line(line.slice(0, MAX_SHOWN_LINE));
        }
        pipeline.push({ bytes, emit, format, device, position: null });
        pipeline.take();
      }
    };
    const ended = await Promise.allSettled(config.sources.map(follow));
    clearInterval(sweeps);
    const failed = ended.find((one) => one.status === 'rejected');
    if (failed && !signal.aborted) throw new ExitError(EXIT.failed, messageOf(failed.reason));
  };
}

/** Listens to what a running agent publishes. */
export function brokerFeed(config: Config): Feed {
  const { url } = config.mqtt;
  return async (viewer, signal) => {
    const client = await mqtt
      .connectAsync(
        url,
        {
          protocolVersion: 4,
          connectTimeout: CONNECT_TIMEOUT_MS,
          clientId: `lineheron-tap-${config.agent_id}-${process.pid}`,
          ...mqttLogin(config),
        },
        false,
      )
      .catch((error) => {
        throw new ExitError(
          EXIT.unavailable,
          `${url}: ${messageOf(error) || (error as { code?: string }).code}`,
        );
      });
    client.on('error', (error) => viewer.note(messageOf(error)));
    client.on('message', (_topic, payload) => showBatch(payload, viewer));
    client.on('close', () => signal.aborted || viewer.note('the connection is lost: trying again'));
    await client.subscribeAsync(topics.score(config.agent_id), { qos: 0 });
    await new Promise<void>((resolve) => {
      if (signal.aborted) resolve();
      signal.addEventListener('abort', () => resolve(), { once: true });
    });
    client.end(true);
  };
}

function showBatch(payload: Buffer, viewer: Viewer): void {
  const batch = scoreBatchSchema.safeParse(parsed(payload));
  if (!batch.success) {
    viewer.note('a message of another shape was left out');
    return;
  }
  for (const record of batch.data.records) viewer.line(JSON.stringify(record));
  for (const window of batch.data.windows) viewer.window(window);
}

function parsed(payload: Buffer): unknown {
  try {
    return JSON.parse(payload.toString('utf8'));
  } catch {
    return undefined;
  }
}
