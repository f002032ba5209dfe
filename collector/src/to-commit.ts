/** Judged batches as the store wants them, and what of them is news. Pure. */
import type { RecordView, ScoreBatch, WindowView } from '@lineheron/models';
import { recordViews, windowView } from './hub/views.js';
import type { JudgedWindow } from './judge.js';
import type { StoredRecord, StoredWindow } from './store/store.js';

export interface Content {
  windows: StoredWindow[];
  records: StoredRecord[];
  /** What did not come late. */
  news: { windows: WindowView[]; records: RecordView[] };
}

export function toCommit(
  batches: readonly ScoreBatch[],
  judged: readonly JudgedWindow[],
  receivedMs: number,
): Content {
  const receivedAt = new Date(receivedMs).toISOString();
  const windows = judged.map(
    ({ batch, at, index, window, review, opinion, anomalous, alert }): StoredWindow => ({
      boot: batch.boot,
      sequence: batch.sequence,
      index,
      fingerprint: batch.fingerprint,
      features: window.features,
      view: windowView(batch, { at, index }, { opinion, autoencoder: review, anomalous, alert }, receivedAt),
    }),
  );
  const anomalous = new Map<ScoreBatch, boolean[]>();
  for (const window of judged) {
    const marks = anomalous.get(window.batch) ?? [];
    anomalous.set(window.batch, marks);
    marks[window.at] = window.anomalous;
  }
  const news: Content['news'] = { windows: [], records: [] };
  for (const { view } of windows) if (!view.historical) news.windows.push(view);
  const records = batches.flatMap((batch) => {
    const { boot, sequence } = batch;
    const views = recordViews(batch, anomalous.get(batch) ?? []);
    if (!batch.historical) news.records.push(...views);
    return views.map((view, index): StoredRecord => ({ boot, sequence, index, view }));
  });
  return { windows, records, news };
}
