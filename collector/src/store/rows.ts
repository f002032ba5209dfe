/** How windows become rows of the SQLite store and rows become windows again. Pure. */
import { type WindowView, windowId } from '@lineheron/models';
import type { StoredWindow } from './store.js';

export interface WindowRow {
  agent: string;
  boot: string;
  sequence: number;
  idx: number;
  device: string;
  scope: WindowView['scope'];
  fingerprint: string;
  end_ms: number;
  received_ms: number;
  state: WindowView['state'];
  records: number;
  latency_ms: number | null;
  packet_loss_pct: number | null;
  traffic_volume_mb: number | null;
  forest_score: number | null;
  forest_threshold: number | null;
  forest_suspect: number;
  baseline_nats: number | null;
  baseline_threshold: number | null;
  baseline_suspect: number;
  baseline_strangeness: number | null;
  autoencoder_score: number | null;
  autoencoder_threshold: number | null;
  autoencoder_suspect: number;
  anomalous: number;
  alert: string | null;
  reasons: string | null;
  is_anomaly: number | null;
  anomaly_type: string | null;
  historical: number;
  features: Buffer;
}

export const WINDOW_COLUMNS = [
  'agent',
  'boot',
  'sequence',
  'idx',
  'device',
  'scope',
  'fingerprint',
  'end_ms',
  'received_ms',
  'state',
  'records',
  'latency_ms',
  'packet_loss_pct',
  'traffic_volume_mb',
  'forest_score',
  'forest_threshold',
  'forest_suspect',
  'baseline_nats',
  'baseline_threshold',
  'baseline_suspect',
  'baseline_strangeness',
  'autoencoder_score',
  'autoencoder_threshold',
  'autoencoder_suspect',
  'anomalous',
  'alert',
  'reasons',
  'is_anomaly',
  'anomaly_type',
  'historical',
  'features',
] as const satisfies ReadonlyArray<keyof WindowRow>;

export function toRow({ boot, sequence, index, fingerprint, features, view }: StoredWindow): WindowRow {
  return {
    agent: view.agent,
    boot,
    sequence,
    idx: index,
    device: view.device,
    scope: view.scope,
    fingerprint,
    end_ms: Date.parse(view.end),
    received_ms: Date.parse(view.received_at),
    state: view.state,
    records: view.records,
    latency_ms: view.latency_ms,
    packet_loss_pct: view.packet_loss_pct,
    traffic_volume_mb: view.traffic_volume_mb,
    forest_score: view.isolation_forest.score,
    forest_threshold: view.isolation_forest.threshold,
    forest_suspect: Number(view.isolation_forest.suspect),
    baseline_nats: view.adaptive_baseline.score,
    baseline_threshold: view.adaptive_baseline.threshold,
    baseline_suspect: Number(view.adaptive_baseline.suspect),
    baseline_strangeness: view.adaptive_baseline.strangeness ?? null,
    autoencoder_score: view.autoencoder.score,
    autoencoder_threshold: view.autoencoder.threshold,
    autoencoder_suspect: Number(view.autoencoder.suspect),
    anomalous: Number(view.anomalous),
    alert: view.alert,
    reasons: view.reasons.length === 0 ? null : JSON.stringify(view.reasons),
    is_anomaly: view.is_anomaly === null ? null : Number(view.is_anomaly),
    anomaly_type: view.anomaly_type,
    historical: Number(view.historical ?? false),
    features: packFeatures(features),
  };
}

export function toView(row: WindowRow): WindowView {
  return {
    id: windowId(row.agent, row.boot, row.sequence, row.idx),
    agent: row.agent,
    device: row.device,
    scope: row.scope,
    end: new Date(row.end_ms).toISOString(),
    received_at: new Date(row.received_ms).toISOString(),
    state: row.state,
    records: row.records,
    latency_ms: row.latency_ms,
    packet_loss_pct: row.packet_loss_pct,
    traffic_volume_mb: row.traffic_volume_mb,
    isolation_forest: {
      score: row.forest_score,
      threshold: row.forest_threshold,
      suspect: row.forest_suspect === 1,
    },
    adaptive_baseline: {
      score: row.baseline_nats,
      threshold: row.baseline_threshold,
      suspect: row.baseline_suspect === 1,
      strangeness: row.baseline_strangeness,
    },
    autoencoder: {
      score: row.autoencoder_score,
      threshold: row.autoencoder_threshold,
      suspect: row.autoencoder_suspect === 1,
    },
    anomalous: row.anomalous === 1,
    alert: row.alert,
    reasons: row.reasons === null ? [] : (JSON.parse(row.reasons) as WindowView['reasons']),
    is_anomaly: row.is_anomaly === null ? null : row.is_anomaly === 1,
    anomaly_type: row.anomaly_type,
    ...(row.historical === 1 ? { historical: true } : {}),
  };
}

/** Little-endian float32, as the autoencoder reads them; a missing one is NaN. */
function packFeatures(features: ReadonlyArray<number | null>): Buffer {
  const packed = Buffer.alloc(features.length * 4);
  features.forEach((value, at) => {
    packed.writeFloatLE(value ?? Number.NaN, at * 4);
  });
  return packed;
}

export function unpackFeatures(packed: Buffer, into: Float32Array, offset: number): void {
  for (let at = 0; at < packed.length / 4; at++) into[offset + at] = packed.readFloatLE(at * 4);
}
