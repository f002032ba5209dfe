import { describe, expect, it } from 'vitest';
import { scoreTail, thresholdForBudget } from './score-tail.js';

/** Quantiles of an exponential distribution of scale 1, so many that the sample is no source of error. */
const exponential = (rows: number) =>
  Array.from({ length: rows }, (_, row) => -Math.log(1 - (row + 0.5) / rows));

const tailOf = (rows: number, frequency = 1) => ({ ...scoreTail(exponential(rows), frequency, 30) });

describe('the threshold that an alert budget allows', () => {
  it('is, for many windows, the score that an exponential tail exceeds that often', () => {
    const threshold = thresholdForBudget(tailOf(300_000), 0.2);
    expect(threshold).toBeGreaterThan(Math.log(86_400 / 0.2));
    expect(threshold).toBeLessThan(1.06 * Math.log(86_400 / 0.2));
  });

  it('is unknown after 60 s of four lines: overlapping windows are nearly one sample', () => {
    expect(tailOf(240).effective_rows).toBe(8);
    expect(thresholdForBudget(tailOf(240), 0.2)).toBeNull();
  });

  it('narrows as more is seen, and is higher for a smaller budget', () => {
    const at = (rows: number, budget: number) => thresholdForBudget(tailOf(rows), budget)!;
    expect(at(900, 0.2)).toBeGreaterThan(at(9000, 0.2));
    expect(at(9000, 0.02)).toBeGreaterThan(at(9000, 0.2));
  });

  it('counts every window where none overlap: one record a minute', () => {
    expect(tailOf(40, 1 / 60).effective_rows).toBe(40);
  });

  it('is unknown for a model of which no tail was kept', () => {
    expect(thresholdForBudget({ trees: 100 }, 0.2)).toBeNull();
  });
});
