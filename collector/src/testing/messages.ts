/** Well-formed messages of an imaginary agent, for tests. */
import type { AgentInfo, ScoreBatch, ScoredWindow } from '@lineheron/models';
import { DEFAULT_FEATURES } from '@lineheron/models';

export const BOOT = 'aaaaaaaaaaaaaaaa';
export const FINGERPRINT = '0123456789abcdef';
export const START_MS = Date.UTC(2026, 0, 1);

/** Time `seconds` after the tests' beginning of event time. */
export const at = (seconds: number): string => new Date(START_MS + seconds * 1000).toISOString();

/** Nineteen plausible features; `level` shifts them all. */
export function makeFeatures(level = 1, wobble = 0): Array<number | null> {
  return DEFAULT_FEATURES.map((_, index) =>
    index === 18 ? null : level * (index + 1) + Math.sin(wobble + index),
  );
}

export function makeWindow(changes: Partial<ScoredWindow> = {}): ScoredWindow {
  return {
    scope: 'device',
    device: 'modem-1',
    end: at(0),
    records: 30,
    state: 'scored',
    score: 0.4,
    threshold: 0.6,
    suspect: false,
    features: makeFeatures(),
    reasons: [],
    episode: null,
    ...changes,
  };
}

export function makeBatch(changes: Partial<ScoreBatch> = {}): ScoreBatch {
  return {
    v: 1,
    agent: 'gw-1',
    boot: BOOT,
    sequence: 1,
    created_at: at(0),
    fingerprint: FINGERPRINT,
    windows: [makeWindow()],
    records: [],
    ...changes,
  };
}

export function makeInfo(changes: Partial<AgentInfo> = {}): AgentInfo {
  return {
    v: 1,
    agent: 'gw-1',
    boot: BOOT,
    version: '0.1.0',
    started_at: at(0),
    source: { type: 'generate', detail: '1 device', phase: 'live' },
    window_seconds: 30,
    fingerprint: FINGERPRINT,
    features: [...DEFAULT_FEATURES],
    models: [],
    detecting: true,
    active_model: 'ensemble',
    labels: {},
    spool: { batches: 0, bytes: 0 },
    counters: {},
    ...changes,
  };
}
