/** Following one path, step by step: what is held back, lost and found again. */
import { appendFile, copyFile, mkdir, rename, symlink, truncate, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { Counters } from '../counters.js';
import { silentLog, withFolder } from '../test-support.js';
import { Follower } from './tail-follow.js';
import type { FilePosition } from './tail-position.js';

const lines = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, index) => `${(from + index) * 1000} line ${from + index}`);
const text = (list: string[]) => list.map((line) => `${line}\n`).join('');
/** More than one chunk. */
const MANY = 90_000;

function follow(path: string, from: 'start' | 'end' = 'start') {
  const counters = new Counters();
  const follower = new Follower({ path, from, refills: true, reachMs: 20_000, log: silentLog, counters });
  let position: FilePosition | null = null;
  /** One step; null when there is nothing now. */
  const step = async () => {
    const found = await follower.next();
    if (!found) return null;
    const list = Buffer.from(found.bytes).toString().split('\n').slice(0, -1);
    if (found.position) position = found.position(Number(list.at(-1)!.split(' ')[0]));
    return { list, again: found.position === null };
  };
  /** What there is until nothing comes: twice nothing, because a rotated file gets a second look. */
  const all = async () => {
    const told: string[] = [];
    const again: string[] = [];
    for (let nothing = 0; nothing < 3; ) {
      const found = await step();
      if (!found) nothing += 1;
      else (found.again ? again : told).push(...found.list);
    }
    return { told, again };
  };
  return { follower, counters, step, all, position: () => position ?? follower.position() };
}

/** Reads the file to its end and stops, as an agent does that is ended. */
async function readOnce(path: string): Promise<FilePosition> {
  const first = follow(path);
  await first.follower.start(null);
  await first.all();
  await first.follower.close();
  return first.position()!;
}

async function copyAndTruncate(path: string, copy: string): Promise<void> {
  await copyFile(path, copy);
  await truncate(path, 0);
}

