/**
 * A commit in the form in which it goes to the thread that writes: rows of plain values, and all features in one block.
 * Windows as objects cost three times as much to copy there, on both sides; their reasons and records are JSON in the
 * store anyway. Pure.
 */
import type { WindowView } from '@lineheron/models';
import type { Commit, StoredWindow } from './store.js';

export type RowValue = number | string | null;

export interface WindowRowValues {
  agent: string;
  boot: string;
  sequence: number;
  index: number;
  device: string;
  scope: WindowView['scope'];
  fingerprint: string;
  /** How many features of the block are its own, after those of the windows before it. */
  columns: number;
  /** In the order of `VALUE_COLUMNS`. */
  values: RowValue[];
}

export interface CommitRows extends Pick<Commit, 'ranges' | 'alerts' | 'totals'> {
  receivedMs: number;
  windows: WindowRowValues[];
  /** 32 bits each, as the autoencoder reads them; a missing one is NaN. */
  features: Float32Array<ArrayBuffer>;
  records: { agent: string; boot: string; sequence: number; body: string }[];
}

export const VALUE_COLUMNS =
  'anomalous, end_ms, state, records, latency_ms, packet_loss_pct, traffic_volume_mb, forest_score, forest_threshold, ' +
  'forest_suspect, baseline_score, baseline_threshold, baseline_suspect, baseline_strangeness, autoencoder_score, ' +
  'autoencoder_threshold, autoencoder_suspect, alert, reasons, is_anomaly, anomaly_type, historical';

export function toCommitRows({ windows, records, ranges, alerts, totals }: Commit): CommitRows {
  const first = windows[0]?.view.received_at;
  return {
    ranges,
    alerts,
    totals,
    receivedMs: first === undefined ? Date.now() : Date.parse(first),
    windows: windows.map(toRow),
    features: featuresOf(windows),
    records: records.map(({ view, boot, sequence }) => ({
      agent: view.agent,
      boot,
      sequence,
      body: JSON.stringify(view),
    })),
  };
}

function toRow({ boot, sequence, index, fingerprint, features, view }: StoredWindow): WindowRowValues {
  const { agent, device, scope } = view;
  const columns = features.length;
  return { agent, boot, sequence, index, device, scope, fingerprint, columns, values: valuesOf(view) };
}

function valuesOf(view: WindowView): RowValue[] {
  const { isolation_forest: forest, adaptive_baseline: baseline, autoencoder } = view;
  return [
    Number(view.anomalous),
    Date.parse(view.end),
    view.state,
    view.records,
    view.latency_ms,
    view.packet_loss_pct,
    view.traffic_volume_mb,
    forest.score,
    forest.threshold,
    Number(forest.suspect),
    baseline.score,
    baseline.threshold,
    Number(baseline.suspect),
    baseline.strangeness ?? null,
    autoencoder.score,
    autoencoder.threshold,
    Number(autoencoder.suspect),
    view.alert,
    view.reasons.length === 0 ? null : JSON.stringify(view.reasons),
    view.is_anomaly === null ? null : Number(view.is_anomaly),
    view.anomaly_type,
    Number(view.historical ?? false),
  ];
}

function featuresOf(windows: readonly StoredWindow[]): Float32Array<ArrayBuffer> {
  const block = new Float32Array(windows.reduce((sum, { features }) => sum + features.length, 0));
  let next = 0;
  for (const { features } of windows) for (const value of features) block[next++] = value ?? Number.NaN;
  return block;
}
