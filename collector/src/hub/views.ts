/** Turns a stored batch's windows and records into what people and programs see. Pure. */
import {
  type Reason,
  type RecordView,
  type ScoreBatch,
  type ScoredWindow,
  type WindowView,
  windowId,
  windowIndexes,
} from '@lineheron/models';
import type { Opinion } from '../incident/opinion.js';

/** Places of the means among the default features, which always come first. */
const LATENCY_MEAN = 0;
const PACKET_LOSS_MEAN = 4;
const TRAFFIC_MEAN = 12;

export interface Judged {
  opinion: Pick<Opinion, 'forest' | 'baseline'>;
  autoencoder: { score: number; threshold: number; suspect: boolean; reasons: readonly Reason[] } | null;
  anomalous: boolean;
  alert: string | null;
}

/** `at` is the window's place in the list, `index` the one in its id. */
export function windowView(
  batch: ScoreBatch,
  { at, index }: { at: number; index: number },
  judged: Judged,
  receivedAt: string,
): WindowView {
  const window = batch.windows[at]!;
  const { autoencoder, opinion } = judged;
  return {
    id: windowId(batch.agent, batch.boot, batch.sequence, index),
    agent: batch.agent,
    device: window.device,
    scope: window.scope,
    end: inUtc(window.end),
    received_at: receivedAt,
    state: window.state,
    records: window.records,
    ...measured(batch, window),
    isolation_forest: { score: window.score, threshold: window.threshold, suspect: opinion.forest },
    adaptive_baseline: {
      score: window.baseline?.nats ?? null,
      threshold: window.baseline?.threshold ?? null,
      suspect: opinion.baseline,
      strangeness: window.baseline?.strangeness ?? null,
    },
    autoencoder: {
      score: autoencoder?.score ?? null,
      threshold: autoencoder?.threshold ?? null,
      suspect: autoencoder?.suspect ?? false,
    },
    anomalous: judged.anomalous,
    alert: judged.alert,
    reasons: window.reasons.length > 0 ? window.reasons : [...(autoencoder?.reasons ?? [])],
    is_anomaly: window.is_anomaly ?? null,
    anomaly_type: window.anomaly_type ?? null,
    ...(batch.historical ? { historical: true } : {}),
  };
}

/** Views of a batch's records; `anomalous` is told by the window's place in the list. */
export function recordViews(batch: ScoreBatch, anomalous: readonly boolean[]): RecordView[] {
  const indexes = windowIndexes(batch.windows);
  const windowOf = new Map<number, number>();
  batch.windows.forEach(({ scope, record }, place) => {
    if (scope === 'device' && record !== undefined) windowOf.set(record, place);
  });
  return batch.records.map((record, at) => {
    const window = windowOf.get(at);
    return {
      agent: batch.agent,
      device: record.device_id,
      timestamp: inUtc(record.timestamp),
      latency_ms: record.latency_ms ?? null,
      packet_loss_pct: record.packet_loss_pct ?? null,
      retry_count: record.retry_count ?? null,
      error_code: record.error_code ?? null,
      traffic_volume_mb: record.traffic_volume_mb ?? null,
      connection_resets: record.connection_resets ?? null,
      window:
        window === undefined ? null : windowId(batch.agent, batch.boot, batch.sequence, indexes[window]!),
      anomalous: window !== undefined && anomalous[window] === true,
      is_anomaly: record.is_anomaly ?? null,
      anomaly_type: record.anomaly_type ?? null,
    };
  });
}

const OUR_LENGTH = '2026-01-01T00:00:00.000Z'.length;

/** A time in UTC with milliseconds, as agents write it already. */
function inUtc(time: string): string {
  return time.length === OUR_LENGTH && time.endsWith('Z') ? time : new Date(time).toISOString();
}

function measured(batch: ScoreBatch, window: ScoredWindow) {
  const record =
    window.scope === 'device' && window.record !== undefined ? batch.records[window.record] : undefined;
  if (record) {
    return {
      latency_ms: record.latency_ms ?? null,
      packet_loss_pct: record.packet_loss_pct ?? null,
      traffic_volume_mb: record.traffic_volume_mb ?? null,
    };
  }
  return {
    latency_ms: window.features[LATENCY_MEAN] ?? null,
    packet_loss_pct: window.features[PACKET_LOSS_MEAN] ?? null,
    traffic_volume_mb: window.features[TRAFFIC_MEAN] ?? null,
  };
}
