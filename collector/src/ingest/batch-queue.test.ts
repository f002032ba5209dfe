import { describe, expect, it } from 'vitest';
import { BatchQueue, type BatchQueueOptions, type WaitingBatch } from './batch-queue.js';

const BOOT = 'aaaaaaaaaaaaaaaa';

function batch(sequence: number, changes: Partial<WaitingBatch> = {}): WaitingBatch {
  const payload = Buffer.alloc(10);
  return { agent: 'gw-1', payload, name: { boot: BOOT, sequence }, historical: false, ...changes };
}

const turns = () => new Promise((resolve) => setImmediate(resolve));

function collect(options: Partial<BatchQueueOptions> = {}) {
  const groups: (number | undefined)[][] = [];
  const releases: Array<() => void> = [];
  const world = { nowMs: 0 };
  const queue = new BatchQueue({
    gatherMs: 10_000,
    maxGroup: 3,
    monotonicMs: () => world.nowMs,
    ...options,
    handle: (group) => {
      groups.push(group.map(({ name }) => name?.sequence));
      return new Promise((resolve) => releases.push(resolve));
    },
  });
  const release = async () => {
    releases.shift()?.();
    await turns();
  };
  return { queue, groups, release, world };
}

describe('groups', () => {
  it('are handed on when they are full, one beside another, and the third when one of them is dealt with', async () => {
    const { queue, groups, release } = collect();
    for (let sequence = 1; sequence <= 9; sequence++) queue.push(batch(sequence));
    expect(groups).toEqual([
      [1, 2, 3],
      [4, 5, 6],
    ]);
    await release();
    expect(groups.at(-1)).toEqual([7, 8, 9]);
  });

  it('hold live batches first, each kind in the order in which it came', async () => {
    const { queue, groups, release } = collect();
    const past = { historical: true };
    for (let sequence = 1; sequence <= 6; sequence++) queue.push(batch(sequence, past));
    for (let sequence = 11; sequence <= 14; sequence++) queue.push(batch(sequence));
    for (let sequence = 7; sequence <= 8; sequence++) queue.push(batch(sequence, past));
    await release();
    await release();
    expect(groups.slice(2)).toEqual([
      [11, 12, 13],
      [14, 7, 8],
    ]);
  });

  it('hold no more bytes than they may, but never less than a batch', async () => {
    const { queue, groups, release } = collect({ maxGroupBytes: 50 });
    const sized = (sequence: number, bytes: number) =>
      queue.push(batch(sequence, { payload: Buffer.alloc(bytes) }));
    sized(1, 20);
    sized(2, 30);
    sized(3, 70);
    sized(4, 10);
    const closed = queue.close();
    for (let turn = 0; turn < 3; turn++) await release();
    await closed;
    expect(groups).toEqual([[1, 2], [3], [4]]);
  });

  it('are handed on after a moment when little comes', async () => {
    const { queue, groups, release } = collect({ gatherMs: 1, monotonicMs: () => performance.now() });
    queue.push(batch(1));
    await expect.poll(() => groups).toEqual([[1]]);
    await release();
  });

  it('are dealt with when the queue is closed, and nothing is taken any more', async () => {
    const { queue, groups, release } = collect();
    queue.push(batch(1));
    const closed = queue.close();
    expect(groups).toEqual([[1]]);
    await release();
    await closed;
    expect(queue.push(batch(2))).toBe('full');
    expect(groups).toHaveLength(1);
  });
});

describe('a queue', () => {
  it('takes a batch once while it waits, and knows it no more once it is handed on', () => {
    const { queue } = collect({ maxGroup: 2 });
    expect(queue.push(batch(1))).toBe('taken');
    expect(queue.push(batch(1))).toBe('waiting');
    expect(queue.push(batch(1, { agent: 'gw-2' }))).toBe('taken');
    expect(queue.push(batch(1))).toBe('taken');
    expect(queue.push(batch(3, { name: null }))).toBe('taken');
    expect(queue.push(batch(3, { name: null }))).toBe('taken');
  });

  it('is full at its bound in bytes, of live batches and of backlog apart', () => {
    const { queue } = collect({ maxGroup: 100, maxLaneBytes: 25 });
    expect([1, 2, 3].map((sequence) => queue.push(batch(sequence)))).toEqual(['taken', 'taken', 'full']);
    expect(queue.push(batch(4, { historical: true }))).toBe('taken');
    expect(queue.waiting).toBe(3);
  });

  it('takes no more of what would wait too long, unless that is next to nothing', async () => {
    const { queue, world, release } = collect({ maxGroup: 1 });
    const large = (sequence: number, historical = false) =>
      queue.push(batch(sequence, { payload: Buffer.alloc(600_000), historical }));
    for (const sequence of [1, 2, 3]) expect(large(sequence)).toBe('taken');
    world.nowMs = 1500;
    expect(large(4)).toBe('taken');
    expect(large(5)).toBe('full');
    expect(large(6, true)).toBe('taken');
    await release();
    await release();
    expect(large(7)).toBe('taken');
  });

  it('knows how fast it goes from the time in which there was work', async () => {
    const { queue, world, release } = collect();
    expect(queue.batchesPerSecond).toBeNull();
    for (let sequence = 1; sequence <= 3; sequence++) queue.push(batch(sequence));
    world.nowMs = 30;
    await release();
    world.nowMs = 60_000;
    for (let sequence = 4; sequence <= 6; sequence++) queue.push(batch(sequence));
    world.nowMs = 60_030;
    await release();
    expect(queue.batchesPerSecond).toBeCloseTo(100);
  });
});
