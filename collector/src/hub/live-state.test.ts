import { describe, expect, it } from 'vitest';
import { makeAlert, makeView } from '../testing/stored.js';
import { LineBoard } from './line-board.js';
import { LiveState } from './live-state.js';

const nothing = { windows: [], records: [], alerts: [] };

describe('what a new client is shown', () => {
  it('are the newest windows of a group of any size', () => {
    const live = new LiveState();
    const view = makeView();
    const windows = Array.from({ length: 300_000 }, (_, n) => ({ ...view, records: n + 1 }));
    live.add({ ...nothing, windows });
    const shown = live.snapshot().windows;
    expect(shown).toHaveLength(100);
    expect(shown.at(-1)?.records).toBe(300_000);
  });

  it('are thirty alerts, open ones first however old they are', () => {
    const live = new LiveState();
    const alert = (n: number, status: 'open' | 'closed') =>
      makeAlert({ id: `gw-1/aaaaaaaaaaaaaaaa/${n}/0`, status, opened_at: new Date(n * 1000).toISOString() });
    live.add({
      ...nothing,
      alerts: [alert(1, 'open'), ...Array.from({ length: 90 }, (_, n) => alert(n + 2, 'closed'))],
    });
    const { alerts } = live.snapshot();
    expect(alerts).toHaveLength(30);
    expect(alerts[0]).toMatchObject({ status: 'open' });
    expect(alerts[1]).toMatchObject({ opened_at: new Date(91_000).toISOString() });
  });
});

describe('the board of lines', () => {
  it('forgets the line heard longest ago when there are too many, and gives its number to nobody', () => {
    const board = new LineBoard(2);
    for (const device of ['a', 'b', 'a', 'c']) {
      board.list(`gw-1/${device}`, true);
      board.note(makeView({ device }));
    }
    expect(board.takeValues(10).map(([number]) => number)).toEqual([0, 2]);
    expect(board.number('gw-1/b')).toBe(3);
  });

  it('takes a window that came out of order, and times from long before', () => {
    const board = new LineBoard();
    const note = (second: number, latency_ms: number) =>
      board.note(makeView({ latency_ms, received_at: new Date(second * 1000).toISOString() }));
    note(100_000, 20);
    note(99_995, 30);
    note(10, 999);
    expect(board.spark(0, 100_000_000).slice(-2)).toEqual([30, 20]);
    expect(board.spark(0, 200_000_000)).toEqual([]);
  });
});
