/** Rows for a store, for tests. */
import { type Alert, type Training, type WindowView, windowId } from '@lineheron/models';
import { at, BOOT, FINGERPRINT, makeFeatures } from './messages.js';

const HOUR_MS = 3_600_000;

/** What a store may hold, for tests. */
export const LIMITS = { windowsMs: 168 * HOUR_MS, recordsMs: 24 * HOUR_MS, maxBytes: 1e9, maxAlerts: 1000 };

export function makeView(changes: Partial<WindowView> = {}): WindowView {
  return {
    id: windowId('gw-1', BOOT, 1, 0),
    agent: 'gw-1',
    device: 'modem-1',
    scope: 'device',
    end: at(0),
    received_at: at(1),
    state: 'scored',
    records: 30,
    latency_ms: 21.5,
    packet_loss_pct: null,
    traffic_volume_mb: 3,
    isolation_forest: { score: 0.4, threshold: 0.6, suspect: false },
    adaptive_baseline: { score: 1.5, threshold: 13, suspect: false, strangeness: 0.7 },
    autoencoder: { score: null, threshold: null, suspect: false },
    anomalous: false,
    alert: null,
    reasons: [],
    is_anomaly: null,
    anomaly_type: null,
    ...changes,
  };
}

/** A window in the shape that every store takes. */
export function makeStored(sequence: number, changes: Partial<WindowView> = {}, boot = BOOT) {
  const agent = changes.agent ?? 'gw-1';
  const view = makeView({ id: windowId(agent, boot, sequence, 0), ...changes });
  return { boot, sequence, index: 0, fingerprint: FINGERPRINT, features: makeFeatures(sequence), view };
}

export function makeAlert(changes: Partial<Alert> = {}): Alert {
  return {
    id: windowId('gw-1', BOOT, 1, 0),
    agent: 'gw-1',
    device: 'modem-1',
    scope: 'device',
    status: 'open',
    opened_by: 'edge',
    verdict: 'unreviewed',
    severity: 'warning',
    active_model: 'ensemble',
    detectors: ['isolation_forest'],
    opened_at: at(0),
    last_suspect_at: at(0),
    closed_at: null,
    windows: 1,
    isolation_forest: { score: 0.8, threshold: 0.6 },
    autoencoder: null,
    reasons: [],
    summary: 'modem-1 behaves unlike what was seen in training.',
    truth: [],
    ...changes,
  };
}

export function makeTraining(changes: Partial<Training> = {}): Training {
  return {
    id: 'training-1',
    state: 'done',
    requested_at: at(0),
    finished_at: at(60),
    duration_seconds: 60,
    epochs: 50,
    use_history: false,
    progress: 1,
    seconds_left: 0,
    agents: [],
    autoencoders: [],
    message: null,
    ...changes,
  };
}
