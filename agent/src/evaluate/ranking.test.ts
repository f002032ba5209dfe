import { describe, expect, it } from 'vitest';
import { confusion, ranking } from './ranking.js';

describe('ranking', () => {
  it('gives the figures of scikit-learn 1.x, ties included', () => {
    const labels = [0, 0, 1, 1, 0, 1, 0, 0, 1, 0];
    const scores = [0.1, 0.4, 0.35, 0.8, 0.35, 0.9, 0.2, 0.8, 0.05, 0.4];
    // roc_auc_score, average_precision_score, the best of precision_recall_curve.
    const { auc, averagePrecision, bestF1, bestThreshold } = ranking(scores, labels);
    expect(auc).toBeCloseTo(0.5833333333333333, 12);
    expect(averagePrecision).toBeCloseTo(0.6238095238095238, 12);
    expect(bestF1).toBeCloseTo(0.5714285714285715, 12);
    expect(bestThreshold).toBe(0.8);
  });

  it('is a half and the share of anomalies for equal scores, and unknown without anomalies', () => {
    expect(ranking([3, 3, 3, 3], [0, 1, 0, 0])).toMatchObject({ auc: 0.5, averagePrecision: 0.25 });
    expect(ranking([1, 2], [0, 0]).averagePrecision).toBeNaN();
  });

  it('ranks unknown scores lowest', () => {
    expect(ranking([Number.NaN, -1e300, Number.NEGATIVE_INFINITY], [0, 1, 1])).toMatchObject({ auc: 1 });
  });
});

describe('confusion', () => {
  it('counts alarms against labels', () => {
    const { precision, recall, f1 } = confusion([true, true, false, false], [1, 0, 1, 0]);
    expect([precision, recall, f1]).toEqual([0.5, 0.5, 0.5]);
    expect(confusion([false], [1])).toEqual({ precision: 0, recall: 0, f1: 0 });
  });

  it('knows no recall and no F1 where nothing is anomalous, whatever alarms', () => {
    const unknown = { precision: 0, recall: Number.NaN, f1: Number.NaN };
    expect(confusion([false], [0])).toEqual(unknown);
    expect(confusion([true], [0])).toEqual(unknown);
  });
});
