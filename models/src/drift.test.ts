/** What counts as drift, on made-up columns: seeded, so that every run sees the same. */
import { describe, expect, it } from 'vitest';
import { type Bins, binOf, binShares, decileEdges, largestShift } from './drift.js';

function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const column = (random: () => number, count: number, draw: (unit: number) => number) =>
  Float64Array.from({ length: count }, () => draw(random()));

function shiftOf(then: ArrayLike<number>, now: ArrayLike<number>) {
  const edges = decileEdges(then);
  const bins: Bins = { edges, shares: binShares(edges, then) };
  const counts = bins.shares.map(() => 0);
  for (let at = 0; at < now.length; at++) counts[binOf(edges, now[at]!)]!++;
  return largestShift([bins], [counts], then.length);
}

const found = (shift: ReturnType<typeof shiftOf>) => shift !== null && shift.psi > shift.bound;

describe('drift', () => {
  it('is not found between two samples of one distribution, however few', () => {
    for (const [trained, now] of [
      [20, 120],
      [60, 120],
      [1000, 480],
    ] as const) {
      let alarms = 0;
      for (let seed = 0; seed < 300; seed++) {
        const random = seeded(seed);
        const same = (count: number) => column(random, count, (unit) => -Math.log(1 - unit));
        if (found(shiftOf(same(trained), same(now)))) alarms++;
      }
      expect(alarms, `${trained} against ${now}`).toBe(0);
    }
  });

  it('is found when a level moves by two deviations, and by none of a tenth', () => {
    for (let seed = 0; seed < 50; seed++) {
      const random = seeded(seed);
      const then = column(random, 400, (unit) => 20 + 4 * unit);
      const far = column(random, 240, (unit) => 22.4 + 4 * unit);
      const near = column(random, 240, (unit) => 20.1 + 4 * unit);
      expect(found(shiftOf(then, far))).toBe(true);
      expect(found(shiftOf(then, near))).toBe(false);
    }
  });

  it('is found only if very large where training was short, and the bound says so', () => {
    const random = seeded(1);
    const short = column(random, 20, (unit) => 20 + 4 * unit);
    const moved = shiftOf(
      short,
      column(random, 240, (unit) => 21.2 + 4 * unit),
    );
    expect(moved!.bound).toBeGreaterThan(1);
    expect(found(moved)).toBe(false);
    expect(
      found(
        shiftOf(
          short,
          column(random, 240, (unit) => 40 + 4 * unit),
        ),
      ),
    ).toBe(true);
  });

  it('sees a counter that was mostly 0 begin to count, and values that become unknown', () => {
    const random = seeded(2);
    const rare = column(random, 400, (unit) => (unit < 0.95 ? 0 : 1));
    expect(decileEdges(rare)).toEqual([0]);
    expect(
      found(
        shiftOf(
          rare,
          column(random, 240, (unit) => (unit < 0.95 ? 0 : 1)),
        ),
      ),
    ).toBe(false);
    expect(
      found(
        shiftOf(
          rare,
          column(random, 240, (unit) => (unit < 0.5 ? 0 : 1)),
        ),
      ),
    ).toBe(true);
    expect(
      found(
        shiftOf(
          rare,
          column(random, 240, (unit) => (unit < 0.5 ? 0 : Number.NaN)),
        ),
      ),
    ).toBe(true);
    const constant = new Float64Array(400).fill(7);
    expect(shiftOf(constant, new Float64Array(240).fill(7))).toBeNull();
    expect(found(shiftOf(constant, new Float64Array(240).fill(8)))).toBe(true);
  });
});
