import { describe, expect, it } from 'vitest';
import { DueQueue } from './due-queue.js';

const item = (name: string) => ({ name, dueMs: Number.POSITIVE_INFINITY });

describe('what is due', () => {
  it('comes in the order of its times, each once', () => {
    const queue = new DueQueue<ReturnType<typeof item>>();
    const times = [50, 10, 40, 10, 30, 20];
    times.forEach((atMs, at) => {
      queue.add(item(`${at}`), atMs);
    });
    expect([...queue.take(30)].map(({ name }) => times[Number(name)])).toEqual([10, 10, 20, 30]);
    expect([...queue.take(30)]).toEqual([]);
    expect([...queue.take(99)].map(({ name }) => times[Number(name)])).toEqual([40, 50]);
  });

  it('comes at the sooner of two times, and not again at the later', () => {
    const queue = new DueQueue<ReturnType<typeof item>>();
    const one = item('one');
    queue.add(one, 50);
    queue.add(one, 20);
    queue.add(one, 40);
    expect([...queue.take(19)]).toEqual([]);
    expect([...queue.take(20)]).toEqual([one]);
    expect([...queue.take(99)]).toEqual([]);
    queue.add(one, 120);
    expect([...queue.take(120)]).toEqual([one]);
  });

  it('can be taken up anew after all was cleared', () => {
    const queue = new DueQueue<ReturnType<typeof item>>();
    const one = item('one');
    queue.add(one, 50);
    queue.clear();
    expect([...queue.take(99)]).toEqual([]);
    queue.add(one, 100);
    expect([...queue.take(100)]).toEqual([one]);
  });
});
