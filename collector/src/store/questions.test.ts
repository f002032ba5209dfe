/** Questions to the store: each has its index, each ends in time, and none holds up a commit. */
import { execFileSync } from 'node:child_process';
import { constants, copyFile, mkdtemp, open, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { WindowView } from '@lineheron/models';
import Sqlite from 'better-sqlite3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BOOT, FINGERPRINT } from '../testing/messages.js';
import { LIMITS, makeAlert, makeStored } from '../testing/stored.js';
import { toCommitRows } from './commit-rows.js';
import { openStore } from './open-store.js';
import { ReadDatabase } from './read-database.js';
import { Reads } from './reads.js';
import { SqliteEngine } from './sqlite-engine.js';
import { SqliteReader } from './sqlite-reader.js';
import { type Commit, StoreBusyError, StoreTimeoutError } from './store.js';

let folder: string;
let path: string;
const stored: WindowView[] = [];
const BATCHES = 60;

/** Several slices, and windows of every kind in each. */
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lineheron-questions-'));
  path = join(folder, 'lineheron.db');
  const engine = new SqliteEngine(openStore(path, 0).database, path, { ...LIMITS, windowsMs: 100_000 });
  const empty: Commit = { ranges: [], windows: [], records: [], alerts: [], totals: {} };
  for (let n = 1; n <= BATCHES; n++) {
    const received_at = new Date(n * 1000).toISOString();
    const windows = ['gw-1', 'gw-2', 'gw-3'].flatMap((agent, at) =>
      ['*', 'modem-1', `modem-${n % 3}`].map((device, index) => ({
        ...makeStored(n, { agent, device, received_at, anomalous: (n + at + index) % 4 === 0 }),
        index,
      })),
    );
    for (const window of windows) {
      window.view = {
        ...window.view,
        id: `${window.view.agent}/${BOOT}/${n}/${window.index}`,
        scope: window.view.device === '*' ? 'gateway' : 'device',
      };
      stored.unshift(window.view);
    }
    const alerts = [makeAlert({ id: `gw-1/${BOOT}/${n}/0`, status: n % 2 ? 'open' : 'closed' })];
    engine.commit(toCommitRows({ ...empty, windows, alerts }));
  }
  engine.close();
});

afterAll(() => rm(folder, { recursive: true, force: true }));

/** Every combination of these, each also left out. */
function combinations(values: Record<string, readonly unknown[]>): Record<string, unknown>[] {
  return Object.entries(values).reduce<Record<string, unknown>[]>(
    (all, [name, choices]) =>
      all.flatMap((one) => [one, ...choices.map((choice) => ({ ...one, [name]: choice }))]),
    [{}],
  );
}

const FILTERS = combinations({
  agent: ['gw-2', 'gw-9'],
  device: ['modem-1', 'nope', '*'],
  scope: ['device', 'gateway'],
  anomalous: [true, false],
  sinceMs: [30_000],
});

describe('recent windows', () => {
  it('are what reading all of them would give, by every combination of filters, over all slices', () => {
    const reader = new SqliteReader(path, 10_000);
    const database = new Sqlite(path, { readonly: true });
    expect(database.prepare('SELECT count(*) FROM slices').pluck().get()).toBeGreaterThan(5);
    database.close();
    for (const { sinceMs = 0, ...exact } of FILTERS) {
      const fits = (view: WindowView) =>
        Object.entries(exact).every(([name, value]) => view[name as keyof WindowView] === value);
      for (const limit of [1, 7, 1000]) {
        const expected = stored.filter(fits).slice(0, limit);
        const since = expected.filter(({ received_at }) => Date.parse(received_at) >= (sinceMs as number));
        expect(reader.recentWindows({ ...exact, limit, sinceMs: sinceMs as number })).toEqual(since);
      }
    }
    reader.close();
  });

  it('are paged through whole, whatever the size of a page', () => {
    const reader = new SqliteReader(path, 10_000);
    for (const agent of [undefined, 'gw-3']) {
      const ids: string[] = [];
      for (let after: string | undefined; ; after = ids.at(-1)) {
        const page = reader.windowPage({ limit: 7, agent, after });
        ids.push(...page.map(({ id }) => id));
        if (page.length < 7) break;
      }
      const expected = stored.filter((view) => agent === undefined || view.agent === agent);
      expect(ids).toHaveLength(expected.length);
      expect(new Set(ids)).toEqual(new Set(expected.map(({ id }) => id)));
    }
    reader.close();
  });
});

