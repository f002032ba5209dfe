/** Faults of a source that no call of it throws: they end the source, and nothing else. */
import { describe, expect, it } from 'vitest';
import { containedChunks, failItsSource } from './contained.js';
import type { Chunk, Source } from './source.js';

const chunk: Chunk = { bytes: Buffer.from('a\n'), emit: true, position: null };

const sourceOf = (chunks: Source['chunks']): Source => ({ detail: 'a test', phase: 'live', chunks });

/** What an event handler of the process is told when `fault` is thrown where nobody catches it. */
const throwLater = (fault: Error, belongs: (owned: boolean) => void = () => {}) =>
  setImmediate(() => belongs(failItsSource(fault)));

async function taken(source: Source, signal = new AbortController().signal): Promise<number> {
  let count = 0;
  for await (const _ of containedChunks(source, signal)) count += 1;
  return count;
}

describe('a contained source', () => {
  it('gives its chunks and ends as it would by itself', async () => {
    const source = sourceOf(async function* () {
      yield chunk;
      yield chunk;
    });
    expect(await taken(source)).toBe(2);
  });

  it('throws what it throws', async () => {
    const source = sourceOf(async function* () {
      yield chunk;
      throw new Error('no such port');
    });
    await expect(taken(source)).rejects.toThrow('no such port');
  });

  it('fails by what is thrown in its timers, at once, though it waits for ever', async () => {
    const source = sourceOf(async function* () {
      yield chunk;
      throwLater(new Error('in an event handler'));
      await new Promise(() => {});
    });
    await expect(taken(source)).rejects.toThrow('in an event handler');
  });

  it('hears that it is to end when one of its parts failed', async () => {
    let ended = false;
    const source = sourceOf(async function* (signal) {
      throwLater(new Error('gone'));
      await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
      ended = true;
      yield chunk;
    });
    await expect(taken(source)).rejects.toThrow('gone');
    expect(ended).toBe(true);
  });

  it('answers for its own faults alone', async () => {
    const owned: boolean[] = [];
    const one = sourceOf(async function* () {
      yield chunk;
      throwLater(new Error('mine'), (mine) => owned.push(mine));
      await new Promise(() => {});
    });
    const other = sourceOf(async function* () {
      yield chunk;
      await new Promise((resolve) => setTimeout(resolve, 20));
      yield chunk;
    });
    throwLater(new Error('nobody’s'), (mine) => owned.push(mine));
    const [first, second] = await Promise.allSettled([taken(one), taken(other)]);
    expect([first.status, second.status]).toEqual(['rejected', 'fulfilled']);
    expect(owned.sort()).toEqual([false, true]);
  });

  it('ends when it is told to', async () => {
    const abort = new AbortController();
    const source = sourceOf(async function* (signal) {
      yield chunk;
      await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
    });
    setImmediate(() => abort.abort());
    expect(await taken(source, abort.signal)).toBe(1);
  });
});
