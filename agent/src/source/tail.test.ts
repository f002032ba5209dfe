/** The tail source on real files: rotation of both kinds, partial lines, restarts. */
import { appendFile, copyFile, mkdir, rename, symlink, truncate, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { until, withFolder } from '../test-support.js';
import { lines, TailReader as Reader, text } from './tail-test-support.js';

describe('TailSource', () => {
  it('reads from the start or from the end, and what is appended', () =>
    withFolder(async (folder) => {
      const path = join(folder, 'a.log');
      await writeFile(path, text(lines(0, 3)));
      const start = new Reader([path]);
      const end = new Reader([path], { from: 'end' });
      await start.has(lines(0, 3));
      await until('a position', () => end.saved);
      await appendFile(path, text(lines(3, 5)));
      await start.has(lines(0, 5));
      await end.has(lines(3, 5));
      await Promise.all([start.stop(), end.stop()]);
    }));

  it('holds a half line back until its end is written', () =>
    withFolder(async (folder) => {
      const path = join(folder, 'a.log');
      await writeFile(path, `${text(lines(0, 1))}1000 li`);
      const reader = new Reader([path]);
      await reader.has(lines(0, 1));
      await appendFile(path, 'ne 1\n2000');
      await reader.has(lines(0, 2));
      await appendFile(path, ' line 2\n');
      await reader.has(lines(0, 3));
      await reader.stop();
    }));

  it('reads a renamed file to its end, half line included, before the new one', () =>
    withFolder(async (folder) => {
      const path = join(folder, 'a.log');
      await writeFile(path, text(lines(0, 2)));
      const reader = new Reader([path]);
      await reader.has(lines(0, 2));
      await rename(path, `${path}.1`);
      await appendFile(`${path}.1`, `${text(lines(2, 3))}3000 line 3`);
      await writeFile(path, text(lines(4, 6)));
      await reader.has(lines(0, 6));
      expect(reader.counters.get('tail_rotations')).toBe(1);
      await reader.stop();
    }));

  it('reads from the start again after copy and truncate, even when the file is longer again', () =>
    withFolder(async (folder) => {
      const path = join(folder, 'a.log');
      await writeFile(path, text(lines(0, 3)));
      const reader = new Reader([path]);
      await reader.has(lines(0, 3));
      await copyFile(path, `${path}.1`);
      await truncate(path, 0);
      await appendFile(path, text(lines(10, 30)));
      await reader.has([...lines(0, 3), ...lines(10, 30)]);
      expect(reader.counters.get('tail_truncations')).toBeGreaterThanOrEqual(1);
      await reader.stop();
    }));

  it('waits for a file that is not there yet, and for one that went', () =>
    withFolder(async (folder) => {
      const path = join(folder, 'a.log');
      const reader = new Reader([path], { from: 'end' });
      await until('its start', () => reader.checkpoints > 0);
      await writeFile(path, text(lines(0, 2)));
      await reader.has(lines(0, 2));
      await unlink(path);
      await writeFile(path, text(lines(2, 4)));
      await reader.has(lines(0, 4));
      await reader.stop();
    }));

  it('resumes where the position says, and reads one window again without emitting it', () =>
    withFolder(async (folder) => {
      const path = join(folder, 'a.log');
      await writeFile(path, '');
      const first = new Reader([path]);
      // One chunk a piece, so that there are marks to go back to.
      for (let at = 0; at < 100; at += 5) {
        await appendFile(path, text(lines(at, at + 5)));
        await first.has(lines(0, at + 5));
      }
      await first.stop();
      await appendFile(path, text(lines(100, 103)));
      const second = new Reader([path], { saved: first.saved });
      await second.has(lines(100, 103));
      // Window 10 s and 10 s of lateness before second 99, rounded to a chunk.
      expect(second.refilled).toEqual(lines(100 - second.refilled.length, 100));
      expect(second.refilled.length).toBeGreaterThanOrEqual(20);
      expect(second.refilled.length).toBeLessThanOrEqual(30);
      await second.stop();
      const third = new Reader([path], { saved: second.saved });
      await until('a refill', () => third.refilled.length >= 20);
      expect(third.emitted).toEqual([]);
      await third.stop();
    }));

  it('finds a file that was renamed while it was not running, and loses nothing', () =>
    withFolder(async (folder) => {
      const path = join(folder, 'a.log');
      await writeFile(path, text(lines(0, 50)));
      const first = new Reader([path]);
      await first.has(lines(0, 50));
      await first.stop();
      await appendFile(path, text(lines(50, 60)));
      await rename(path, `${path}.1`);
      await writeFile(path, text(lines(60, 70)));
      const second = new Reader([path], { saved: first.saved });
      await second.has(lines(50, 70));
      expect(second.counters.get('tail_positions_lost')).toBe(0);
      await second.stop();
    }));

  it('reads every file that was rotated while it was not running, in order, and no copy made by hand', () =>
    withFolder(async (folder) => {
      const path = join(folder, 'a.log');
      await writeFile(path, text(lines(0, 50)));
      const first = new Reader([path]);
      await first.has(lines(0, 50));
      await first.stop();
      await rename(path, `${path}.2`);
      await writeFile(`${path}.1`, text(lines(50, 60)));
      await writeFile(`${path}.bak`, text(lines(50, 60)));
      await writeFile(path, text(lines(60, 70)));
      const second = new Reader([path], { saved: first.saved });
      await second.has(lines(50, 70));
      expect(second.counters.get('tail_rotations')).toBe(2);
      await second.stop();
    }));

  it('keeps its position while the file is away, and refills before it goes on when it is back', () =>
    withFolder(async (folder) => {
      const [path, away] = [join(folder, 'a.log'), join(folder, 'away')];
      await writeFile(path, text(lines(0, 50)));
      const first = new Reader([path]);
      await first.has(lines(0, 50));
      await first.stop();
      await rename(path, away);
      const second = new Reader([path], { saved: first.saved });
      await until('a position', () => second.checkpoints > 0);
      await appendFile(away, text(lines(50, 53)));
      await rename(away, path);
      await second.has(lines(50, 53));
      expect(second.refilled.at(-1)).toBe(lines(0, 50).at(-1));
      expect(second.counters.get('tail_positions_lost')).toBe(0);
      await second.stop();
    }));

  it('begins at the end of a file that could not be read at first, and stays there', () =>
    withFolder(async (folder) => {
      const [path, ready] = [join(folder, 'a.log'), join(folder, 'ready')];
      await mkdir(join(folder, 'no-file'));
      await symlink('no-file', path);
      await writeFile(ready, text(lines(0, 50)));
      const first = new Reader([path], { from: 'end' });
      await until('an error', () => first.counters.get('tail_errors') > 0);
      await rename(ready, path);
      await until('a position', () => JSON.stringify(first.saved).includes(path));
      expect(first.emitted).toEqual([]);
      await first.stop();
      await appendFile(path, text(lines(50, 52)));
      const second = new Reader([path], { from: 'end', saved: first.saved });
      await second.has(lines(50, 52));
      await second.stop();
    }));

  it('says so when the file at the position is gone, and goes on with the new one', () =>
    withFolder(async (folder) => {
      const path = join(folder, 'a.log');
      await writeFile(path, text(lines(0, 50)));
      const first = new Reader([path]);
      await first.has(lines(0, 50));
      await first.stop();
      await unlink(path);
      await writeFile(path, text(lines(90, 92)));
      const second = new Reader([path], { saved: first.saved, from: 'end' });
      await second.has(lines(90, 92));
      expect(second.counters.get('tail_positions_lost')).toBe(1);
      await second.stop();
    }));

  it('killed before its first line, goes on with the file it found, rotated meanwhile', () =>
    withFolder(async (folder) => {
      const path = join(folder, 'a.log');
      await writeFile(path, text(lines(0, 3)));
      const begun = new Reader([path], { only: 1 });
      await begun.stop();
      expect(begun.emitted).toEqual([]);
      await rename(path, `${path}.1`);
      await writeFile(path, text(lines(3, 5)));
      const second = new Reader([path], { saved: begun.saved });
      await second.has(lines(0, 5));
      await second.stop();
    }));

  it('killed before there is a file, reads one made since from its first line, asked for the end or not', () =>
    withFolder(async (folder) => {
      const path = join(folder, 'a.log');
      const begun = new Reader([path], { only: 1, from: 'end' });
      await begun.stop();
      await until('another millisecond', () => Date.now() > (begun.saved as { at: number }).at + 20);
      await writeFile(path, text(lines(0, 3)));
      const second = new Reader([path], { saved: begun.saved, from: 'end' });
      await second.has(lines(0, 3));
      await second.stop();
    }));

  it('passes a damaged saved position over', () =>
    withFolder(async (folder) => {
      const path = join(folder, 'a.log');
      await writeFile(path, text(lines(0, 2)));
      const reader = new Reader([path], { saved: { tail: { [path]: { offset: 'far' } } } });
      await reader.has(lines(0, 2));
      await reader.stop();
    }));

  it('follows several files with a position for each', () =>
    withFolder(async (folder) => {
      const [a, b] = [join(folder, 'a.log'), join(folder, 'b.log')];
      await writeFile(a, text(lines(0, 2)));
      await writeFile(b, text(lines(2, 4)));
      const first = new Reader([a, b]);
      await until('four lines', () => first.emitted.length === 4);
      await first.stop();
      await appendFile(b, text(lines(4, 5)));
      const second = new Reader([a, b], { saved: first.saved });
      await second.has(lines(4, 5));
      await second.stop();
    }));
});
