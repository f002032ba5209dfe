/** The agent's parts that need nothing but the configuration and each other, each made in one place. */
import { join } from 'node:path';
import { HISTORY_WINDOWS, type Scope } from '@lineheron/models';
import { Kept, type KeptOptions, ModelStore, ProfileFiles } from '@lineheron/models/persist';
import { type Engine, Redactor } from '@lineheron/native';
import type { Clock } from './clock.js';
import type { Settled } from './command/desired.js';
import type { Config } from './config.js';
import { ConfigError } from './config-error.js';
import { formatDefinition, machineZone } from './config-format.js';
import { type SourceConfig, sourceName } from './config-source.js';
import type { Counters } from './counters.js';
import { FlightRecorder } from './flight-recorder/recorder.js';
import { type Log, messageOf } from './log.js';
import { propose } from './proposal/propose.js';
import { remedyFor } from './proposal/remedy.js';
import { RefusalWatch, type RefusalWatchOptions } from './refusal-watch.js';
import { ForestCandidates, type ForestCandidatesOptions } from './score/forest-candidates.js';
import type { ForestDrift } from './score/forest-drift.js';
import { Forests } from './score/forests.js';
import { History } from './score/history.js';
import {
  DEFAULT_HOP_SECONDS,
  type DetectionSettings,
  type EngineSettings,
  newEngine,
  type Scoring,
} from './score/scoring.js';
import { anyCanWait } from './source/feeds.js';
import { Spool } from './spool/spool.js';

/** What the configuration says of the engine. */
export function engineSettings(config: Config): EngineSettings {
  const { window_size_seconds, channels, publish_records } = config;
  return {
    ...{ windowSeconds: window_size_seconds, channels },
    ...{ publishRecords: publish_records, hopSeconds: DEFAULT_HOP_SECONDS },
  };
}

/** An engine that only reads lines, as the agent's would. */
export function buildEngine(config: Config): Engine {
  return newEngine(engineSettings(config));
}

/** What is desired, else configured, of detection. */
export function detectionSettings(config: Config, settled: Settled): DetectionSettings {
  const { detecting, active_model: activeModel, budget = config.budget_per_device_per_day } = settled;
  return { detecting, activeModel, budget, threshold: null };
}

/** The engine's number of the format that is always there. */
export const CANONICAL = 0;

/** How the engine is to read this source's lines, by its number. Throws ConfigError when it refuses the format. */
export function addFormat(engine: Engine, source: SourceConfig): number {
  const format = 'format' in source ? source.format : undefined;
  if (format === undefined || format === 'canonical') return CANONICAL;
  try {
    return engine.addFormat(formatDefinition(format, machineZone()));
  } catch (error) {
    throw new ConfigError(`the format of the source ${sourceName(source)}: ${messageOf(error)}`);
  }
}

/** Where a source can wait for room, nothing that it read is dropped. */
export function whenFull({ spool, sources }: Config): 'wait' | 'thin' {
  return spool.when_full ?? (anyCanWait(sources) ? 'wait' : 'thin');
}

export function buildSpool(config: Config, log: Log, counters: Counters): Spool {
  return new Spool({
    folder: join(config.data_dir, 'spool'),
    maxBytes: config.spool.max_bytes,
    segmentBytes: config.spool.segment_bytes,
    whenFull: whenFull(config),
    log,
    counters,
  });
}

/** Takes out of raw text what may not stand in a log or leave. */
export function buildRedactor({ flight_recorder }: Config): Redactor {
  return new Redactor(flight_recorder.redact.map((rule) => ({ ...rule })));
}

export function buildRefusalWatch(
  config: Config,
  engine: Engine,
  parts: Pick<RefusalWatchOptions, 'clock' | 'log' | 'onChange'>,
): RefusalWatch {
  const redactor = buildRedactor(config);
  return new RefusalWatch({
    ...parts,
    counters: () => engine.counters(),
    samples: () => engine.refusedSample(),
    redact: (line) => redactor.redact(line).text,
    remedy: ({ config: source }, lines, code) => {
      const format = (source && 'format' in source && source.format) || 'canonical';
      const { channels } = config;
      const around = { nowMs: parts.clock.nowMs(), zone: machineZone(), channels };
      return remedyFor(code, propose(lines, around), format);
    },
  });
}

