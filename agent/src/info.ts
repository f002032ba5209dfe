/** The agent's retained `info`: what it is, what it reads, which models it uses, what it has counted. Pure. */
import type { AgentInfo, AgentModel, RefusedSource } from '@lineheron/models';
import type { Engine } from '@lineheron/native';
import type { Settled } from './command/desired.js';
import type { Config } from './config.js';
import type { Feeds } from './source/feeds.js';

export interface InfoParts {
  config: Config;
  boot: string;
  version: string;
  startedAt: string;
  source: Pick<Feeds, 'type' | 'detail' | 'phase'>;
  refused: RefusedSource[];
  engine: Engine;
  models: AgentModel[];
  drift: NonNullable<AgentInfo['drift']>;
  candidates: NonNullable<AgentInfo['candidates']>;
  settled: Settled;
  spool: { batches: number; bytes: number };
  counters: Record<string, number>;
}

export function infoMessage(parts: InfoParts): AgentInfo {
  const { config, source, engine, spool } = parts;
  return {
    v: 1,
    agent: config.agent_id,
    boot: parts.boot,
    version: parts.version,
    started_at: parts.startedAt,
    source: {
      type: source.type,
      detail: source.detail.slice(0, 512),
      phase: source.phase,
      ...(parts.refused.length > 0 ? { refused: parts.refused } : {}),
    },
    window_seconds: config.window_size_seconds,
    fingerprint: engine.fingerprint,
    features: engine.features,
    models: parts.models,
    drift: parts.drift,
    candidates: parts.candidates,
    detecting: parts.settled.detecting,
    active_model: parts.settled.active_model,
    labels: { ...config.labels },
    spool: { batches: spool.batches, bytes: spool.bytes },
    counters: { ...engineCounts(engine), ...parts.counters },
  };
}

function engineCounts(engine: Engine): Record<string, number> {
  const counts = engine.counters();
  const refused = Object.entries(counts.refused).map(([reason, count]) => [
    `refused_${reason}`.slice(0, 64),
    count,
  ]);
  const values = Object.entries(counts.refusedValues).map(([reason, count]) => [
    `refused_values_${reason}`.slice(0, 64),
    count,
  ]);
  const late = Object.entries(counts.lateKinds).map(([kind, count]) => [`records_late_${kind}`, count]);
  return {
    lines: counts.lines,
    records: counts.records,
    lines_too_long: counts.tooLong,
    records_late: counts.late,
    records_ahead: counts.ahead,
    clock_resets: counts.clockResets,
    window_overflow: counts.windowOverflow,
    devices: counts.devices,
    devices_evicted: counts.evictedDevices,
    records_at_line_before: counts.timeOfLineBefore,
    ...Object.fromEntries([...refused, ...values, ...late]),
  };
}
