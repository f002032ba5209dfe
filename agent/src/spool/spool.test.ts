/** The spool on a real disk: torn tails, bit flips, acknowledgements, bounds, restarts. */
import { randomBytes } from 'node:crypto';
import { copyFile, mkdir, readdir, readFile, symlink, truncate, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { Counters } from '../counters.js';
import { silentLog, until, withFolder } from '../test-support.js';
import { FILE_HEADER_BYTES } from './entry.js';
import { Spool, type SpoolOptions } from './spool.js';

const BOOT = '0123456789abcdef';

function batch(sequence: number, bytes = Buffer.from(`batch ${sequence}`)) {
  return { boot: BOOT, sequence, windows: 2, bytes, createdMs: 1_000 * sequence, marks: [] };
}

async function open(folder: string, options: Partial<SpoolOptions> = {}) {
  const counters = new Counters();
  const spool = new Spool({
    folder,
    maxBytes: 1024 * 1024,
    segmentBytes: 64 * 1024,
    whenFull: 'thin',
    log: silentLog,
    counters,
    ...options,
  });
  await spool.start();
  return { spool, counters };
}

/** Every waiting batch's text, oldest first. */
async function waiting(spool: Spool): Promise<string[]> {
  const texts: string[] = [];
  const seen = new Set<number>();
  for (;;) {
    const next = spool.oldest(({ sequence }) => seen.has(sequence));
    if (!next) return texts;
    seen.add(next.sequence);
    texts.push((await spool.read(next))!.toString());
  }
}

const segments = async (folder: string) =>
  (await readdir(folder)).filter((name) => name.endsWith('.spool')).sort();

describe('Spool', () => {
  it('gives back after a restart what was not acknowledged, with boot, sequence and position as they were', () =>
    withFolder(async (folder) => {
      const first = await open(folder);
      await first.spool.append({ position: { at: 1 }, batches: [batch(1), batch(2)] });
      await first.spool.append({ position: { at: 2 }, batches: [batch(3)] });
      first.spool.acknowledge([{ boot: BOOT, from: 1, to: 2 }]);
      await first.spool.close();
      const { spool } = await open(folder);
      expect(spool.position).toEqual({ at: 2 });
      expect(spool.oldest(() => false)).toEqual({ boot: BOOT, sequence: 3, createdMs: 3_000 });
      expect(await waiting(spool)).toEqual(['batch 3']);
      await spool.close();
    }));

  it('cuts a last entry torn at any length and keeps all entries before it', () =>
    withFolder(async (folder) => {
      const source = join(folder, 'source');
      const { spool } = await open(source);
      await spool.append({ position: { at: 1 }, batches: [batch(1)] });
      const wholeBytes = spool.bytes;
      await spool.append({ position: { at: 2 }, batches: [batch(2)] });
      const fullBytes = spool.bytes;
      await spool.close();
      const [name] = await segments(source);
      for (let length = wholeBytes; length < fullBytes; length++) {
        const copy = join(folder, `cut-${length}`);
        await mkdir(copy);
        await copyFile(join(source, name!), join(copy, name!));
        await truncate(join(copy, name!), length);
        const cut = await open(copy);
        expect(await waiting(cut.spool)).toEqual(['batch 1']);
        expect(cut.spool.position).toEqual({ at: 1 });
        await cut.spool.append({ position: { at: 3 }, batches: [batch(3)] });
        await cut.spool.close();
        const again = await open(copy);
        expect(await waiting(again.spool)).toEqual(['batch 1', 'batch 3']);
        await again.spool.close();
      }
    }));

  it('starts on a file torn anywhere, even in its header', () =>
    withFolder(async (folder) => {
      for (let length = 0; length <= FILE_HEADER_BYTES + 3; length++) {
        const torn = join(folder, `torn-${length}`);
        const made = await open(torn);
        await made.spool.append({ position: null, batches: [batch(1)] });
        await made.spool.close();
        const [name] = await segments(torn);
        await truncate(join(torn, name!), length);
        const { spool } = await open(torn);
        expect(spool.batches).toBe(0);
        await spool.append({ position: null, batches: [batch(2)] });
        expect(await waiting(spool)).toEqual(['batch 2']);
        await spool.close();
      }
    }));

  it(
    'never hands out a batch with a flipped bit, and loses at most one entry to each',
    () =>
      withFolder(async (folder) => {
        const source = join(folder, 'source');
        const { spool } = await open(source);
        for (const sequence of [1, 2, 3])
          await spool.append({ position: { at: sequence }, batches: [batch(sequence)] });
        await spool.close();
        const [name] = await segments(source);
        const bytes = await readFile(join(source, name!));
        for (let at = FILE_HEADER_BYTES; at < bytes.length; at++) {
          const folderOf = join(folder, `flip-${at}`);
          await mkdir(folderOf);
          const flipped = Buffer.from(bytes);
          flipped[at] = flipped[at]! ^ (1 << (at % 8));
          await writeFile(join(folderOf, name!), flipped);
          const damaged = await open(folderOf);
          const texts = await waiting(damaged.spool);
          expect(texts.length).toBeGreaterThanOrEqual(2);
          for (const text of texts) expect(['batch 1', 'batch 2', 'batch 3']).toContain(text);
          expect([{ at: 2 }, { at: 3 }]).toContainEqual(damaged.spool.position);
          if (texts.length < 3) {
            const counted =
              damaged.counters.get('spool_damaged_segments') + damaged.counters.get('spool_torn_tails');
            expect(counted).toBe(1);
          }
          await damaged.spool.close();
        }
      }),
    60_000,
  );

  it('sets a segment that is damaged in its middle aside and goes on with its good entries', () =>
    withFolder(async (folder) => {
      const made = await open(folder);
      const ends: number[] = [];
      for (const sequence of [1, 2, 3]) {
        await made.spool.append({ position: { at: sequence }, batches: [batch(sequence)] });
        ends.push(made.spool.bytes);
      }
      await made.spool.close();
      const [name] = await segments(folder);
      const bytes = await readFile(join(folder, name!));
      bytes[ends[1]! - 1]! ^= 0xff;
      await writeFile(join(folder, name!), bytes);
      const { spool, counters } = await open(folder);
      expect(await waiting(spool)).toEqual(['batch 1', 'batch 3']);
      expect(spool.position).toEqual({ at: 3 });
      expect(counters.get('spool_damaged_segments')).toBe(1);
      expect(await readdir(folder)).toContain(`${name}.damaged`);
      await spool.close();
      const again = await open(folder);
      expect(await waiting(again.spool)).toEqual(['batch 1', 'batch 3']);
      await again.spool.close();
    }));

  it('sets a file that is no spool aside instead of failing', () =>
    withFolder(async (folder) => {
      await writeFile(join(folder, '000000000007.spool'), 'this is no spool file at all');
      const { spool, counters } = await open(folder);
      expect(counters.get('spool_damaged_segments')).toBe(1);
      await spool.append({ position: null, batches: [batch(1)] });
      expect(await waiting(spool)).toEqual(['batch 1']);
      await spool.close();
    }));

  it('removes a segment once all in it is acknowledged, and the position outlives it', () =>
    withFolder(async (folder) => {
      const { spool } = await open(folder, { segmentBytes: 16 * 1024 });
      const text = randomBytes(6000);
      for (let sequence = 1; sequence <= 10; sequence++) {
        await spool.append({ position: { at: sequence }, batches: [batch(sequence, text)] });
      }
      expect((await segments(folder)).length).toBeGreaterThan(3);
      const gone = spool.acknowledge([{ boot: BOOT, from: 1, to: 9_000_000_000_000_000 }]);
      expect(gone.length).toBe(10);
      await until('old segments to go', async () => (await segments(folder)).length === 1);
      await spool.close();
      const again = await open(folder);
      expect(again.spool.batches).toBe(0);
      expect(again.spool.position).toEqual({ at: 10 });
      await again.spool.close();
    }));

  it('ignores acknowledgements of what it does not hold', () =>
    withFolder(async (folder) => {
      const { spool } = await open(folder);
      await spool.append({ position: null, batches: [batch(5)] });
      expect(spool.acknowledge([{ boot: 'ffffffffffffffff', from: 1, to: 10 }])).toEqual([]);
      expect(spool.acknowledge([{ boot: BOOT, from: 6, to: 5 }])).toEqual([]);
      expect(spool.acknowledge([{ boot: BOOT, from: 1, to: 4 }])).toEqual([]);
      expect(spool.batches).toBe(1);
      await spool.close();
    }));

  it('drops the oldest when full, counts batches and windows, and stays within its bound', () =>
    withFolder(async (folder) => {
      const maxBytes = 64 * 1024;
      const { spool, counters } = await open(folder, { maxBytes, segmentBytes: 16 * 1024 });
      const text = randomBytes(5000);
      for (let sequence = 1; sequence <= 40; sequence++) {
        await spool.append({ position: null, batches: [batch(sequence, text)] });
        expect(spool.bytes).toBeLessThanOrEqual(maxBytes);
      }
      const dropped = counters.get('spool_dropped_batches');
      expect(dropped).toBeGreaterThan(0);
      expect(spool.batches).toBe(40 - dropped);
      expect(counters.get('spool_dropped_windows')).toBe(2 * dropped);
      expect(spool.oldest(() => false)?.sequence).toBe(dropped + 1);
      await spool.close();
    }));

  it('says when it is full to a source that waits, drops nothing, and has room again after an acknowledgement', () =>
    withFolder(async (folder) => {
      const bounds = { maxBytes: 64 * 1024, segmentBytes: 16 * 1024, whenFull: 'wait' as const };
      const { spool, counters } = await open(folder, bounds);
      let sequence = 0;
      while (!spool.isFull)
        await spool.append({ position: null, batches: [batch(++sequence, randomBytes(15_000))] });
      expect(spool.batches).toBe(sequence);
      expect(counters.get('spool_dropped_batches')).toBe(0);
      spool.acknowledge([{ boot: BOOT, from: 1, to: sequence }]);
      await until('room', () => !spool.isFull);
      await spool.close();
    }));

  it('has room again even when one huge entry filled it alone', () =>
    withFolder(async (folder) => {
      const bounds = { maxBytes: 64 * 1024, segmentBytes: 16 * 1024, whenFull: 'wait' as const };
      const { spool } = await open(folder, bounds);
      await spool.append({ position: { at: 1 }, batches: [batch(1, randomBytes(200_000))] });
      expect(spool.isFull).toBe(true);
      spool.acknowledge([{ boot: BOOT, from: 1, to: 1 }]);
      await until('room', () => !spool.isFull);
      await spool.close();
      expect((await open(folder, bounds)).spool.position).toEqual({ at: 1 });
    }));

  it('rejects an append that the disk refuses, and takes it when the disk does again', () =>
    withFolder(async (folder) => {
      const place = join(folder, 'spool');
      const { spool } = await open(place, { segmentBytes: 16 * 1024 });
      // The next segment's name is taken by a folder: creating the file fails.
      await mkdir(join(place, '000000000001.spool'));
      await expect(spool.append({ position: null, batches: [batch(1)] })).rejects.toThrow();
      expect(spool.batches).toBe(0);
      const { rmdir } = await import('node:fs/promises');
      await rmdir(join(place, '000000000001.spool'));
      await spool.append({ position: null, batches: [batch(1)] });
      expect(await waiting(spool)).toEqual(['batch 1']);
      await spool.close();
    }));

  it('rejects, and goes on later, where its disk is /dev/full', () =>
    withFolder(async (folder) => {
      const { spool } = await open(folder);
      await symlink('/dev/full', join(folder, '000000000001.spool'));
      await expect(spool.append({ position: null, batches: [batch(1)] })).rejects.toThrow(/ENOSPC/);
      expect(spool.batches).toBe(0);
      await unlink(join(folder, '000000000001.spool'));
      await spool.append({ position: null, batches: [batch(1)] });
      expect(await waiting(spool)).toEqual(['batch 1']);
      await spool.close();
    }));

  it('drops a batch that was damaged on the disk while it waited, and counts it', () =>
    withFolder(async (folder) => {
      const { spool, counters } = await open(folder);
      await spool.append({ position: null, batches: [batch(1), batch(2)] });
      const [name] = await segments(folder);
      const bytes = await readFile(join(folder, name!));
      bytes[bytes.length - 1]! ^= 1;
      await writeFile(join(folder, name!), bytes);
      expect(await spool.read({ boot: BOOT, sequence: 2 })).toBeNull();
      expect(counters.get('spool_damaged_batches')).toBe(1);
      expect(await waiting(spool)).toEqual(['batch 1']);
      await spool.close();
    }));
});
