/** The history file: bound, torn tails, damage, another feature list. */
import { readFile, stat, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { withFolder } from '../test-support.js';
import { History, type HistoryRow } from './history.js';

const row = (number: number): HistoryRow => ({ endMs: number * 1000, features: [number, null, -number / 3] });
const rows = (from: number, to: number) => Array.from({ length: to - from }, (_, index) => row(from + index));

async function open(path: string, fingerprint = '0123456789abcdef') {
  const history = new History({ path, fingerprint, columns: 3, rows: 10 });
  await history.start();
  return history;
}

async function fill(history: History, from: number, to: number): Promise<void> {
  for (const one of rows(from, to)) history.add(one);
  await history.flush();
}

it('keeps the newest rows through restarts within twice its bound', () =>
  withFolder(async (folder) => {
    const path = join(folder, 'h.bin');
    for (let start = 0; start < 100; start += 4) {
      const history = await open(path);
      await fill(history, start, start + 4);
      expect((await stat(path)).size).toBeLessThan(24 + 36 * 24);
    }
    const history = await open(path);
    history.add(row(100));
    expect(await history.read()).toEqual(rows(91, 101));
  }));

it('cuts a tail torn at any length and passes damaged rows over', () =>
  withFolder(async (folder) => {
    const path = join(folder, 'h.bin');
    await fill(await open(path), 0, 5);
    const bytes = await readFile(path);
    const rowBytes = (bytes.length - 24) / 5;
    for (let cut = 1; cut < rowBytes; cut++) {
      await writeFile(path, bytes);
      await truncate(path, bytes.length - cut);
      const history = await open(path);
      await fill(history, 7, 8);
      expect(await history.read()).toEqual([...rows(0, 4), row(7)]);
    }
    const damaged = Buffer.from(bytes);
    damaged[24 + 2 * rowBytes + 9]! ^= 4;
    await writeFile(path, damaged);
    expect(await (await open(path)).read()).toEqual([...rows(0, 2), ...rows(3, 5)]);
  }));

it('drops rows of another feature list and a file that is none', () =>
  withFolder(async (folder) => {
    const path = join(folder, 'h.bin');
    await fill(await open(path), 0, 5);
    expect(await (await open(path, 'fedcba9876543210')).read()).toEqual([]);
    await writeFile(path, 'rubbish');
    expect(await (await open(path)).read()).toEqual([]);
  }));
