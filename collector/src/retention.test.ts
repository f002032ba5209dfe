import { describe, expect, it } from 'vitest';
import { RetentionTask } from './retention.js';
import type { StoreState } from './store/store.js';

const HOUR_MS = 3_600_000;
const state: StoreState = {
  problems: [],
  failing: null,
  bytes: 0,
  maxBytes: 1e9,
  windowsSinceMs: null,
};

function taskOf(prune: (nowMs: number) => Promise<boolean>, probe = async () => {}) {
  const problems: string[] = [];
  const task = new RetentionTask(
    { prune, probe, state },
    () => 1000,
    (message) => problems.push(message),
  );
  return { task, problems };
}

describe('RetentionTask', () => {
  it('removes step after step until nothing is left to remove, and lets others in between', async () => {
    const asked: number[] = [];
    let others = 0;
    setImmediate(() => others++);
    const { task } = taskOf(async (nowMs) => asked.push(nowMs) < 1000);
    expect(await task.run()).toBe(1000);
    expect(asked[0]).toBe(1000);
    expect(others).toBe(1);
  });

  it('ends its turn when it is stopped', async () => {
    let steps = 0;
    const { task } = taskOf(async () => {
      if (++steps === 3) task.stop();
      return true;
    });
    expect(await task.run()).toBe(3);
  });

  it('tells of a failure and goes on at the next turn', async () => {
    let turn = 0;
    const { task, problems } = taskOf(async () => {
      if (turn++ === 0) throw new Error('disk full');
      return false;
    });
    await task.run();
    expect(problems).toEqual(['old rows were not removed: disk full']);
    await task.run();
    expect(turn).toBe(2);
  });

  it('wipes nothing when the clock jumps ahead, until the new time has held for a day', async () => {
    const told: string[] = [];
    const asked: number[] = [];
    const time = { wallMs: 1000 * HOUR_MS, monotonicMs: 0 };
    const prune = async (nowMs: number) => {
      asked.push(nowMs / HOUR_MS);
      return false;
    };
    const task = new RetentionTask(
      { prune, probe: async () => {}, state },
      () => time.wallMs,
      (message) => told.push(message),
      () => time.monotonicMs,
    );
    task.clockMoved(50_000 * HOUR_MS);
    time.wallMs += 50_000 * HOUR_MS;
    await task.run();
    time.wallMs += HOUR_MS;
    time.monotonicMs += HOUR_MS;
    await task.run();
    expect(told).toEqual([expect.stringContaining('set ahead')]);
    time.monotonicMs += 24 * HOUR_MS;
    await task.run();
    expect(asked).toEqual([1000, 1001, 51_001]);
  });

  it('takes a clock that was set back and forth as it is, and doubts one that is far ahead of the store', async () => {
    const told: string[] = [];
    const asked: number[] = [];
    const wall = { ms: 1000 * HOUR_MS };
    const prune = async (nowMs: number) => {
      asked.push(nowMs / HOUR_MS);
      return false;
    };
    const make = () =>
      new RetentionTask(
        { prune, probe: async () => {}, state },
        () => wall.ms,
        (message) => told.push(message),
      );
    const task = make();
    for (const byMs of [-999 * HOUR_MS, 999 * HOUR_MS, -999 * HOUR_MS]) {
      wall.ms += byMs;
      task.clockMoved(byMs);
    }
    wall.ms += 999 * HOUR_MS;
    const next = make();
    next.start(900 * HOUR_MS);
    await expect.poll(() => asked).toEqual([900]);
    next.stop();
    expect(told.at(-1)).toContain('newest stored window');
  });

  it('tries in every turn whether the store can be written, without any data', async () => {
    let probes = 0;
    const { task } = taskOf(
      async () => false,
      async () => {
        probes++;
        throw new Error('read-only');
      },
    );
    expect(await task.run()).toBe(1);
    expect(probes).toBe(1);
  });
});
