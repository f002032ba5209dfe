/** How windows become rows of a slice and rows become windows again. Pure. */
import { type WindowView, windowId } from '@lineheron/models';
import { VALUE_COLUMNS } from './commit-rows.js';

/** A window's row with what `batches_<n>` and `lines_<n>` know of it. */
export interface WindowRow {
  id: number;
  agent: string;
  boot: string;
  sequence: number;
  idx: number;
  device: string;
  scope: WindowView['scope'];
  received_ms: number;
  anomalous: number;
  end_ms: number;
  state: WindowView['state'];
  records: number;
  latency_ms: number | null;
  packet_loss_pct: number | null;
  traffic_volume_mb: number | null;
  forest_score: number | null;
  forest_threshold: number | null;
  forest_suspect: number;
  baseline_score: number | null;
  baseline_threshold: number | null;
  baseline_suspect: number;
  baseline_strangeness: number | null;
  autoencoder_score: number | null;
  autoencoder_threshold: number | null;
  autoencoder_suspect: number;
  alert: string | null;
  reasons: string | null;
  is_anomaly: number | null;
  anomaly_type: string | null;
  historical: number;
}

export interface LineNumbers {
  line: number;
  device: number;
  agent: number;
}

/** The order of a row's values. */
export const WINDOW_COLUMNS = `id, batch, idx, line, device, agent, scope, ${VALUE_COLUMNS}, features`;

/** What `toView` reads, of windows `w`, batches `b` and lines `l`. */
export const VIEW_COLUMNS = [
  'b.agent, b.boot, b.sequence, b.received_ms, l.device, l.scope',
  ...WINDOW_COLUMNS.split(', ')
    .filter((name) => !['batch', 'line', 'device', 'agent', 'scope', 'features'].includes(name))
    .map((name) => `w.${name}`),
].join(', ');

export const scopeNumber = (scope: WindowView['scope']): number => (scope === 'gateway' ? 1 : 0);

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
      score: row.baseline_score,
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

export function unpackFeatures(packed: Buffer, into: Float32Array, offset: number): void {
  for (let at = 0; at < packed.length / 4; at++) into[offset + at] = packed.readFloatLE(at * 4);
}
