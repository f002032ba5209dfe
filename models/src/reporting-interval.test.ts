/** How often a line reports, and which of its silences are news: told as an agent tells them, over simulated months. */
import { describe, expect, it } from 'vitest';
import { ReportingInterval } from './reporting-interval.js';

const [S, MIN, H, DAY] = [1000, 60_000, 3_600_000, 86_400_000];

/** A line that is heard after each of these gaps; remembers when it was found silent. */
class Line {
  readonly interval = new ReportingInterval();
  nowMs = 0;
  told: number[] = [];

  hear(...gaps: number[]): this {
    for (const gap of gaps) {
      const limit = this.interval.silenceMs;
      if (limit !== null && this.interval.isRegular && gap >= limit) this.told.push(this.nowMs + limit);
      this.nowMs += gap;
      this.interval.add(gap, this.nowMs);
    }
    return this;
  }

  every(gap: number, count: number): this {
    for (let at = 0; at < count; at++) this.hear(gap);
    return this;
  }

  /** How many silences were told from `fromMs` on. */
  since(fromMs: number): number {
    return this.told.filter((at) => at >= fromMs).length;
  }
}

/** Numbers in (0, 1) that are the same in every run. */
function randomNumbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return (state + 0.5) / 2 ** 32;
  };
}

/** So many gaps of a distribution, by its inverse. */
const drawn = (count: number, seed: number, gapOf: (p: number) => number): number[] => {
  const random = randomNumbers(seed);
  return Array.from({ length: count }, () => gapOf(random()));
};

describe('the usual interval of a line', () => {
  it('is its interval where it is regular, and unknown before the second record', () => {
    expect(new ReportingInterval().usualMs).toBeNull();
    expect(new ReportingInterval().silenceMs).toBeNull();
    const line = new Line().every(90 * S, 20);
    expect(line.interval.usualMs).toBeCloseTo(90 * S, 6);
    expect(line.interval.silenceMs).toBeCloseTo(30 * MIN, 6);
  });

  it('is not changed by a burst, however often it comes and however many records it has', () => {
    const line = new Line();
    for (let round = 0; round < 20; round++)
      line
        .every(90 * S, 20)
        .every(20, 4000)
        .every(2 * S, 40);
    line.every(90 * S, 40);
    expect(line.interval.usualMs).toBeCloseTo(90 * S, 6);
    expect(line.told).toEqual([]);
  });

  it('is the new one at most 4.5 hours of reports after the rate changed for good', () => {
    for (const [before, after] of [
      [S, 40 * S],
      [40 * S, S],
      [90 * S, 10 * MIN],
      [10 * MIN, S],
    ] as const) {
      const line = new Line().every(before, Math.ceil((3 * DAY) / before));
      line.every(after, Math.ceil((4.5 * H) / after) + 1);
      expect(line.interval.usualMs).toBeCloseTo(after, 3);
      expect(line.told).toEqual([]);
    }
  });

  it('is the new one too where the new gaps count as silences at first: three of them are told', () => {
    for (const after of [90 * S, 10 * MIN, H, DAY]) {
      const line = new Line().every(S, 3 * 86_400);
      line.every(after, Math.ceil((5 * H) / after) + 4);
      expect(line.interval.usualMs).toBeCloseTo(after, 3);
      expect(line.told.length).toBeLessThanOrEqual(3);
    }
  });

  it('is not what one outage or the jump of a clock took, however long', () => {
    const line = new Line()
      .every(S, 3600)
      .hear(60 * DAY)
      .every(S, 10);
    expect(line.interval.usualMs).toBeCloseTo(S, 6);
    const started = new Line().hear(20_000 * DAY).every(S, 61);
    expect(started.interval.usualMs).toBeCloseTo(S, 6);
  });

  it('is zero where all its records have one time', () => {
    expect(new Line().every(0, 20).interval).toMatchObject({ usualMs: 0, silenceMs: MIN });
  });
});

