import { describe, expect, it } from 'vitest';
import { mergeLines } from '../line.js';
import { agent, line } from '../testing/views.js';
import { HEADING_PX, LINE_PX, lineAfter, rowsInSight, scrollTo, searchLines, toRows } from './line-rows.js';

const lines = (agents: number, each: number, alarmed: readonly number[] = []) =>
  mergeLines(
    [],
    Array.from({ length: agents * each }, (_, n) =>
      line(
        n,
        `gw-${Math.floor(n / each)}/line-${n % each}`,
        'scored',
        alarmed.includes(n) ? 'gw-1/b0a1c2d3e4f50617/1/0' : null,
      ),
    ),
  );

describe('the rows of the list', () => {
  it('are the lines under a heading for each agent', () => {
    const { rows, tops } = toRows(lines(2, 2), []);
    expect(rows.map(({ key }) => key)).toEqual([
      'gw-0',
      'gw-0/line-0',
      'gw-0/line-1',
      'gw-1',
      'gw-1/line-0',
      'gw-1/line-1',
    ]);
    expect(tops.at(-1)).toBe(2 * HEADING_PX + 4 * LINE_PX);
  });

  it('begin with the lines in alert when there are many', () => {
    const { rows } = toRows(lines(10, 10, [57]), []);
    expect(rows.slice(0, 3).map(({ key }) => key)).toEqual(['alerts', 'gw-5/line-7', 'gw-0']);
    expect(rows.filter(({ key }) => key === 'gw-5/line-7')).toHaveLength(1);
    expect(toRows(lines(2, 2, [3]), []).rows[0]?.key).toBe('gw-0');
  });

  it('say below an agent what keeps it from its work, with room for the whole text', () => {
    const message = 'gw-1 does not answer: check its right to read its command topic on the broker.';
    const problems = [{ code: 'no_answer' as const, since: '2026-03-01T12:00:00Z', message }];
    const { rows, tops } = toRows(lines(2, 1), [{ ...agent('gw-1'), problems }]);
    expect(rows.map(({ kind }) => kind)).toEqual(['heading', 'line', 'heading', 'problem', 'line']);
    expect(tops[4]! - tops[3]!).toBe(3 * 16 + 4);
  });

  it('in sight are few however many there are', () => {
    const list = toRows(lines(10, 1000), []);
    const { from, to } = rowsInSight(list, 200_000, 480);
    expect(to - from).toBeLessThan(25);
    expect(list.tops[from]!).toBeLessThanOrEqual(200_000);
    expect(list.tops[to]!).toBeGreaterThanOrEqual(200_480);
    expect(rowsInSight(toRows([], []), 0, 480)).toEqual({ from: 0, to: 0 });
  });
});

describe('the keys', () => {
  const list = toRows(lines(2, 3), []);

  it('go from line to line, over headings, and stop at both ends', () => {
    expect(lineAfter(list, 3, 'next', 10)).toBe(5);
    expect(lineAfter(list, 5, 'previous', 10)).toBe(3);
    expect(lineAfter(list, 1, 'previous', 10)).toBe(1);
    expect(lineAfter(list, 1, 'last', 10)).toBe(7);
    expect(lineAfter(list, 7, 'first', 10)).toBe(1);
    expect(lineAfter(list, 1, 'pageDown', 2)).toBe(3);
    expect(lineAfter(list, 7, 'pageUp', 100)).toBe(1);
    expect(lineAfter(toRows([], []), -1, 'next', 10)).toBeNull();
  });

  it('scroll no farther than needed, and to the heading above the first line', () => {
    expect(scrollTo(list, 2, 0, 300)).toBe(0);
    expect(scrollTo(list, 7, 0, 100)).toBe(list.tops[8]! - 100);
    expect(scrollTo(list, 2, 200, 100)).toBe(list.tops[2]);
    expect(scrollTo(list, 1, 200, 100)).toBe(0);
  });
});

describe('finding', () => {
  it('looks at agent and device, whatever the case, and shows all for nothing', () => {
    const all = lines(10, 100);
    expect(searchLines(all, ' GW-3/line-7 ').map(({ key }) => key)).toContain('gw-3/line-7');
    expect(searchLines(all, 'line-99')).toHaveLength(10);
    expect(searchLines(all, '')).toBe(all);
    expect(searchLines(mergeLines([], [line(0, 'gw-1/*')]), 'whole')).toHaveLength(1);
  });
});
