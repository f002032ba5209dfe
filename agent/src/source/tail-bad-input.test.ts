/** What a tail does with paths and files that are not what it expects: each is told, counted, and stops nobody else. */
import { execFileSync } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import {
  appendFile,
  chmod,
  chown,
  mkdir,
  mkdtemp,
  rename,
  rm,
  symlink,
  truncate,
  unlink,
  writeFile,
} from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { until, withFolder } from '../test-support.js';
import { MAX_LINE_BYTES } from './line-cutter.js';
import { lines, type ReaderOptions, TailReader, text } from './tail-test-support.js';

/** A reader whose log is kept. */
function reading(paths: string[], options: ReaderOptions = {}) {
  const said: string[] = [];
  const keep = (...args: unknown[]) => {
    said.push(`${JSON.stringify(args[0])} ${args[1]}`);
  };
  const log = { debug: keep, info: keep, warn: keep, error: keep };
  return { reader: new TailReader(paths, { ...options, log }), said };
}

const NOBODY = 65_534;

/** In memory where that is possible: a hundred thousand files take long on a disk. */
async function withMemoryFolder<T>(work: (folder: string) => Promise<T>): Promise<T> {
  if (!existsSync('/dev/shm')) return withFolder(work);
  const folder = await mkdtemp('/dev/shm/lineheron-agent-');
  try {
    return await work(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

describe('a tail and paths that are no files', () => {
  it.each([
    ['a folder', (path: string) => mkdir(path), /a folder: name files in it/],
    ['a FIFO', (path: string) => execFileSync('mkfifo', [path]), /a FIFO: read it by the source stdin/],
    ['a loop of symbolic links', (path: string) => symlink(path, path), /leads back to itself/],
    ['a device', (path: string) => symlink('/dev/zero', path), /a device or socket, and no plain file/],
  ])('tells %s once with advice, counts it, and reads the others', (_, make, message) =>
    withFolder(async (folder) => {
      const [odd, good] = [join(folder, 'odd.log'), join(folder, 'good.log')];
      await make(odd);
      await writeFile(good, text(lines(0, 2)));
      const { reader, said } = reading([odd, good]);
      await reader.has(lines(0, 2));
      await until('three attempts', () => reader.counters.get('tail_errors') >= 3);
      expect(said.filter((line) => line.includes('odd.log'))).toHaveLength(1);
      expect(said.find((line) => line.includes('odd.log'))).toMatch(message);
      await appendFile(good, text(lines(2, 3)));
      await reader.has(lines(0, 3));
      await reader.stop();
    }),
  );

  it('reads on what is open when its permission goes, tells what it may not open next, and goes on when it may', () =>
    withFolder(async (folder) => {
      const path = join(folder, 'a.log');
      await writeFile(path, text(lines(0, 2)));
      for (const one of [folder, path]) await chown(one, NOBODY, NOBODY).catch(() => {});
      const asRoot = process.getuid?.() === 0;
      // Root may read everything: as nobody the test is one.
      if (asRoot) process.seteuid!(NOBODY);
      try {
        const { reader, said } = reading([path]);
        await reader.has(lines(0, 2));
        await chmod(path, 0o200);
        await appendFile(path, text(lines(2, 3)));
        await reader.has(lines(0, 3));
        await rename(path, `${path}.1`);
        await writeFile(path, text(lines(3, 4)));
        await chmod(path, 0o000);
        await until('the refusal', () => said.some((line) => /EACCES|permission/i.test(line)));
        await chmod(path, 0o600);
        await reader.has(lines(0, 4));
        expect(said.some((line) => line.includes('can be read again'))).toBe(true);
        await reader.stop();
      } finally {
        if (asRoot) process.seteuid!(0);
      }
    }));

  it('keeps its place when the file vanishes and comes back', () =>
    withFolder(async (folder) => {
      const [path, away] = [join(folder, 'a.log'), join(folder, 'elsewhere')];
      await writeFile(path, text(lines(0, 2)));
      const { reader } = reading([path]);
      await reader.has(lines(0, 2));
      await rename(path, away);
      await appendFile(away, text(lines(2, 3)));
      await reader.has(lines(0, 3));
      await rename(away, path);
      await appendFile(path, text(lines(3, 4)));
      await reader.has(lines(0, 4));
      await unlink(path);
      await writeFile(path, text(lines(4, 5)));
      await reader.has(lines(0, 5));
      await reader.stop();
    }));
});

describe('a tail and contents that are no lines', () => {
  it('gives of a line of 10 MB as much as shows that it is too long, and goes on after it', () =>
    withFolder(async (folder) => {
      const path = join(folder, 'a.log');
      const long = 'x'.repeat(10 * 1024 * 1024);
      await writeFile(path, `${text(lines(0, 1))}${long}\n${text(lines(1, 2))}`);
      const { reader } = reading([path]);
      await until('three lines', () => reader.emitted.length === 3);
      expect([reader.emitted[0], reader.emitted[2]]).toEqual(lines(0, 2));
      expect(reader.emitted[1]!.length).toBe(MAX_LINE_BYTES + 1);
      await reader.stop();
    }));

  it('does not take the rest of a line that is too long for a line after a restart', () =>
    withFolder(async (folder) => {
      const path = join(folder, 'a.log');
      await writeFile(path, 'x'.repeat(600_000));
      const first = reading([path]).reader;
      await until('its beginning', () => first.emitted.length === 1);
      await until('its position', () => JSON.stringify(first.saved ?? '').includes('"offset":600000'));
      await first.stop();
      await appendFile(path, `tail of it\n${text(lines(0, 1))}`);
      const second = reading([path], { saved: first.saved }).reader;
      await second.has(lines(0, 1));
      await second.stop();
    }));

  it('warns of a file that is no text, and passes over the hole that a truncated writer leaves', () =>
    withFolder(async (folder) => {
      const [path, binary] = [join(folder, 'a.log'), join(folder, 'b.log')];
      await writeFile(binary, Buffer.from([1, 0, 2, 10, 0, 255, 254, 10]));
      await writeFile(path, text(lines(0, 5)));
      const { reader, said } = reading([path, binary]);
      await until('both files', () => reader.emitted.length >= 6);
      expect(said.filter((line) => line.includes('does not look like text'))).toHaveLength(1);
      const before = reader.emitted.length;
      const size = text(lines(0, 5)).length;
      await truncate(path, 0);
      await truncate(path, size);
      await appendFile(path, text(lines(5, 7)));
      await until('what follows the hole', () => reader.emitted.length >= before + 2);
      expect(reader.emitted.slice(before)).toEqual(lines(5, 7));
      await reader.stop();
    }));

  it('reads what is left of a damaged packed file, counts it, and goes on with the next', () =>
    withFolder(async (folder) => {
      const path = join(folder, 'a.log');
      await writeFile(path, text(lines(0, 100)));
      const first = reading([path]).reader;
      await first.has(lines(0, 100));
      await first.stop();
      const whole = gzipSync(Buffer.from(text(lines(0, 50_000))));
      await writeFile(`${path}.1.gz`, whole.subarray(0, whole.length / 2));
      await unlink(path);
      await writeFile(path, text(lines(60_000, 60_001)));
      const second = reading([path], { saved: first.saved }).reader;
      await until('the new file', () => second.emitted.at(-1) === lines(60_000, 60_001)[0]);
      const found = second.emitted.slice(0, -1).filter((line) => line.includes('line'));
      expect(found.length).toBeGreaterThan(1000);
      expect(found.slice(0, 1000)).toEqual(lines(100, 1100));
      expect(second.counters.get('tail_damaged_archives')).toBe(1);
      await second.stop();
    }));
});

describe('a tail with patterns', () => {
  it('reads files that fit, new ones from their start, and no rotated form of one it follows', () =>
    withFolder(async (folder) => {
      await mkdir(join(folder, 'deep', 'er'), { recursive: true });
      await writeFile(join(folder, 'a.log'), text(lines(0, 1)));
      await writeFile(join(folder, 'a.log.1'), 'rotated\n');
      await writeFile(join(folder, 'a-20260101.log'), 'rotated\n');
      await writeFile(join(folder, 'a.log.2.gz'), 'packed\n');
      await writeFile(join(folder, '.hidden.log'), 'hidden\n');
      await symlink(join(folder, 'a.log'), join(folder, 'same.log'));
      const { reader } = reading([join(folder, '**', '*.log*')], { from: 'end' });
      await until('a position', () => reader.saved);
      await appendFile(join(folder, 'a.log'), text(lines(1, 2)));
      await reader.has(lines(1, 2));
      await writeFile(join(folder, 'b.log'), text(lines(2, 4)));
      await reader.has(lines(1, 4));
      await writeFile(join(folder, 'deep', 'er', 'c.log'), text(lines(4, 5)));
      await reader.has(lines(1, 5));
      await reader.stop();
    }));

  it('after a restart reads what appeared meanwhile from its start, and what it knew from where it stood', () =>
    withFolder(async (folder) => {
      await writeFile(join(folder, 'a.log'), text(lines(0, 30)));
      const pattern = join(folder, '*.log');
      const first = reading([pattern]).reader;
      await first.has(lines(0, 30));
      await first.stop();
      await until('another moment', () => Date.now() > (first.saved as { at: number }).at + 20);
      await writeFile(join(folder, 'b.log'), text(lines(30, 32)));
      const second = reading([pattern], { from: 'end', saved: first.saved }).reader;
      await second.has(lines(30, 32));
      await second.stop();
    }));

  it(
    'follows no more than max_files of a hundred thousand, says so once, and holds no more in memory',
    () =>
      withMemoryFolder(async (folder) => {
        for (let file = 0; file < 100_000; file++) writeFileSync(join(folder, `${file}.log`), '');
        const newest = join(folder, '77777.log');
        await writeFile(newest, text(lines(0, 2)));
        const before = process.memoryUsage().rss;
        const { reader, said } = reading([join(folder, '*.log')], { maxFiles: 8 });
        await reader.has(lines(0, 2));
        expect(reader.counters.get('tail_too_many_files')).toBe(1);
        expect(said.filter((line) => line.includes('more files than max_files'))).toHaveLength(1);
        expect(said[0]).toContain('"matches":100000');
        const saved = reader.saved as { tail: object };
        expect(Object.keys(saved.tail).length).toBeLessThanOrEqual(8);
        expect(process.memoryUsage().rss - before).toBeLessThan(60 * 1024 * 1024);
        await reader.stop();
      }),
    120_000,
  );
});
