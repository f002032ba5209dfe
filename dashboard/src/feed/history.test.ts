import { describe, expect, it } from 'vitest';
import { alert, window } from '../testing/views.js';
import { History } from './history.js';

/** Answers that the test gives by hand, and timers that it lets go off. */
function bench() {
  const asked: { what: string; answer: (rows: unknown) => Promise<void> }[] = [];
  const timers = new Map<number, () => void>();
  const taken: unknown[] = [];
  const ask = (what: string) =>
    new Promise<never>((resolve) => {
      const answer = async (rows: unknown) => {
        resolve(rows as never);
        await new Promise((done) => setImmediate(done));
      };
      asked.push({ what, answer });
    });
  const history = new History({
    windows: ask,
    alerts: () => ask('alerts'),
    onWindows: (rows) => taken.push(...rows),
    onAlerts: (rows) => taken.push(...rows),
    setTimer: (run) => {
      timers.set(timers.size + 1, run);
      return timers.size;
    },
    clearTimer: (timer) => timers.delete(timer),
  });
  return { history, asked, taken, timers };
}

describe('the history of watched lines', () => {
  it('is fetched once a line, and again after a snapshot', async () => {
    const { history, asked, taken } = bench();
    history.want(['gw-1/a']);
    history.want(['gw-1/a', 'gw-1/b']);
    expect(asked.map(({ what }) => what)).toEqual(['gw-1/a', 'gw-1/b']);
    await asked[0]!.answer([window(0)]);
    expect(taken).toEqual([window(0)]);
    history.restart(false);
    history.want(['gw-1/a']);
    expect(asked).toHaveLength(3);
  });

  it('is dropped when the line is no longer watched, or a snapshot came meanwhile', async () => {
    const { history, asked, taken } = bench();
    history.want(['gw-1/a']);
    history.want(['gw-1/b']);
    await asked[0]!.answer([window(0)]);
    history.restart(false);
    history.want(['gw-1/b']);
    await asked[1]!.answer([window(1)]);
    expect(taken).toEqual([]);
  });

  it('is asked for again when it cannot be had, as long as it is wanted', async () => {
    const { history, asked, timers } = bench();
    history.want(['gw-1/a']);
    await asked[0]!.answer(null);
    timers.get(1)!();
    expect(asked).toHaveLength(2);
    await asked[1]!.answer(null);
    history.want([]);
    for (const run of timers.values()) run();
    expect(asked).toHaveLength(2);
  });

  it('leaves no timer behind when stopped', async () => {
    const { history, asked, timers } = bench();
    history.want(['gw-1/a']);
    await asked[0]!.answer(null);
    history.stop();
    expect(timers.size).toBe(0);
  });
});

it('more alerts than a snapshot holds are fetched after it', async () => {
  const { history, asked, taken } = bench();
  history.restart(true);
  await asked[0]!.answer([alert(0)]);
  expect(taken).toEqual([alert(0)]);
});
