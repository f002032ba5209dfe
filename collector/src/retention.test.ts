import { describe, expect, it } from 'vitest';
import { loadConfig } from './config.js';
import { RetentionTask } from './retention.js';
import type { Retention } from './store/store.js';

const HOUR_MS = 3_600_000;
const limits = loadConfig({}).retention;

const taskOf = (prune: () => Promise<number>) =>
  new RetentionTask(
    { prune },
    limits,
    () => 0,
    () => {},
  );

describe('RetentionTask', () => {
  it('removes step after step until nothing is left to remove', async () => {
    const asked: Retention[] = [];
    const rows = [500, 500, 20, 0];
    const prune = async (retention: Retention) => {
      asked.push(retention);
      return rows[asked.length - 1]!;
    };
    const task = new RetentionTask(
      { prune },
      limits,
      () => 1000 * HOUR_MS,
      () => {},
    );
    expect(await task.run()).toBe(1020);
    expect(asked).toHaveLength(4);
    expect(asked[0]).toMatchObject({
      windowsBeforeMs: 832 * HOUR_MS,
      recordsBeforeMs: 976 * HOUR_MS,
      step: 500,
    });
  });

  it('goes on until nothing is left, however much there is, and lets others in between', async () => {
    let [left, others] = [1000, 0];
    setImmediate(() => others++);
    const prune = async () => {
      if (left === 0) return 0;
      left--;
      return 1;
    };
    const task = taskOf(prune);
    expect(await task.run()).toBe(1000);
    expect(others).toBe(1);
  });

  it('ends its turn when it is stopped', async () => {
    let steps = 0;
    const prune = async () => {
      if (++steps === 3) task.stop();
      return 1;
    };
    const task = taskOf(prune);
    expect(await task.run()).toBe(3);
  });

  it('tells of a failure and goes on at the next turn', async () => {
    const problems: string[] = [];
    let turn = 0;
    const prune = async () => {
      if (turn++ === 0) throw new Error('disk full');
      return 0;
    };
    const task = new RetentionTask(
      { prune },
      limits,
      () => 0,
      (message) => problems.push(message),
    );
    await task.run();
    expect(problems).toEqual(['old rows were not removed: disk full']);
    await task.run();
    expect(turn).toBe(2);
  });

  it('wipes nothing when the clock jumps ahead, until the new time has held for a day', async () => {
    const told: string[] = [];
    const cutoffs: number[] = [];
    const time = { wallMs: 1000 * HOUR_MS, monotonicMs: 0 };
    const prune = async ({ windowsBeforeMs }: Retention) => {
      cutoffs.push(windowsBeforeMs);
      return 0;
    };
    const task = new RetentionTask(
      { prune },
      limits,
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
    const right = (hours: number) => (hours - limits.windows_hours) * HOUR_MS;
    expect(cutoffs).toEqual([right(1000), right(1001), right(51_001)]);
  });

  it('takes a clock that was set back and forth as it is, and doubts one that is far ahead of the store', async () => {
    const told: string[] = [];
    const cutoffs: number[] = [];
    const wall = { ms: 1000 * HOUR_MS };
    const prune = async ({ windowsBeforeMs }: Retention) => {
      cutoffs.push(windowsBeforeMs);
      return 0;
    };
    const make = () =>
      new RetentionTask(
        { prune },
        limits,
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
    await next.run();
    next.stop();
    expect(cutoffs).toEqual([(900 - limits.windows_hours) * HOUR_MS]);
    expect(told.at(-1)).toContain('newest stored window');
  });
});
