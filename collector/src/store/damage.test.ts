/** Stores with real bytes damaged: found, told, set aside, and never deleted. */
import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, open, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Sqlite from 'better-sqlite3';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { BOOT } from '../testing/messages.js';
import { LIMITS, makeAlert, makeStored, makeTraining } from '../testing/stored.js';
import { toThreadError } from './answer-calls.js';
import { BackgroundCheck } from './background-check.js';
import { toCommitRows } from './commit-rows.js';
import { openStore } from './open-store.js';
import { SqliteEngine } from './sqlite-engine.js';
import { SqliteStore } from './sqlite-store.js';
import type { Commit, StoreProblem } from './store.js';
import { checkAtStart } from './store-check.js';

let folder: string;
let path: string;
let store: SqliteStore;
let told: string[];
const PAGE = 4096;
const NOTHING: Commit = { ranges: [], windows: [], records: [], alerts: [], totals: {} };
const RANGE = { agent: 'gw-1', boot: BOOT, first: 1, last: 2000, complete: true };

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lineheron-damage-'));
  path = join(folder, 'lineheron.db');
  told = [];
  store = build();
});

afterEach(async () => {
  await store.close();
  await rm(folder, { recursive: true, force: true });
});

const build = () => new SqliteStore({ path, limits: LIMITS, onProblem: (message) => told.push(message) });

/** A store of some hundred pages that was closed in order. */
async function fill(): Promise<void> {
  await store.open();
  await store.commit({
    ...NOTHING,
    ranges: [RANGE],
    windows: Array.from({ length: 2000 }, (_, n) => makeStored(n + 1)),
    alerts: [makeAlert()],
    totals: { windows: 2000 },
  });
  await store.saveSettings({ detecting: true, active_model: 'autoencoder' });
  await store.saveTraining(makeTraining());
  await store.close();
}

async function overwrite(offset: number, bytes: Uint8Array): Promise<void> {
  const file = await open(path, 'r+');
  await file.write(bytes, 0, bytes.length, offset);
  await file.close();
}

/** The page of a table or an index where its tree begins. */
function rootOf(name: string): number {
  const database = new Sqlite(path, { readonly: true });
  const root = database
    .prepare('SELECT rootpage FROM sqlite_schema WHERE name = ?')
    .pluck()
    .get(name) as number;
  database.close();
  return root;
}

const asides = async () =>
  (await readdir(folder)).filter((name) => /\.damaged-[^.]*Z(-\d+)?$/.test(name)).sort();
const problem = (code: StoreProblem['code']) => store.state.problems.find((one) => one.code === code);

async function expectSetAside(): Promise<void> {
  const before = await readFile(path);
  store = build();
  await store.open();
  const [aside, ...more] = await asides();
  expect(more).toEqual([]);
  expect(Buffer.compare(await readFile(join(folder, aside!)), before)).toBe(0);
  expect(problem('store_set_aside')?.message).toContain(join(folder, aside!));
  expect(told[0]).toContain('set aside');
  await store.commit({ ...NOTHING, windows: [makeStored(1, {}, 'ffffffffffffffff')] });
  expect(await store.recentWindows({ limit: 9 })).toHaveLength(1);
}