describe('a silence that is news', () => {
  it.each([
    ['every second', S, MIN],
    ['every 3 s', 3 * S, MIN],
    ['every minute', MIN, 20 * MIN],
    ['every hour', H, 20 * H],
    ['every 2 hours', 2 * H, DAY],
    ['every night', DAY, 4 * DAY],
  ])('comes on a line that reports %s after a stated time', (_, everyMs, limitMs) => {
    const line = new Line().every(everyMs, 50);
    expect(line.interval.silenceMs).toBeCloseTo(limitMs, 3);
    line.hear(limitMs - 1);
    expect(line.told).toEqual([]);
    line.every(everyMs, 10).hear(limitMs + 1);
    expect(line.told).toHaveLength(1);
  });

  it('is told three times of one length, and no more while such silences go on, even for a year', () => {
    for (const nap of [61 * S, 10 * MIN, 2 * H]) {
      const line = new Line();
      for (let day = 0; day < 365; day++) line.every(10 * S, 2000).hear(nap * (0.9 + (day % 3) / 10 + 0.02));
      expect(line.told.length).toBeLessThanOrEqual(3);
    }
  });

  it('is told again when it is twice as long as those, and as at first after a week without', () => {
    const line = new Line();
    for (let nap = 0; nap < 6; nap++) line.every(S, 3600).hear(10 * MIN);
    expect(line.told).toHaveLength(3);
    line.hear(21 * MIN);
    expect(line.told).toHaveLength(4);
    line.every(S, 8 * 86_400).hear(2 * MIN);
    expect(line.told).toHaveLength(5);
    expect(line.told[4]).toBe(line.nowMs - MIN);
  });

  it('is not told over and over because many short ones push the long ones out of memory', () => {
    const line = new Line().every(S, 86_400);
    for (let round = 0; round < 50; round++) {
      for (let nap = 0; nap < 20; nap++) line.every(S, 100).hear(70 * S);
      line.hear(10 * MIN);
    }
    expect(line.told.length).toBeLessThanOrEqual(6);
  });

  it('is told 27 times a day at most, even of a line that tries', () => {
    const line = new Line().every(S, 86_400);
    const fromMs = line.nowMs;
    while (line.nowMs < fromMs + DAY) line.hear(S, line.interval.silenceMs! + 1);
    expect(line.since(fromMs)).toBeLessThanOrEqual(27);
  });
});

describe('lines of other habits', () => {
  it('one with a burst at its boot, then one record every 90 s, is told twice at most', () => {
    const line = new Line().every(2 * S, 40).every(90 * S, 2000);
    expect(line.told.length).toBeLessThanOrEqual(2);
    expect(line.interval.usualMs).toBeCloseTo(90 * S, 6);
  });

  it('one that logs for ten minutes every night is told three times, then learnt', () => {
    const line = new Line();
    for (let night = 0; night < 60; night++) line.every(S, 600).hear(DAY - 600 * S + (night % 5) * MIN);
    expect(line.told.length).toBeLessThanOrEqual(3);
    const fromMs = line.nowMs;
    line.hear(5 * DAY);
    expect(line.since(fromMs)).toBe(1);
  });

  it('one that logs every weekday night is not told at weekends', () => {
    const line = new Line();
    for (let week = 0; week < 20; week++) line.hear(DAY, DAY, DAY, DAY, 3 * DAY);
    expect(line.told).toEqual([]);
  });

  it('one with two rates, by turns or mixed, is not told', () => {
    const turns = new Line();
    for (let hour = 0; hour < 200; hour++) turns.every(S, 600).every(5 * MIN, 10);
    expect(turns.since(2 * H)).toBe(0);
    const mixed = new Line();
    for (let round = 0; round < 2000; round++) mixed.hear(S, 30 * S, 29 * S, 5 * MIN);
    expect(mixed.told.length).toBeLessThanOrEqual(2);
  });

  it('one with exponential gaps is not told in 100,000 of them', () => {
    const line = new Line().hear(...drawn(100_000, 7, (p) => -10 * S * Math.log(p)));
    expect(line.told).toEqual([]);
    expect(line.interval.silenceMs).toBeLessThan(10 * MIN);
  });

  it('a log of nothing but faults, three a day with storms between, is told one silence a year at most', () => {
    const seeds = [3, 11, 29, 41, 97];
    const told = seeds.map((seed) => {
      const line = new Line();
      for (const [at, gap] of drawn(1100, seed, (p) => -8 * H * Math.log(p)).entries()) {
        line.hear(gap);
        if (at % 50 === 49) line.every(10 * S, 40);
      }
      return line.told.length;
    });
    expect(told.reduce((sum, count) => sum + count)).toBeLessThanOrEqual(seeds.length);
  });

  it('one with gaps of a heavy tail is told less than once a day', () => {
    for (const [seed, alpha] of [
      [1, 1.1],
      [2, 1.5],
      [3, 2],
    ] as const) {
      const line = new Line().hear(...drawn(100_000, seed, (p) => 5 * S * p ** (-1 / alpha)));
      expect(line.told.length / (line.nowMs / DAY)).toBeLessThan(1);
    }
  });

  it('a link that flaps for a day is told a few times, and its outage after that too', () => {
    const line = new Line().every(S, 86_400);
    const fromMs = line.nowMs;
    for (let flap = 0; flap < 200; flap++)
      line.every(S, 120 + (flap % 7) * 40).hear((65 + (flap % 11) * 20) * S);
    expect(line.since(fromMs)).toBeLessThanOrEqual(6);
    const restMs = line.nowMs;
    line.hear(DAY);
    expect(line.since(restMs)).toBe(1);
    expect(line.told.at(-1)! - restMs).toBeLessThanOrEqual(10 * MIN);
  });
});
