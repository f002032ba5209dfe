import { describe, expect, it } from 'vitest';
import { alertNowMs, freshness, linesOf, MAX_SELECTED, nextSelection, settleSelection } from './line.js';
import { agent, alert, at, status, T0 } from './testing/views.js';

describe('lines', () => {
  it('come by agent and device in the order people count, the gateway as a whole last', () => {
    const known = status({ agents: [agent('gw-10', ['b']), agent('gw-2', ['*', 'line-10', 'line-9'])] });
    expect(linesOf(known, []).map(({ key }) => key)).toEqual([
      'gw-2/line-9',
      'gw-2/line-10',
      'gw-2/*',
      'gw-10/b',
    ]);
  });

  it('carry their open alert, and no closed one', () => {
    const known = status({ agents: [agent('gw-1', ['line-1', 'line-2'])] });
    const alerts = [alert(0), alert(5, { device: 'line-2', status: 'closed' })];
    expect(linesOf(known, alerts).map(({ hasAlert }) => hasAlert)).toEqual([true, false]);
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
    const view = agent('gw-1', ['line-1']);
    const [line] = linesOf(status({ agents: [{ ...view, devices: [{ ...view.devices[0]!, state }] }] }), []);
    expect(freshness(line!)).toBe(expected);
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
    const known = status({ agents: [agent('gw-1', ['*', 'line-1', 'line-2'])] });
    const calm = linesOf(known, []);
    expect(settleSelection([], calm)).toEqual(['gw-1/line-1']);
    const alarmed = linesOf(known, [alert(0, { device: 'line-2' })]);
    expect(settleSelection([], alarmed)).toEqual(['gw-1/line-2']);
    const chosen = ['gw-1/line-1'];
    expect(settleSelection(chosen, alarmed)).toBe(chosen);
  });

  it('falls back when its lines are gone', () => {
    const known = status({ agents: [agent('gw-1', ['line-1'])] });
    expect(settleSelection(['gone/x'], linesOf(known, []))).toEqual(['gw-1/line-1']);
  });
});

describe('the time now of an alert', () => {
  const line = { end: at(3600), lastSeen: at(0) };

  it('is its line’s event time, so that a clock that is an hour ahead makes it no younger', () => {
    expect(alertNowMs({}, line, T0 + 60_000)).toBe(T0 + 3_660_000);
    expect(alertNowMs({}, undefined, T0 + 60_000)).toBe(T0 + 60_000);
  });

  it('is the collector’s where a silence is the alert', () => {
    expect(alertNowMs({ kind: 'silence' }, line, T0 + 60_000)).toBe(T0 + 60_000);
    expect(alertNowMs({ kind: 'offline' }, line, T0 + 60_000)).toBe(T0 + 60_000);
  });
});
