/** Judged batches as the store wants them. Pure. */
import type { ScoreBatch } from '@lineheron/models';
import { recordViews, windowView } from './hub/views.js';
import type { JudgedWindow } from './judge.js';
import type { StoredRecord, StoredWindow } from './store/store.js';

export function toCommit(
  batches: readonly ScoreBatch[],
  judged: readonly JudgedWindow[],
  receivedMs: number,
): { windows: StoredWindow[]; records: StoredRecord[] } {
  const windows = judged.map(
    ({ batch, at, index, window, review, opinion, anomalous, alert }): StoredWindow => ({
      boot: batch.boot,
      sequence: batch.sequence,
      index,
      fingerprint: batch.fingerprint,
      features: window.features,
      view: windowView(batch, { at, index }, { opinion, autoencoder: review, anomalous, alert }, receivedMs),
    }),
  );
  const anomalous = new Map<ScoreBatch, boolean[]>();
  for (const window of judged) {
    const marks = anomalous.get(window.batch) ?? [];
    anomalous.set(window.batch, marks);
    marks[window.at] = window.anomalous;
  }
  const records = batches.flatMap((batch) =>
    recordViews(batch, anomalous.get(batch) ?? []).map(
      (view, index): StoredRecord => ({ boot: batch.boot, sequence: batch.sequence, index, view }),
    ),
  );
  return { windows, records };
}
