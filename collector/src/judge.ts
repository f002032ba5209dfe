/** Both opinions of each window joined, and the alert that it falls into. Pure but for the draft that it fills. */
import type { ActiveModel, DetectorName, Feature, ScoreBatch, ScoredWindow } from '@lineheron/models';
import { DEFAULT_FEATURES, edgeDetectors, windowId, windowIndexes } from '@lineheron/models';
import type { Review } from './detect/reviewer.js';
import type { IncidentDraft } from './incident/incident-tracker.js';
import { isAnomalous, type Opinion } from './incident/opinion.js';

export interface JudgedWindow {
  batch: ScoreBatch;
  /** Its place in the batch's list. */
  at: number;
  /** In its id. */
  index: number;
  window: ScoredWindow;
  endMs: number;
  /** Null when no autoencoder may judge it. */
  review: Review | null;
  /** What one gives it all the same, to learn whether the line is like those that it knows. */
  score: number | null;
  /** The edge's own detectors, each by itself. */
  opinion: Opinion;
  anomalous: boolean;
  alert: string | null;
}

/** `reviews` are in the order of the batches' windows. `intervalOf` gives the usual interval of a line, where it is known. */
export function judgeWindows(
  batches: readonly ScoreBatch[],
  reviews: ReadonlyArray<Review | null>,
  draft: IncidentDraft,
  model: ActiveModel,
  nowMs: number,
  intervalOf: (agent: string, device: string) => number | null,
): JudgedWindow[] {
  let place = 0;
  return batches.flatMap((batch) => {
    const indexes = windowIndexes(batch.windows);
    const intervals = new Map<string, number | null>();
    const interval = (device: string): number | null => {
      const known = intervals.get(device);
      if (known !== undefined) return known;
      const usual = intervalOf(batch.agent, device);
      intervals.set(device, usual);
      return usual;
    };
    return batch.windows.map((window, at) => {
      const index = indexes[at]!;
      const given = reviews[place++] ?? null;
      const review = given?.unknownLine ? null : given;
      const endMs = Date.parse(window.end);
      const found = edgeDetectors(window);
      const opinion: Opinion = {
        forest: found.includes('isolation_forest'),
        baseline: found.includes('adaptive_baseline'),
        autoencoder: review?.suspect ?? null,
        // Where the edge has no baseline, the autoencoder is the only second opinion: its own threshold counts.
        rare: review !== null && (review.rare || (review.suspect && window.baseline === undefined)),
      };
      const anomalous = isAnomalous(model, opinion);
      const alert = draft.apply(
        {
          id: windowId(batch.agent, batch.boot, batch.sequence, index),
          agent: batch.agent,
          boot: batch.boot,
          device: window.device,
          scope: window.scope,
          endMs,
          edge: window,
          forest: { suspect: opinion.forest, score: window.score, threshold: window.threshold },
          baseline: window.baseline
            ? {
                suspect: opinion.baseline,
                score: window.baseline.nats,
                threshold: window.baseline.threshold,
              }
            : null,
          autoencoder: review && { ...review, rare: opinion.rare === true },
          unknownLine: given?.unknownLine === true,
          episode: window.episode,
          truth: window.is_anomaly ? (window.anomaly_type ?? 'anomaly') : null,
          historical: batch.historical ?? false,
          intervalMs: interval(window.device),
        },
        model,
        nowMs,
      );
      const score = given?.score ?? null;
      return { batch, at, index, window, endMs, review, score, opinion, anomalous, alert };
    });
  });
}

/** A score of a forest is 1 at most: beyond that it can never alert. */
const MAX_FOREST_THRESHOLD = 1;

type Judgement = { score: number | null; threshold: number | null } | null | undefined;

/** Who judged a window, and could have found it suspect. */
export function judgesOf(forest: Judgement, baseline: unknown, autoencoder: unknown): DetectorName[] {
  const { score = null, threshold = null } = forest ?? {};
  const mayAlert = score !== null && threshold !== null && threshold <= MAX_FOREST_THRESHOLD;
  return [
    ...(mayAlert ? (['isolation_forest'] as const) : []),
    ...(baseline ? (['adaptive_baseline'] as const) : []),
    ...(autoencoder ? (['autoencoder'] as const) : []),
  ];
}

/** Known of every window, whether anything was measured in it or not. */
const COUNTED = ['error_rate', 'server_error_rate', 'log_frequency', 'device_diversity'];

/** Whether a window holds any measured value; `names` are the default ones while its agent's are not known. */
export function hasMeasured(
  features: readonly (number | null)[],
  names: readonly Feature[] = DEFAULT_FEATURES,
): boolean {
  return features.some((value, at) => value !== null && !COUNTED.includes(names[at]?.name ?? ''));
}
