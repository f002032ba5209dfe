import { describe, expect, it } from 'vitest';
import { clockOffset, PageClock } from './clock.js';

const HOUR = 3_600_000;

describe('the collector’s clock', () => {
  it('is told by the frame that took the least time', () => {
    const first = clockOffset(null, 1000, 50_300);
    expect(first).toBe(49_300);
    expect(clockOffset(first, 2000, 51_050)).toBe(49_050);
  });

  it('does not jump with a frame that took longer, and follows two clocks that drift apart', () => {
    let offset = clockOffset(null, 0, 0);
    offset = clockOffset(offset, 1000, 3000);
    expect(offset).toBe(100);
    for (let at = 0; at < 200; at++) offset = clockOffset(offset, at * 1000, at * 1000 + 500);
    expect(offset).toBeCloseTo(500, 0);
  });

  it('is followed at once when it is set, ahead or back', () => {
    expect(clockOffset(0, HOUR + 1000, 1000)).toBe(-HOUR);
    expect(clockOffset(0, 1000 - HOUR, 1000)).toBe(HOUR);
  });
});

describe('the page’s clock', () => {
  it('goes on while the browser sleeps, whatever time its machine believes it is', () => {
    let [monotonic, wall] = [5000, Date.parse('1999-01-01T00:00:00Z')];
    const clock = new PageClock(
      () => monotonic,
      () => wall,
    );
    const start = clock.nowMs();
    monotonic += 1000;
    wall += 1000;
    expect(clock.nowMs() - start).toBe(1000);
    wall += HOUR;
    expect(clock.nowMs() - start).toBe(HOUR + 1000);
    wall -= 10 * HOUR;
    monotonic += 1000;
    expect(clock.nowMs() - start).toBe(HOUR + 2000);
  });
});
