/** What a store may hold: bytes and time, kept to at any rate, told when the bytes cut the time short. */
import { mkdtemp, readdir, rename, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Sqlite from 'better-sqlite3';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { makeStored } from '../testing/stored.js';
import { toCommitRows } from './commit-rows.js';
import { openStore } from './open-store.js';
import { SqliteEngine } from './sqlite-engine.js';
import { SqliteReader } from './sqlite-reader.js';
import { SqliteStore } from './sqlite-store.js';
import type { Commit, StoreLimits } from './store.js';

const HOUR_MS = 3_600_000;
const MB = 1_000_000;
const LIMITS: StoreLimits = {
  windowsMs: 168 * HOUR_MS,
  recordsMs: 24 * HOUR_MS,
  maxBytes: 20 * MB,
  maxAlerts: 1000,
};
const NOTHING: Commit = { ranges: [], windows: [], records: [], alerts: [], totals: {} };

let folder: string;
let path: string;
let sequence: number;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lineheron-bounds-'));
  path = join(folder, 'lineheron.db');
  sequence = 0;
});

afterEach(() => rm(folder, { recursive: true, force: true }));

const START_MS = Date.UTC(2026, 10, 1);
const build = (limits = LIMITS) => new SqliteEngine(openStore(path, 0).database, path, limits);

/** A group as ingest commits it: thousands of windows of many lines, all of one moment. */
function group(ms: number, rows = 2000): Commit {
  const received_at = new Date(ms).toISOString();
  const windows = Array.from({ length: rows }, (_, n) =>
    makeStored(++sequence, { agent: `gw-${n % 7}`, device: `modem-${n % 40}`, received_at }),
  );
  return { ...NOTHING, windows };
}

async function folderBytes(): Promise<number> {
  const sizes = (await readdir(folder)).map(async (name) => (await stat(join(folder, name))).size);
  return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
}

describe('the bytes of a store', () => {
  it('are never more than a tenth over their bound, in whatever group windows come, and the newest stay', async () => {
    const engine = build();
    let most = 0;
    for (let n = 0; n < 80; n++) {
      engine.commit(toCommitRows(group(START_MS + n * 1000)));
      most = Math.max(most, await folderBytes());
    }
    expect(most).toBeLessThan(1.1 * LIMITS.maxBytes);
    const { bytes, windowsSinceMs, cutByBytes } = engine.usage(START_MS + 80_000);
    expect(bytes).toBeGreaterThan(0.8 * LIMITS.maxBytes);
    expect(bytes).toBeLessThanOrEqual(LIMITS.maxBytes);
    expect(windowsSinceMs).toBeGreaterThan(START_MS + 10_000);
    expect(cutByBytes).toBe(true);
    const reader = new SqliteReader(path, 10_000);
    const newest = reader.recentWindows({ limit: 1 });
    expect(newest[0]!.received_at).toBe(new Date(START_MS + 79_000).toISOString());
    const [oldest] = reader.windowPage({ limit: 1 });
    expect(Date.parse(oldest!.received_at)).toBeGreaterThanOrEqual(windowsSinceMs!);
    reader.close();
    engine.close();
  }, 60_000);

  it('go down with the bound at the next start, and the file with them', async () => {
    let engine = build();
    for (let n = 0; n < 50; n++) engine.commit(toCommitRows(group(START_MS + n * 1000)));
    engine.close();
    engine = build({ ...LIMITS, maxBytes: 10 * MB });
    let steps = 0;
    while (engine.prune(START_MS + 60_000).more && steps++ < 1000);
    engine.close();
    expect(await folderBytes()).toBeLessThan(11 * MB);
    const reader = new SqliteReader(path, 10_000);
    expect(reader.recentWindows({ limit: 1 })).toHaveLength(1);
    reader.close();
  }, 60_000);

  it('hold beside another program that reads all the while: the log is bounded, then no commit is taken', async () => {
    const engine = build();
    engine.commit(toCommitRows(group(START_MS)));
    const other = new Sqlite(path, { readonly: true });
    other.exec('BEGIN');
    other.prepare('SELECT count(*) FROM alerts').get();
    let refused: Error | null = null;
    for (let n = 1; n < 100 && refused === null; n++) {
      try {
        engine.commit(toCommitRows(group(START_MS + n * 1000)));
      } catch (error) {
        refused = error as Error;
      }
    }
    expect(refused?.message).toMatch(/lineheron\.db-wal has grown to \d+ MB.*end that program/);
    expect(await folderBytes()).toBeLessThan(2 * LIMITS.maxBytes);
    other.exec('COMMIT');
    other.close();
    engine.commit(toCommitRows(group(START_MS + 200_000)));
    engine.commit(toCommitRows(group(START_MS + 201_000)));
    expect(await folderBytes()).toBeLessThan(1.1 * LIMITS.maxBytes);
    engine.close();
  }, 60_000);

  it('that are full before the hours are told once in the log, and in the state as long as it is so', async () => {
    const told: string[] = [];
    let nowMs = START_MS;
    const onProblem = (message: string) => told.push(message);
    const store = new SqliteStore({ path, limits: LIMITS, now: () => nowMs, onProblem });
    await store.open();
    for (let n = 0; n < 40; n++) {
      nowMs = START_MS + n * 60_000;
      await store.commit(group(nowMs));
    }
    expect(told).toHaveLength(1);
    expect(told[0]).toMatch(
      /^windows of the last 0\.\d+ h are kept, not of the 168 h that retention\.windows_hours allows: retention\.max_store_gb \(0\.02\) is full/,
    );
    expect(store.state.problems).toMatchObject([{ code: 'history_cut' }]);
    expect(store.state.windowsSinceMs).toBeGreaterThan(START_MS);
    await store.close();
  }, 60_000);
});

