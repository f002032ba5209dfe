import { describe, expect, it } from 'vitest';
import { scoreTail, thresholdForBudget, thresholdForDevice } from './score-tail.js';

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

  it('hardly moves for a few far strangers among the training windows', () => {
    const clean = exponential(9000);
    const strange = clean.map((score, row) => (row % 100 === 0 ? 1000 : score));
    const at = (scores: number[]) => thresholdForBudget({ ...scoreTail(scores, 1, 30) }, 0.2)!;
    expect(at(strange)).toBeLessThan(1.5 * at(clean));
    expect(at(strange)).toBeGreaterThan(at(clean));
  });
});

describe("a device's own threshold", () => {
  const own = (rows: number, factor: number) => ({
    ...scoreTail(
      exponential(rows).map((score) => factor * score),
      0,
      1,
    ),
    windows_per_day: 86_400,
  });

  it("is the fleet's until enough is known of it, then goes over to its own", () => {
    const fleet = tailOf(300_000);
    const ofFleet = thresholdForBudget(fleet, 0.2)!;
    expect(thresholdForDevice(own(29, 3), fleet, 0.2)).toBe(ofFleet);
    const noisy = [30, 60, 240].map((rows) => thresholdForDevice(own(rows, 3), fleet, 0.2)!);
    expect(noisy[0]).toBeGreaterThan(ofFleet);
    expect(noisy[2]).toBeGreaterThan(2.4 * ofFleet);
    const calm = thresholdForDevice(own(240, 0.3), fleet, 0.2)!;
    expect(calm).toBeLessThan(0.7 * ofFleet);
  });

  it('is its own where the training was too short to say anything, and unknown where both are', () => {
    expect(thresholdForDevice(own(240, 1), tailOf(240), 0.2)).toBeGreaterThan(10);
    expect(thresholdForDevice(own(119, 1), tailOf(240), 0.2)).toBeNull();
    expect(thresholdForDevice(own(20, 1), tailOf(240), 0.2)).toBeNull();
  });
});
