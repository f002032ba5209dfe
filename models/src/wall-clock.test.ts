import { expect, it } from 'vitest';
import { WallClock } from './wall-clock.js';

it('a clock that is set is told before anybody gets its new time; what passes by itself is none', () => {
  const time = { wallMs: 1e12, monotonicMs: 0 };
  const jumps: number[] = [];
  const clock = new WallClock(
    (byMs) => jumps.push(byMs),
    () => time.wallMs,
    () => time.monotonicMs,
  );
  const pass = (ms: number, setBy = 0) => {
    time.wallMs += ms + setBy;
    time.monotonicMs += ms;
    return clock.now();
  };
  pass(86_400_000);
  pass(1000, 900);
  expect(jumps).toEqual([]);
  for (const setBy of [3_600_000, -3_600_000, -9e11, 2e12]) pass(1000, setBy);
  expect(jumps).toEqual([3_600_000, -3_600_000, -9e11, 2e12]);
});
