import { describe, expect, it } from 'vitest';
import {
  cannotAlertText,
  scoreTail,
  thresholdForBudget,
  thresholdForDevice,
  whyCannotAlert,
} from './score-tail.js';

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

describe('a threshold of scores that take few values', () => {
  const rows = 3600;
  const scores = (of: (row: number) => number) => Array.from({ length: rows }, (_, row) => of(row));
  it.each([
    ['one value', (_: number) => 0.375],
    ['one value and float noise', (row: number) => 0.62215 + 1e-7 * (row % 9)],
    ['two values', (row: number) => (row % 2 ? 0.62216 : 0.45)],
    ['three values', (row: number) => [0.41, 0.5, 0.6221637][row % 3]!],
    ['one in ten', (row: number) => (row % 10 ? 0.44 : 0.71)],
    ['one in twenty beside noise', (row: number) => (row % 20 ? 0.44 + 1e-4 * (row % 7) : 0.71)],
    ['one in fifty beside noise', (row: number) => (row % 50 ? 0.44 + 1e-3 * ((row * 7919) % 11) : 0.9)],
  ])('never lies at or below what is seen again and again: %s', (_name, of) => {
    const seen = scores(of);
    const most = Math.max(...seen);
    const fleet = { ...scoreTail(seen, 1, 30) };
    expect(thresholdForBudget(fleet, 0.2)).toBeGreaterThan(most * 1.0009);
    const own = { ...scoreTail(seen.slice(0, 240), 0, 1), windows_per_day: 86_400 };
    expect(thresholdForDevice(own, fleet, 0.2)).toBeGreaterThan(most * 1.0009);
  });

  it('keeps close to them: a score that is a tenth higher is above it', () => {
    const fleet = {
      ...scoreTail(
        scores((row) => (row % 2 ? 0.5 : 0.45)),
        1,
        30,
      ),
    };
    expect(thresholdForBudget(fleet, 0.2)).toBeLessThan(0.55);
  });
});

describe('a model that cannot alert', () => {
  it('has seen too little of the tail, and says how much is needed', () => {
    const why = whyCannotAlert(tailOf(240), 0.2, Number.POSITIVE_INFINITY);
    expect(why).toEqual({ windows: 8, needed: 30 });
    expect(cannotAlertText(why!)).toBe('cannot alert yet: 8 independent windows, 30 needed for this budget');
  });

  it('needs as many windows as bring the threshold below the highest score, no more and no fewer', () => {
    const of = (effective_rows: number) => ({
      ...{ tail_start: 0.5, tail_scale: 0.03, tail_floor: 0.5, windows_per_day: 86_400, effective_rows },
    });
    const { windows, needed } = whyCannotAlert(of(60), 0.2, 1)!;
    expect(windows).toBe(60);
    expect(whyCannotAlert(of(needed! - 1), 0.2, 1)).not.toBeNull();
    expect(whyCannotAlert(of(needed!), 0.2, 1)).toBeNull();
  });

  it('whose scores are spread too widely would not do with any number', () => {
    const wide = { tail_start: 0.5, tail_scale: 0.1, tail_floor: 0.5, windows_per_day: 86_400 };
    const why = whyCannotAlert({ ...wide, effective_rows: 1e9 }, 0.2, 1);
    expect(why).toEqual({ windows: 1e9, needed: null });
    expect(cannotAlertText(why!)).toMatch(/^cannot alert within this budget: its scores of .* too widely$/);
  });

  it('of which nothing is known needs what any needs', () => {
    expect(whyCannotAlert({ trees: 100 }, 0.2, 1)).toEqual({ windows: 0, needed: 30 });
    expect(whyCannotAlert(tailOf(3000), 0.2, Number.POSITIVE_INFINITY)).toBeNull();
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