describe('a question', () => {
  it('of any combination of filters finds its rows by an index, and never walks through a table', () => {
    const statements = new Set<string>();
    const reader = new SqliteReader(path, 10_000, (text) => statements.add(text));
    for (const filter of FILTERS) reader.recentWindows({ limit: 5, ...filter });
    for (const filter of combinations({ agent: ['gw-1'], after: [`gw-1/${BOOT}/5/0`] })) {
      reader.windowPage({ limit: 5, ...filter });
    }
    for (const filter of combinations({ agent: ['gw-1'], device: ['modem-1'], status: ['open', 'closed'] })) {
      reader.alerts({ limit: 5, ...filter });
    }
    reader.alert('x');
    reader.recentRecords(5);
    reader.trainings(5);
    reader.training('x');
    reader.history({ scope: 'device', fingerprint: FINGERPRINT, limit: 50, agents: ['gw-1'] });
    reader.close();
    const database = new Sqlite(path, { readonly: true });
    expect(statements.size).toBeGreaterThan(50);
    for (const text of statements) {
      const places = Array.from({ length: text.split('?').length - 1 }, () => null);
      const plan = database.prepare(`EXPLAIN QUERY PLAN ${text}`).all(...places) as Array<{ detail: string }>;
      for (const { detail } of plan) expect(`${detail} of ${text}`).not.toMatch(/^SCAN/);
      // Of the trainings there are fifty at most: they may be sorted.
      if (text.includes('trainings')) continue;
      for (const { detail } of plan) expect(`${detail} of ${text}`).not.toMatch(/TEMP B-TREE/);
    }
    database.close();
  });

  it('that takes too long ends between two rows', () => {
    const reader = new SqliteReader(path, -1);
    expect(() => reader.recentWindows({ limit: 5 })).toThrow(StoreTimeoutError);
    reader.close();
  });

  it('cannot write', () => {
    const database = new ReadDatabase(path);
    expect(() => database.all('DELETE FROM settings RETURNING key')).toThrow(/readonly/);
    database.close();
  });

  it('that is one too many is refused at once, and the others are answered', async () => {
    const reads = new Reads(path, { limitMs: 10_000, maxWaiting: 3 }, () => {});
    const answers = await Promise.allSettled(
      Array.from({ length: 5 }, () => reads.call('recentWindows', [{ limit: 1 }])),
    );
    expect(answers.map(({ status }) => status)).toEqual([
      ...['fulfilled', 'fulfilled', 'fulfilled'],
      ...['rejected', 'rejected'],
    ]);
    expect((answers[4] as PromiseRejectedResult).reason).toBeInstanceOf(StoreBusyError);
    await expect(reads.call('recentWindows', [{ limit: 1 }])).resolves.toHaveLength(1);
    await reads.close();
  });

  it('that never comes back costs its thread, and the next one is answered by another', async () => {
    // Opening a pipe waits for whoever writes into it, inside the system.
    const stuck = join(folder, 'stuck.db');
    execFileSync('mkfifo', [stuck]);
    const reads = new Reads(stuck, { limitMs: 3000, maxWaiting: 3 }, () => {});
    await expect(reads.call('recentWindows', [{ limit: 1 }])).rejects.toBeInstanceOf(StoreTimeoutError);
    await rename(stuck, `${stuck}.pipe`);
    await copyFile(path, stuck);
    await expect(reads.call('recentWindows', [{ limit: 1 }])).resolves.toHaveLength(1);
    await reads.close();
    await (await open(`${stuck}.pipe`, constants.O_RDWR)).close();
  });
});
