/** The history file: bound, torn tails, damage, another feature list. */
import { execFileSync, spawnSync } from 'node:child_process';
import { readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
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

/** The largest size that a file of this process may have. */
function limitFiles(bytes: number | 'unlimited'): void {
  execFileSync('prlimit', [`--fsize=${bytes}:unlimited`, '--pid', String(process.pid)]);
}

const mayLimit = spawnSync('prlimit', ['--fsize', '--pid', String(process.pid)]).status === 0;

it.skipIf(!mayLimit)(
  'loses no row when the disk takes only a part of a write (skipped where prlimit is missing)',
  () =>
    withFolder(async (folder) => {
      const path = join(folder, 'h.bin');
      const history = await open(path);
      await fill(history, 0, 3);
      const whole = (await stat(path)).size;
      const rowBytes = (whole - 24) / 3;
      limitFiles(whole + Math.round(1.5 * rowBytes));
      try {
        await expect(fill(history, 3, 6)).rejects.toThrow();
        expect((await stat(path)).size % rowBytes).not.toBe(whole % rowBytes);
        expect(await history.read()).toEqual(rows(0, 6));
      } finally {
        limitFiles('unlimited');
      }
      await fill(history, 6, 7);
      expect(await history.read()).toEqual(rows(0, 7));
      expect(await (await open(path)).read()).toEqual(rows(0, 7));
    }),
);

it('begins again when its file was removed meanwhile', () =>
  withFolder(async (folder) => {
    const path = join(folder, 'h.bin');
    const history = await open(path);
    await fill(history, 0, 3);
    await rm(path);
    await fill(history, 3, 5);
    expect(await history.read()).toEqual(rows(3, 5));
    expect(await (await open(path)).read()).toEqual(rows(3, 5));
  }));
