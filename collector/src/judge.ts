/** Both opinions of each window joined, and the alert that it falls into. Pure but for the draft that it fills. */
import type { ActiveModel, ScoreBatch, ScoredWindow } from '@lineheron/models';
import { windowId, windowIndexes } from '@lineheron/models';
import type { Review } from './detect/reviewer.js';
import type { IncidentDraft } from './incident/incident-tracker.js';
import { isAnomalous } from './incident/opinion.js';

export interface JudgedWindow {
  batch: ScoreBatch;
  /** Its place in the batch's list. */
  at: number;
  /** In its id. */
  index: number;
  window: ScoredWindow;
  endMs: number;
  review: Review | null;
  anomalous: boolean;
  alert: string | null;
}

/** `reviews` are in the order of the batches' windows. */
export function judgeWindows(
  batches: readonly ScoreBatch[],
  reviews: ReadonlyArray<Review | null>,
  draft: IncidentDraft,
  model: ActiveModel,
  nowMs: number,
): JudgedWindow[] {
  let place = 0;
  return batches.flatMap((batch) => {
    const indexes = windowIndexes(batch.windows);
    return batch.windows.map((window, at) => {
      const index = indexes[at]!;
      const review = reviews[place++] ?? null;
      const endMs = Date.parse(window.end);
      const anomalous = isAnomalous(model, { forest: window.suspect, autoencoder: review?.suspect ?? null });
      const alert = draft.apply(
        {
          id: windowId(batch.agent, batch.boot, batch.sequence, index),
          agent: batch.agent,
          boot: batch.boot,
          device: window.device,
          scope: window.scope,
          endMs,
          forest: window,
          autoencoder: review,
          episode: window.episode,
          truth: window.is_anomaly ? (window.anomaly_type ?? 'anomaly') : null,
          historical: batch.historical ?? false,
        },
        model,
        nowMs,
      );
      return { batch, at, index, window, endMs, review, anomalous, alert };
    });
  });
}