describe('a store that is damaged when the collector starts', () => {
  it.each([
    [
      'whose middle is zeroed',
      (size: number) => [PAGE * Math.floor(size / PAGE / 2), Buffer.alloc(8 * PAGE)],
    ],
    ['whose header is overwritten', () => [0, Buffer.alloc(100, 'x')]],
    ['whose first page is zeroed', () => [0, Buffer.alloc(PAGE)]],
    ['whose last pages are rubble', (size: number) => [size - 6 * PAGE, Buffer.alloc(6 * PAGE, 0xa5)]],
  ] as Array<[string, (size: number) => [number, Buffer]]>)(
    '%s is set aside whole, and a new one takes what comes',
    async (_, damage) => {
      await fill();
      const { size } = await stat(path);
      await overwrite(...damage(size));
      await expectSetAside();
    },
  );

  it('because half of it is missing is set aside', async () => {
    await fill();
    const bytes = await readFile(path);
    await writeFile(path, bytes.subarray(0, Math.floor(bytes.length / PAGE / 2) * PAGE));
    await expectSetAside();
  });

  it('in its windows gives up settings, totals, trainings, alerts and what was received', async () => {
    await fill();
    await overwrite((rootOf('windows_1') - 1) * PAGE, Buffer.alloc(PAGE));
    await expectSetAside();
    expect(await store.settings()).toEqual({ detecting: true, active_model: 'autoencoder' });
    expect(await store.totals()).toEqual({ windows: 2000 });
    expect(await store.trainings(9)).toEqual([makeTraining()]);
    expect(await store.alerts({ limit: 9 })).toEqual([makeAlert()]);
    expect(await store.receivedRanges()).toEqual([RANGE]);
    expect(told[0]).toContain('carried over: 2 settings, 1 totals, 1 trainings, 1 alerts, 1 received');
  });

  it('in its settings too gives up what is left, and begins with the defaults', async () => {
    await fill();
    await overwrite((rootOf('settings') - 1) * PAGE, Buffer.alloc(PAGE, 0xff));
    await expectSetAside();
    expect(await store.settings()).toEqual({});
    expect(await store.alerts({ limit: 9 })).toEqual([makeAlert()]);
  });

  it('goes on to be told of at later starts, until somebody has moved it away', async () => {
    await fill();
    await overwrite(0, Buffer.alloc(PAGE));
    await expectSetAside();
    const [aside] = await asides();
    await store.close();
    store = build();
    await store.open();
    expect(problem('store_set_aside')?.message).toContain('lies aside');
    expect(problem('store_set_aside')?.sinceMs).toBeGreaterThan(Date.now() - 60_000);
    await store.close();
    await rm(join(folder, aside!));
    store = build();
    await store.open();
    expect(store.state.problems).toEqual([]);
  });

  it('again and again is set aside five times, then the start is refused', async () => {
    for (let n = 1; n <= 6; n++) {
      await writeFile(path, 'rubble '.repeat(1000));
      store = build();
      if (n === 6)
        await expect(store.open()).rejects.toThrow(/damaged again, and 5 damaged ones lie beside it/);
      else await store.open();
      await store.close();
    }
    expect(await asides()).toHaveLength(5);
    expect(await readFile(path, 'utf8')).toContain('rubble');
  });

  it('is not taken for damaged when its folder cannot be read, and nothing is moved', async () => {
    await fill();
    const file = join(folder, 'file');
    await writeFile(file, '');
    const impossible = new SqliteStore({ path: join(file, 'lineheron.db'), limits: LIMITS });
    await expect(impossible.open()).rejects.toThrow();
    expect(await asides()).toEqual([]);
  });

  it.each(['folder', 'pipe'])(
    'is not taken for damaged when it is a %s, and the start is refused at once',
    async (kind) => {
      if (kind === 'folder') await mkdir(path);
      else execFileSync('mkfifo', [path]);
      store = build();
      await expect(store.open()).rejects.toThrow(/lineheron\.db is no file/);
      expect(await asides()).toEqual([]);
    },
  );

  it('was left by a process that ended while setting it aside: the next start finishes that', async () => {
    await fill();
    const next = await readFile(path);
    await rename(path, `${path}.damaged-20261201T000000Z`);
    await writeFile(`${path}.next`, next);
    store = build();
    await store.open();
    expect(await store.settings()).toMatchObject({ detecting: true });
  });
});

describe('a store that becomes damaged while it is in use', () => {
  it('is told of by the question that met it, with path and remedy, and is set aside at the next start', async () => {
    await fill();
    await store.open();
    const root = rootOf('alerts');
    await overwrite((root - 1) * PAGE, Buffer.alloc(PAGE));
    await expect(store.alerts({ limit: 1 })).rejects.toThrow(path);
    expect(problem('store_damaged')?.message).toMatch(/is damaged: .*Restart the collector/);
    // What it does not meet goes on.
    await store.commit({ ...NOTHING, windows: [makeStored(3000)] });
    expect(store.state.failing).toBeNull();
    await store.close();
    store = build();
    await store.open();
    expect(await asides()).toHaveLength(1);
    expect(await store.settings()).toMatchObject({ detecting: true });
  });

  it('fails the commit that meets it, with path and remedy, and is set aside at the next start', async () => {
    await fill();
    const { database } = openStore(path, 0);
    database.pragma('cache_size = 0');
    const engine = new SqliteEngine(database, path, LIMITS);
    await overwrite((rootOf('received') - 1) * PAGE, Buffer.alloc(PAGE));
    database.pragma('shrink_memory');
    let fault: unknown;
    try {
      engine.commit(toCommitRows({ ...NOTHING, ranges: [{ ...RANGE, boot: 'ffffffffffffffff' }] }));
    } catch (error) {
      fault = error;
    }
    const error = toThreadError(path, fault);
    expect(error).toMatchObject({ damage: true, message: expect.stringContaining(path) });
    expect(error.message).toMatch(/is damaged: .*Restart the collector: it sets the damaged store aside/);
    engine.close();
    store = build();
    await store.open();
    expect(await asides()).toHaveLength(1);
  });

  it('is found by the check in the background, and is set aside at the next start', async () => {
    await fill();
    const root = rootOf('batches_1');
    await store.open();
    await overwrite((root - 1) * PAGE, Buffer.alloc(PAGE));
    const check = new BackgroundCheck(path, (message) => told.push(message));
    check.start(null);
    await expect.poll(() => told.at(-1), { timeout: 10_000 }).toContain('is damaged');
    await store.close();
    store = build();
    await store.open();
    expect(await asides()).toHaveLength(1);
  });
});

describe('the check of a large store at the start', () => {
  it('leaves what there is no time for to the background, newest slices first', async () => {
    await fill();
    const database = new Sqlite(path);
    expect(checkAtStart(database, path)).toEqual([]);
    expect(checkAtStart(database, path, { wholeBytes: 0, startMs: 60_000 })).toEqual([]);
    const left = checkAtStart(database, path, { wholeBytes: 0, startMs: 0 });
    expect(left.slice(-4).sort()).toEqual(['batches_1', 'lines_1', 'records_1', 'windows_1']);
    expect(left).toContain('settings');
    database.close();
  });
});
