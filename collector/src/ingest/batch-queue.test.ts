import { describe, expect, it } from 'vitest';
import { makeBatch, makeWindow } from '../testing/messages.js';
import { BatchQueue, type ScoreMessage } from './batch-queue.js';

const message = (sequence: number, bytes = 10): ScoreMessage => ({
  kind: 'score',
  agent: 'gw-1',
  batch: makeBatch({ sequence }),
  bytes,
});

function collect(
  limits: { maxGroup?: number; maxGroupWindows?: number; maxBatches?: number; maxBytes?: number } = {},
) {
  const groups: number[][] = [];
  let release = () => {};
  const queue = new BatchQueue({
    gatherMs: 10_000,
    maxGroup: 3,
    maxGroupWindows: 1000,
    maxBatches: 5,
    maxBytes: 1000,
    ...limits,
    handle: (group) => {
      groups.push(group.map(({ batch }) => batch.sequence));
      return new Promise((resolve) => {
        release = resolve;
      });
    },
  });
  return { queue, groups, release: () => release() };
}

describe('BatchQueue', () => {
  it('hands on a full group at once and the next only when that one is dealt with', async () => {
    const { queue, groups, release } = collect();
    for (let sequence = 1; sequence <= 6; sequence++) queue.push(message(sequence));
    expect(groups).toEqual([[1, 2, 3]]);
    release();
    await Promise.resolve();
    await Promise.resolve();
    expect(groups).toEqual([
      [1, 2, 3],
      [4, 5, 6],
    ]);
  });

  it('hands on no more windows at once than it may, but never less than a batch', async () => {
    const { queue, groups, release } = collect({ maxGroupWindows: 5 });
    [2, 3, 7, 1, 1].forEach((windows, at) => {
      const batch = makeBatch({ sequence: at + 1, windows: Array(windows).fill(makeWindow()) });
      queue.push({ ...message(at + 1), batch });
    });
    const closed = queue.close();
    for (let turn = 0; turn < 3; turn++) {
      release();
      await Promise.resolve();
      await Promise.resolve();
    }
    await closed;
    expect(groups).toEqual([[1, 2], [3], [4, 5]]);
  });

  it('drops and counts what goes over its bounds', () => {
    const { queue } = collect({ maxGroup: 100 });
    for (let sequence = 1; sequence <= 7; sequence++) queue.push(message(sequence));
    expect(queue.dropped).toBe(2);
    const heavy = collect({ maxGroup: 100, maxBatches: 100 }).queue;
    heavy.push(message(1, 900));
    heavy.push(message(2, 200));
    expect(heavy.dropped).toBe(1);
  });

  it('deals with what waits when it is closed, and takes nothing more', async () => {
    const { queue, groups, release } = collect();
    queue.push(message(1));
    const closed = queue.close();
    expect(groups).toEqual([[1]]);
    release();
    await closed;
    queue.push(message(2));
    expect(groups).toEqual([[1]]);
    expect(queue.dropped).toBe(1);
  });
});