describe('the time of a store', () => {
  it('is kept to within a tenth, by slices that are never many', () => {
    const engine = build({ ...LIMITS, maxBytes: 1e9 });
    for (let hour = 0; hour < 400; hour++) {
      engine.commit(toCommitRows(group(START_MS + hour * HOUR_MS, 2)));
      while (engine.prune(START_MS + hour * HOUR_MS).more);
    }
    const keptMs = START_MS + 399 * HOUR_MS - engine.usage(0).windowsSinceMs!;
    expect(keptMs / HOUR_MS).toBeGreaterThanOrEqual(166);
    expect(keptMs / HOUR_MS).toBeLessThan(185);
    engine.close();
    const database = new Sqlite(path, { readonly: true });
    expect(database.prepare('SELECT count(*) FROM slices').pluck().get()).toBeLessThan(100);
    database.close();
  });

  it('ends for a fleet that says nothing any more, too', () => {
    const engine = build();
    engine.commit(toCommitRows(group(START_MS, 10)));
    let steps = 0;
    while (engine.prune(START_MS + 200 * HOUR_MS).more && steps++ < 100);
    expect(engine.usage(0).windowsSinceMs).toBeNull();
    engine.close();
  });
});

describe('a store that takes no writes', () => {
  it('because its disk is full says so, loses nothing that it took, and goes on when there is room', () => {
    const { database } = openStore(path, 0);
    const engine = new SqliteEngine(database, path, LIMITS);
    engine.commit(toCommitRows(group(START_MS, 100)));
    const pages = database.pragma('page_count', { simple: true }) as number;
    database.pragma(`max_page_count = ${pages + 10}`);
    expect(() => engine.commit(toCommitRows(group(START_MS + 1000)))).toThrow(/full/);
    database.pragma('max_page_count = 1000000');
    engine.commit(toCommitRows(group(START_MS + 2000, 10)));
    const reader = new SqliteReader(path, 10_000);
    expect(reader.windowPage({ limit: 1000 })).toHaveLength(110);
    reader.close();
    engine.close();
  });

  it('because its file was moved away acknowledges nothing, says where, and goes on when it is back', async () => {
    const told: string[] = [];
    let nowMs = START_MS;
    const onProblem = (message: string) => told.push(message);
    const store = new SqliteStore({ path, limits: LIMITS, now: () => nowMs, onProblem });
    await store.open();
    await store.commit(group(START_MS, 10));
    await rename(path, `${path}.moved`);
    for (const attempt of [1, 2]) {
      await expect(store.commit(group(START_MS + attempt, 10))).rejects.toThrow(/moved, removed or replaced/);
    }
    expect(store.state.failing).toContain(path);
    expect(store.state.problems).toMatchObject([{ code: 'store_failing' }]);
    await expect(store.saveSettings({ detecting: true })).rejects.toThrow(path);
    await rename(`${path}.moved`, path);
    // A write that is smaller than what failed says little, until nothing has failed for a minute.
    await store.probe();
    expect(store.state.failing).not.toBeNull();
    nowMs += 61_000;
    await store.probe();
    expect(store.state.failing).toBeNull();
    expect(told).toEqual([
      expect.stringContaining('nothing can be stored'),
      'the store takes what comes again',
    ]);
    await store.commit(group(START_MS + 9, 10));
    expect(await store.recentWindows({ limit: 100 })).toHaveLength(20);
    await store.close();
  });
});