describe('Follower, copy and truncate', () => {
  it('reads what was left, once, when it happened while nobody watched', () =>
    withFolder(async (folder) => {
      const path = join(folder, 'a.log');
      await writeFile(path, text(lines(0, 50)));
      const saved = await readOnce(path);
      await appendFile(path, text(lines(50, 60)));
      await copyAndTruncate(path, `${path}.2`);
      await appendFile(path, text(lines(60, 65)));
      await copyAndTruncate(path, `${path}.1`);
      await appendFile(path, text(lines(65, 70)));
      const second = follow(path);
      await second.follower.start(saved);
      const { told, again } = await second.all();
      expect(told).toEqual(lines(50, 70));
      expect(again.at(-1)).toBe(lines(0, 50).at(-1));
      expect(second.counters.get('tail_positions_lost')).toBe(0);
      await second.follower.close();
      const third = follow(path);
      await third.follower.start(second.position());
      expect((await third.all()).told).toEqual([]);
      await third.follower.close();
    }));

  it('goes on in the copy after a stop in the middle of it', () =>
    withFolder(async (folder) => {
      const path = join(folder, 'a.log');
      await writeFile(path, text(lines(0, 50)));
      const saved = await readOnce(path);
      await appendFile(path, text(lines(50, MANY)));
      await copyAndTruncate(path, `${path}-20260101`);
      await appendFile(path, text(lines(MANY, MANY + 5)));
      const second = follow(path);
      await second.follower.start(saved);
      let told: string[] = [];
      while (told.length === 0) {
        const found = await second.step();
        if (found && !found.again) told = found.list;
      }
      await second.follower.close();
      const third = follow(path);
      await third.follower.start(second.position());
      expect([...told, ...(await third.all()).told]).toEqual(lines(50, MANY + 5));
      await third.follower.close();
    }));

  it('reads the rest from the copy when it was behind while it watched', () =>
    withFolder(async (folder) => {
      const path = join(folder, 'a.log');
      await writeFile(path, text(lines(0, MANY)));
      const { follower, step, all, counters } = follow(path);
      await follower.start(null);
      const first = (await step())!.list;
      expect(first.length).toBeLessThan(MANY);
      await copyAndTruncate(path, `${path}.1`);
      await appendFile(path, text(lines(MANY, MANY + 5)));
      expect([...first, ...(await all()).told]).toEqual(lines(0, MANY + 5));
      expect(counters.get('tail_truncations')).toBe(1);
      await follower.close();
    }));

  it('counts what it saw and could read neither in the file nor in a copy', () =>
    withFolder(async (folder) => {
      const path = join(folder, 'a.log');
      await writeFile(path, `${text(lines(0, 50))}half a line`);
      const { follower, all, counters } = follow(path);
      await follower.start(null);
      await all();
      await truncate(path, 0);
      await appendFile(path, text(lines(90, 92)));
      expect((await all()).told).toEqual(lines(90, 92));
      expect(counters.get('tail_truncated_bytes_lost')).toBe('half a line'.length);
      // The copy was made before the last bytes that were seen.
      await copyFile(path, `${path}.1`);
      await appendFile(path, 'seen, not copied');
      await all();
      await truncate(path, 0);
      await appendFile(path, text(lines(95, 97)));
      expect((await all()).told).toEqual(lines(95, 97));
      expect(counters.get('tail_truncated_bytes_lost')).toBe('half a lineseen, not copied'.length);
      expect(counters.get('tail_truncations')).toBe(2);
      await follower.close();
    }));

  it('reads no copy that is older than what it read, and none of two that begin alike', () =>
    withFolder(async (folder) => {
      const path = join(folder, 'a.log');
      await writeFile(path, text(lines(0, 50)));
      const saved = await readOnce(path);
      const { follower, all } = follow(path);
      await follower.start(null);
      await all();
      await writeFile(`${path}.3`, text(lines(0, 80)));
      await utimes(`${path}.3`, 1, 1);
      await truncate(path, 0);
      await appendFile(path, text(lines(90, 92)));
      expect((await all()).told).toEqual(lines(90, 92));
      await follower.close();
      await copyFile(`${path}.3`, `${path}.4`);
      const second = follow(path);
      await second.follower.start(saved);
      expect((await second.all()).told).toEqual(lines(90, 92));
      expect(second.counters.get('tail_positions_lost')).toBe(1);
      await second.follower.close();
    }));
});

describe('Follower, a file that is away at the start', () => {
  it('takes no copy for it, and counts the position as lost only when another file comes', () =>
    withFolder(async (folder) => {
      const path = join(folder, 'a.log');
      await writeFile(path, text(lines(0, 50)));
      const saved = await readOnce(path);
      await copyFile(path, `${path}.1`);
      await rename(path, join(folder, 'away'));
      const { follower, all, counters } = follow(path, 'end');
      await follower.start(saved);
      expect((await all()).told).toEqual([]);
      expect(follower.position()).toEqual(saved);
      expect(counters.get('tail_positions_lost')).toBe(0);
      await rename(`${path}.1`, join(folder, 'removed'));
      await writeFile(path, text(lines(70, 72)));
      expect((await all()).told).toEqual(lines(70, 72));
      expect(counters.get('tail_positions_lost')).toBe(1);
      await follower.close();
    }));

  it('tries again after a start that failed', () =>
    withFolder(async (folder) => {
      const [path, away] = [join(folder, 'a.log'), join(folder, 'away')];
      await writeFile(path, text(lines(0, 50)));
      const saved = await readOnce(path);
      await rename(path, away);
      await mkdir(join(folder, 'no-file'));
      await symlink('no-file', path);
      const { follower, all, counters } = follow(path);
      await expect(follower.start(saved)).rejects.toThrow();
      await expect(follower.next()).rejects.toThrow();
      await appendFile(away, text(lines(50, 52)));
      await rename(away, path);
      const { told, again } = await all();
      expect(told).toEqual(lines(50, 52));
      expect(again.length).toBeGreaterThanOrEqual(20);
      expect(counters.get('tail_positions_lost')).toBe(0);
      await follower.close();
    }));
});
