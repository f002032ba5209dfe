import { describe, expect, it } from 'vitest';
import { alert } from '../testing/views.js';
import { announcement, newlyOpened } from './announcement.js';
import { rangeMarks } from './range-marks.js';
import { sparkPath } from './spark-path.js';

describe('an announcement', () => {
  it('is of alerts that are open and were not known', () => {
    const [old, fresh, closed] = [alert(0), alert(1), alert(2, { status: 'closed' })];
    expect(newlyOpened(new Set([old.id]), [fresh, old, closed])).toEqual([fresh]);
  });

  it('is one sentence for one, and counts many', () => {
    expect(announcement([alert(0)])).toMatch(/^New critical alert on line-1 of gw-1\. line-1: mean latency/);
    expect(announcement([alert(1), alert(0)])).toMatch(/^2 new alerts\. The newest: critical alert/);
    expect(announcement([])).toBe('');
  });
});

describe('marks of a range', () => {
  it('place the value outside the usual range when it is', () => {
    const marks = rangeMarks({ observed: 180, p5: 20, p95: 30 })!;
    expect(marks.from).toBeLessThan(marks.to);
    expect(marks.observed).toBeGreaterThan(marks.to);
    expect(marks.observed).toBeLessThanOrEqual(100);
  });

  it('place a value below the range too', () => {
    const marks = rangeMarks({ observed: -5, p5: 20, p95: 30 })!;
    expect(marks.observed).toBeLessThan(marks.from);
    expect(marks.observed).toBeGreaterThanOrEqual(0);
  });

  it.each([
    { observed: null, p5: 0, p95: 1 },
    { observed: 1, p5: null, p95: 1 },
    { observed: 0, p5: 0, p95: 0 },
  ])('are none for $observed in $p5–$p95', (reason) => {
    expect(rangeMarks(reason)).toBeNull();
  });
});

describe('a sparkline', () => {
  const box = { width: 100, height: 20, from: 0, to: 10 };

  it('lifts the pen at a gap', () => {
    const path = sparkPath(
      [
        { time: 0, value: 10 },
        { time: 5, value: null },
        { time: 10, value: 0 },
      ],
      box,
      10,
    );
    expect(path).toBe('M0.0 1.0M100.0 19.0');
  });

  it('leaves out what is older than the box, and is empty without values', () => {
    expect(sparkPath([{ time: -1, value: 3 }], box, 10)).toBe('');
    expect(sparkPath([], box, 10)).toBe('');
  });
});
