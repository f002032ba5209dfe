import { mkdir, mkdtemp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { Kept, type Recalled } from './kept.js';
import { openSealedJson, sealJson } from './sealed-json.js';

const schema = z.object({ v: z.literal(1), name: z.string() });

let folder: string;
let said: string[];
let nowMs: number;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lineheron-kept-'));
  said = [];
  nowMs = 0;
});

afterEach(() => rm(folder, { recursive: true, force: true }));

/** A part that knows a name. */
function part(name: string | null, recalled: Recalled = { known: 1, anew: 0 }) {
  const known = { name };
  const say = (level: string) => (fields: object, message: string) =>
    void said.push(`${level}: ${message} ${JSON.stringify(fields)}`);
  const kept = new Kept({
    what: 'the names',
    path: join(folder, 'names.json'),
    everyMs: 1000,
    save: () => (known.name === null ? null : sealJson({ v: 1, name: known.name })),
    load: (bytes) => {
      known.name = openSealedJson(bytes, schema).name;
      return recalled;
    },
    monotonicMs: () => nowMs,
    log: { info: say('info'), warn: say('warn') },
  });
  return { kept, known };
}

describe('sealed JSON', () => {
  it('comes back as it was, and every changed bit, every cut and another shape are refused', () => {
    const sealed = sealJson({ v: 1, name: 'é' });
    expect(openSealedJson(sealed, schema)).toEqual({ v: 1, name: 'é' });
    for (let length = 0; length < sealed.length; length++) {
      expect(() => openSealedJson(sealed.subarray(0, length), schema)).toThrow('checksum');
      for (let bit = 0; bit < 8; bit++) {
        const damaged = Buffer.from(sealed);
        damaged[length]! ^= 1 << bit;
        expect(() => openSealedJson(damaged, schema)).toThrow('checksum');
      }
    }
    expect(() => openSealedJson(sealJson({ v: 2, name: 'é' }), schema)).toThrow('version or shape');
  });
});

describe('what is kept', () => {
  it('is there after a restart, and what is of another model is told', async () => {
    await part('heron').kept.keep();
    const after = part(null, { known: 2, anew: 3 });
    await after.kept.start();
    expect(after.known.name).toBe('heron');
    expect(said).toEqual([
      'info: the names go on as before the restart {"known":2}',
      'warn: the names begin anew: their model is another one {"anew":3}',
    ]);
  });

  it('is nothing at the first start, and no word is said of it', async () => {
    const first = part(null);
    await first.kept.start();
    await first.kept.keep();
    expect(await readdir(folder)).toEqual([]);
    expect(said).toEqual([]);
  });

  it('begins anew where the file is damaged, too large or cannot be read, and that is told', async () => {
    const path = join(folder, 'names.json');
    const started = async () => {
      const { kept, known } = part('as it was');
      await kept.start();
      expect(known.name).toBe('as it was');
      return said.at(-1);
    };
    await writeFile(path, 'nothing of the kind');
    expect(await started()).toMatch(/^warn: the names begin anew .*checksum is wrong/);
    await truncate(path, 129 * 1024 * 1024);
    expect(await started()).toMatch(/^warn: the names begin anew .*135266304 bytes/);
    await rm(path);
    await mkdir(path);
    expect(await started()).toMatch(/^warn: the names begin anew .*EISDIR/);
    expect(said).toHaveLength(3);
  });

  it('is written when it is time to, one after the other, and whole', async () => {
    const { kept, known } = part('first');
    await kept.start();
    nowMs = 999;
    kept.keepDue();
    expect(await readdir(folder)).toEqual([]);
    nowMs = 1000;
    kept.keepDue();
    known.name = 'second';
    kept.keepDue();
    await Promise.all([kept.keep(), kept.keep()]);
    const bytes = await readFile(join(folder, 'names.json'));
    expect(openSealedJson(bytes, schema)).toEqual({ v: 1, name: 'second' });
    expect(await readdir(folder)).toEqual(['names.json']);
  });
});
