import { describe, expect, it } from 'vitest';
import { alertNowMs, freshness, MAX_SELECTED, mergeLines, nextSelection, settleSelection } from './line.js';
import { line, T0 } from './testing/views.js';

const keysOf = (lines: ReturnType<typeof mergeLines>) => lines.map(({ key }) => key);

describe('lines', () => {
  it('come by agent and device in the order people count, the gateway as a whole last', () => {
    const rows = ['gw-10/b', 'gw-2/*', 'gw-2/line-10', 'gw-2/line-9'].map((key, n) => line(n, key));
    expect(keysOf(mergeLines([], rows))).toEqual(['gw-2/line-9', 'gw-2/line-10', 'gw-2/*', 'gw-10/b']);
  });

  it('are changed one by one: the others keep their identity, and a new one finds its place', () => {
    const before = mergeLines([], [line(0, 'gw-1/a'), line(1, 'gw-1/c')]);
    const changed = mergeLines(before, [line(1, 'gw-1/c', 'stale', 'gw-1/b0a1c2d3e4f50617/1/0')]);
    expect(changed[0]).toBe(before[0]);
    expect(changed[1]).toMatchObject({ state: 'stale', hasAlert: true });
    expect(keysOf(mergeLines(changed, [line(2, 'gw-1/b')], [0]))).toEqual(['gw-1/b', 'gw-1/c']);
    expect(mergeLines(before, [])).toBe(before);
  });
});

describe('the freshness of a line', () => {
  it.each([
    ['scored', 'current'],
    ['warming_up', 'current'],
    ['stale', 'silent'],
    ['offline', 'offline'],
    ['unknown', 'unknown'],
  ] as const)('that the collector calls %s is %s', (state, expected) => {
    const [one] = mergeLines([], [line(0, 'gw-1/line-1', state)]);
    expect(freshness(one!)).toBe(expected);
  });
});

describe('the selection', () => {
  it('is one line, unless lines are added', () => {
    expect(nextSelection(['a', 'b'], 'c', false)).toEqual(['c']);
    expect(nextSelection(['a'], 'c', true)).toEqual(['a', 'c']);
    expect(nextSelection(['a', 'c'], 'a', true)).toEqual(['c']);
  });

  it('never becomes empty by taking away', () => {
    expect(nextSelection(['a'], 'a', true)).toEqual(['a']);
  });

  it('is bounded: the oldest gives way', () => {
    const next = nextSelection(['a', 'b', 'c', 'd'], 'e', true);
    expect(next).toHaveLength(MAX_SELECTED);
    expect(next).toEqual(['b', 'c', 'd', 'e']);
  });

  it('starts with a line in alert, else with the first device, and then stays', () => {
    const rows = ['gw-1/*', 'gw-1/line-1', 'gw-1/line-2'].map((key, n) => line(n, key));
    const calm = mergeLines([], rows);
    expect(settleSelection([], calm)).toEqual(['gw-1/line-1']);
    const alarmed = mergeLines(calm, [line(2, 'gw-1/line-2', 'scored', 'gw-1/b0a1c2d3e4f50617/1/0')]);
    expect(settleSelection([], alarmed)).toEqual(['gw-1/line-2']);
    const chosen = ['gw-1/line-1'];
    expect(settleSelection(chosen, alarmed)).toBe(chosen);
  });

  it('falls back when its lines are gone', () => {
    expect(settleSelection(['gone/x'], mergeLines([], [line(0, 'gw-1/line-1')]))).toEqual(['gw-1/line-1']);
  });
});

describe('the time now of an alert', () => {
  const hourAhead = { eventOffsetMs: 3_600_000 };

  it('is its line’s event time, so that a clock that is an hour ahead makes it no younger', () => {
    expect(alertNowMs({}, hourAhead, T0 + 60_000)).toBe(T0 + 3_660_000);
    expect(alertNowMs({}, undefined, T0 + 60_000)).toBe(T0 + 60_000);
  });

  it('is the collector’s where a silence is the alert', () => {
    expect(alertNowMs({ kind: 'silence' }, hourAhead, T0 + 60_000)).toBe(T0 + 60_000);
    expect(alertNowMs({ kind: 'offline' }, hourAhead, T0 + 60_000)).toBe(T0 + 60_000);
  });
});