export function buildFlightRecorder(
  config: Config,
  clock: Clock,
  log: Log,
  counters: Counters,
): FlightRecorder | null {
  const { enabled, max_bytes, share } = config.flight_recorder;
  if (!enabled) return null;
  const redactor = buildRedactor(config);
  const folder = join(config.data_dir, 'flight-recorder');
  return new FlightRecorder({ folder, maxBytes: max_bytes, share, redactor, clock, log, counters });
}

export function buildForests(config: Config, scoring: Scoring, clock: Clock, log: Log): Forests {
  const folder = join(config.data_dir, 'models');
  const store = new ModelStore(folder, (message) => log.error({ message }, 'a stored model was passed over'));
  return new Forests({
    scoring,
    store,
    profiles: new ProfileFiles(folder),
    agent: config.agent_id,
    contamination: config.contamination,
    seed: config.seed,
    nowMs: () => clock.nowMs(),
    monotonicMs: () => clock.monotonicMs(),
    log,
  });
}

/** Retrained forests are kept in a folder of their own beside those in use. */
export function buildForestCandidates(
  config: Config,
  log: Log,
  parts: Omit<ForestCandidatesOptions, 'store' | 'profiles' | 'log'>,
): ForestCandidates {
  const folder = join(config.data_dir, 'models', 'candidates');
  const store = new ModelStore(folder, (message) => log.error({ message }, 'a candidate was passed over'));
  return new ForestCandidates({ ...parts, store, profiles: new ProfileFiles(folder), log });
}

const KEEP_EVERY_MS = 60_000;

type KeptParts = Pick<KeptOptions, 'what' | 'save' | 'load'>;
type KeptAround = { clock: Pick<Clock, 'monotonicMs'>; log: Log; counters: Counters };

function keptIn(folder: string, { clock, log, counters }: KeptAround) {
  return (file: string, errors: string, part: KeptParts) =>
    new Kept({
      ...part,
      path: join(folder, file),
      everyMs: KEEP_EVERY_MS,
      monotonicMs: () => clock.monotonicMs(),
      log,
      onWriteError: () => counters.add(errors),
    });
}

/** What the engine has learnt of the devices, each in a file of its own. */
export function buildEngineKept(folder: string, engine: Engine, around: KeptAround): Kept[] {
  const kept = keptIn(folder, around);
  return [
    kept('baselines.bin', 'baseline_write_errors', {
      what: 'the baselines',
      save: () => engine.saveBaselines(),
      load: (bytes) => ({ known: engine.loadBaselines(bytes), anew: 0 }),
    }),
    kept('own-tails.bin', 'own_tail_write_errors', {
      what: "the devices' own thresholds",
      save: () => engine.saveOwnTails(),
      load: (bytes) => ({ known: engine.loadOwnTails(bytes), anew: 0 }),
    }),
  ];
}

/** What is learnt of the devices and the forests while running. */
export function buildKept(
  folder: string,
  { engine, drift }: { engine: Engine; drift: ForestDrift },
  around: KeptAround,
): Kept[] {
  const drifts = keptIn(folder, around)('drift.json', 'drift_write_errors', {
    what: 'the drift meters',
    save: () => drift.save(),
    load: (bytes) => drift.load(bytes),
  });
  return [...buildEngineKept(folder, engine, around), drifts];
}

export function buildHistories(config: Config, engine: Engine): Record<Scope, History> {
  const { fingerprint, features } = engine;
  const history = (scope: Scope) =>
    new History({
      path: join(config.data_dir, `history.${scope}.bin`),
      fingerprint,
      columns: features.length,
      rows: HISTORY_WINDOWS,
    });
  return { device: history('device'), gateway: history('gateway') };
}
