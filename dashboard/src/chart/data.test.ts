import { describe, expect, it } from 'vitest';
import { T0, window } from '../testing/views.js';
import { columns, isolatedPoints, lastValue, points, valueAt } from './data.js';
import { normalisedScore } from './spec.js';

const latency = (w: { latency_ms: number | null }) => w.latency_ms;
const at = (second: number, latency_ms: number | null, device = 'line-1') =>
  window(second, { latency_ms, device });
const T = T0 / 1000;

describe('points of a line', () => {
  it('keep a missing value as a gap', () => {
    expect(points([at(0, 5), at(1, null), at(2, 7)], latency)).toEqual([
      [T, 5],
      [T + 1, null],
      [T + 2, 7],
    ]);
  });

  it('get a gap where the line was silent', () => {
    expect(points([at(0, 5), at(20, 7)], latency)).toEqual([
      [T, 5],
      [T + 1, null],
      [T + 20, 7],
    ]);
  });

  it('get no gap for a few late seconds', () => {
    expect(points([at(0, 5), at(6, 7)], latency)).toHaveLength(2);
  });
});

describe('columns of several lines', () => {
  it('share one sorted time column; another line’s time is no gap', () => {
    const a = [at(0, 1), at(2, null)];
    const b = [at(1, 9, 'line-2'), at(2, 8, 'line-2')];
    expect(columns([a, b], latency)).toEqual([
      [T, T + 1, T + 2],
      [1, undefined, null],
      [undefined, 9, 8],
    ]);
  });

  it('are empty without lines and without windows', () => {
    expect(columns([], latency)).toEqual([[]]);
    expect(columns([[]], latency)).toEqual([[], []]);
  });
});

describe('values to show', () => {
  it('are the newest of the line, and a gap is told as unknown', () => {
    expect(lastValue([1, 2, undefined])).toBe(2);
    expect(lastValue([1, 2, null])).toBeNull();
    expect(lastValue([])).toBeNull();
  });

  it('at the cursor are the line’s own, just before where another line has its point', () => {
    expect(valueAt([4, undefined, 6], 1)).toBe(4);
  });

  it('are dots where a value stands alone between gaps', () => {
    expect(isolatedPoints([1, null, 2, undefined, null, 3, 4, null, 5])).toEqual([0, 2, 8]);
  });
});

describe('a normalised score', () => {
  it('is 1 at the threshold', () => {
    const w = window(0, { autoencoder: { score: 3, threshold: 3, suspect: false } });
    expect(normalisedScore(w, 'autoencoder')).toBe(1);
  });

  it.each([
    { score: null, threshold: 1 },
    { score: 1, threshold: null },
    { score: 1, threshold: 0 },
  ])('is unknown for $score over $threshold', (given) => {
    const w = window(0, { isolation_forest: { ...given, suspect: false } });
    expect(normalisedScore(w, 'isolation_forest')).toBeNull();
  });
});
