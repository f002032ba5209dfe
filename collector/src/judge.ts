/** Both opinions of each window joined, and the alert that it falls into. Pure but for the draft that it fills. */
import type { ActiveModel, ScoreBatch, ScoredWindow } from '@lineheron/models';
import { windowId } from '@lineheron/models';
import type { Review } from './detect/reviewer.js';
import type { IncidentDraft } from './incident/incident-tracker.js';
import { isAnomalous } from './incident/opinion.js';

export interface JudgedWindow {
  batch: ScoreBatch;
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
  return batches.flatMap((batch) =>
    batch.windows.map((window, index) => {
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
        },
        model,
        nowMs,
      );
      return { batch, index, window, endMs, review, anomalous, alert };
    }),
  );
}
