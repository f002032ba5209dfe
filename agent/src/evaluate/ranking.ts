/**
 * How well scores rank anomalous rows above the others, whatever the threshold. Definitions as in scikit-learn; rows
 * whose score is NaN rank lowest.
 */

/** Of rows: 1 anomalous, 0 not. */
export type Labels = ArrayLike<number>;
export type Scores = ArrayLike<number>;

export interface Confusion {
  /** 0 without alarms. */
  precision: number;
  /** NaN without anomalous rows: there is nothing to recall. */
  recall: number;
  /** NaN without anomalous rows. */
  f1: number;
}

export interface Ranking {
  /** Area under the ROC curve, ties counted half; NaN without both kinds of rows. */
  auc: number;
  /** Average precision: Σ (Rₙ − Rₙ₋₁) Pₙ over distinct scores; NaN without anomalous rows. */
  averagePrecision: number;
  /** The highest F1 that any threshold reaches, and that threshold (alarm when score ≥ it). */
  bestF1: number;
  bestThreshold: number;
}

/** Row numbers from the highest score to the lowest. */
export function descending(scores: Scores): Uint32Array {
  const order = new Uint32Array(scores.length);
  for (let row = 0; row < order.length; row += 1) order[row] = row;
  return order.sort((a, b) => rankable(scores[b]) - rankable(scores[a]) || a - b);
}

/** Finite stand-ins, so that differences never are NaN. */
export function rankable(score: number | undefined): number {
  if (score === undefined || Number.isNaN(score)) return -Number.MAX_VALUE / 4;
  return Math.max(-Number.MAX_VALUE / 8, Math.min(Number.MAX_VALUE / 8, score));
}

/** Walks down the distinct scores, telling how many rows of each kind stand at or above each. */
export function walkThresholds(
  scores: Scores,
  labels: Labels,
  visit: (threshold: number, truePositives: number, falsePositives: number) => void,
): void {
  const order = descending(scores);
  let [truePositives, falsePositives] = [0, 0];
  for (let at = 0; at < order.length; at += 1) {
    const row = order[at]!;
    if (labels[row] === 1) truePositives += 1;
    else falsePositives += 1;
    const value = rankable(scores[row]);
    const next = order[at + 1];
    if (next === undefined || rankable(scores[next]) !== value) visit(value, truePositives, falsePositives);
  }
}

export function ranking(scores: Scores, labels: Labels): Ranking {
  let positives = 0;
  for (let row = 0; row < labels.length; row += 1) if (labels[row] === 1) positives += 1;
  const negatives = labels.length - positives;
  const result = { auc: 0, averagePrecision: 0, bestF1: 0, bestThreshold: Number.POSITIVE_INFINITY };
  let [lastTrue, lastFalse] = [0, 0];
  walkThresholds(scores, labels, (threshold, truePositives, falsePositives) => {
    result.auc += ((falsePositives - lastFalse) * (truePositives + lastTrue)) / 2;
    const precision = truePositives / (truePositives + falsePositives);
    result.averagePrecision += ((truePositives - lastTrue) / positives) * precision;
    const f1 = (2 * truePositives) / (truePositives + falsePositives + positives);
    if (f1 > result.bestF1) [result.bestF1, result.bestThreshold] = [f1, threshold];
    [lastTrue, lastFalse] = [truePositives, falsePositives];
  });
  result.auc /= positives * negatives;
  if (positives === 0)
    return { ...result, auc: Number.NaN, averagePrecision: Number.NaN, bestF1: Number.NaN };
  return result;
}

/** Precision, recall and F1 of alarms against labels. */
export function confusion(alarms: ArrayLike<boolean>, labels: Labels): Confusion {
  let [hits, false_, missed] = [0, 0, 0];
  for (let row = 0; row < labels.length; row += 1) {
    const [alarm, label] = [alarms[row] === true, labels[row] === 1];
    if (alarm && label) hits += 1;
    else if (alarm) false_ += 1;
    else if (label) missed += 1;
  }
  const anomalous = hits + missed;
  return {
    precision: hits === 0 ? 0 : hits / (hits + false_),
    recall: anomalous === 0 ? Number.NaN : hits / anomalous,
    f1: anomalous === 0 ? Number.NaN : (2 * hits) / (hits + false_ + anomalous),
  };
}
