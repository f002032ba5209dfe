import { scoreTail } from '@lineheron/models';
import { describe, expect, it } from 'vitest';
import { LineTails } from './line-tails.js';

const WINDOW_MS = 30_000;
const BUDGET = 0.2;

/** Evenly from `low` to `low` + 1, as often as asked. */
const scores = (low: number, count: number) =>
  Array.from({ length: count }, (_, at) => low + ((at * 7919) % 1000) / 1000);

const learnt = (tails: LineTails, line: string, low: number, count: number, stepMs = WINDOW_MS) => {
  for (const [at, score] of scores(low, count).entries()) tails.learn(line, at * stepMs, score);
  return tails.above(line);
};

describe("a line's tail of the autoencoder", () => {
  const fleet = scoreTail(scores(1, 30_000), 1, 30);
  const fresh = () => new LineTails(fleet, WINDOW_MS, BUDGET);

  it('is the training alone until the line has thirty windows of its own', () => {
    const tails = fresh();
    const ofFleet = tails.above('m1');
    expect(ofFleet).toBeGreaterThan(2);
    expect(learnt(tails, 'm1', 5, 29)).toBe(ofFleet);
    expect(tails.above('m2')).toBe(ofFleet);
  });

  it('rises with a line that is noisier, and comes down on one that is calmer', () => {
    expect(learnt(fresh(), 'm1', 5, 240)).toBeGreaterThan(fresh().above('m1') + 2);
    expect(learnt(fresh(), 'm1', 0, 240)).toBeLessThan(fresh().above('m1'));
  });

  it('takes one window in a window length: sliding ones are no news', () => {
    const tails = fresh();
    const ofFleet = tails.above('m1');
    expect(learnt(tails, 'm1', 5, 240, 1000)).toBe(ofFleet);
  });

  it('is out of reach where neither training nor line say enough', () => {
    expect(new LineTails(scoreTail(scores(1, 60), 1, 30), WINDOW_MS, BUDGET).above('m1')).toBe(
      Number.POSITIVE_INFINITY,
    );
  });
});
