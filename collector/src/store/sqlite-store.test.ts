/** The contract of `Store`, held by the SQLite engine in its thread, and what is special to a file. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Sqlite from 'better-sqlite3';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { at, BOOT, FINGERPRINT, makeFeatures, START_MS } from '../testing/messages.js';
import { LIMITS, makeAlert, makeStored, makeTraining } from '../testing/stored.js';
import { migrate } from './schema.js';
import { SqliteStore } from './sqlite-store.js';
import { type Commit, type Store, StoreError } from './store.js';

let folder: string;
let store: Store;
const open = async () => {
  const opened = new SqliteStore({ path: join(folder, 'store', 'lineheron.db'), limits: LIMITS });
  await opened.open();
  return opened;
};

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lineheron-store-'));
  store = await open();
});

afterEach(async () => {
  await store.close();
  await rm(folder, { recursive: true, force: true });
});

const commit = (content: Partial<Commit>) =>
  store.commit({ ranges: [], windows: [], records: [], alerts: [], totals: {}, ...content });

const record = (sequence: number, index = 0) => ({
  boot: BOOT,
  sequence,
  index,
  view: {
    agent: 'gw-1',
    device: 'modem-1',
    timestamp: at(sequence),
    latency_ms: 20,
    packet_loss_pct: null,
    retry_count: 0,
    error_code: '503',
    traffic_volume_mb: 1,
    connection_resets: 0,
    window: null,
    anomalous: false,
    is_anomaly: false,
    anomaly_type: null,
  },
});

describe('commit', () => {
  it('gives every window back as it was put in', async () => {
    const reasons = [
      { feature: 'latency_mean', unit: 'ms', observed: 9, median: null, p5: 1, p95: 2, share: 0.5 },
    ];
    const window = makeStored(1, {
      autoencoder: { score: 1.5, threshold: 1, suspect: true },
      anomalous: true,
      alert: `gw-1/${BOOT}/1/0`,
      reasons,
      is_anomaly: true,
      anomaly_type: 'latency_spike',
    });
    await commit({ windows: [window] });
    expect(await store.recentWindows({ limit: 10 })).toEqual([window.view]);
  });

  it('stores the same batch once, however often it comes', async () => {
    const content = { windows: [makeStored(1), makeStored(2)], records: [record(1), record(1, 1)] };
    await commit(content);
    await commit(content);
    expect(await store.recentWindows({ limit: 10 })).toHaveLength(2);
    expect(await store.recentRecords(10)).toHaveLength(2);
  });

  it('merges received ranges and gives them back', async () => {
    const range = (first: number, last: number, boot = BOOT) => ({
      ...{ agent: 'gw-1', boot, first, last },
      complete: true,
    });
    await commit({ ranges: [range(1, 3), range(7, 9)] });
    await commit({ ranges: [range(4, 6), range(20, 20)] });
    await commit({ ranges: [range(2, 5)] });
    expect(await store.receivedRanges()).toEqual([range(1, 9), range(20, 20)]);
  });

  it('adds to the totals', async () => {
    await commit({ totals: { windows: 3 } });
    await commit({ totals: { windows: 4, alerts: 1 } });
    expect(await store.totals()).toEqual({ windows: 7, alerts: 1 });
  });

  it('is all or nothing: one bad row leaves no other behind', async () => {
    const broken = makeStored(2, { device: null as unknown as string });
    await expect(commit({ windows: [makeStored(1), broken], totals: { windows: 2 } })).rejects.toThrow(
      StoreError,
    );
    expect(await store.recentWindows({ limit: 10 })).toEqual([]);
    expect(await store.totals()).toEqual({});
  });
});

describe('questions', () => {
  it('about recent windows are answered newest first, by any filter', async () => {
    const gateway = makeStored(3, { device: '*', scope: 'gateway' });
    const other = makeStored(4, { agent: 'gw-2', anomalous: true });
    await commit({ windows: [makeStored(1), makeStored(2, { anomalous: true }), gateway, other] });
    const ids = async (filter: object) =>
      (await store.recentWindows({ limit: 10, ...filter })).map((view) => Number(view.id.split('/')[2]));
    expect(await ids({})).toEqual([4, 3, 2, 1]);
    expect(await ids({ limit: 2 })).toEqual([4, 3]);
    expect(await ids({ agent: 'gw-1' })).toEqual([3, 2, 1]);
    expect(await ids({ scope: 'device', agent: 'gw-1' })).toEqual([2, 1]);
    expect(await ids({ device: '*' })).toEqual([3]);
    expect(await ids({ anomalous: true })).toEqual([4, 2]);
    expect(await ids({ anomalous: false })).toEqual([3, 1]);
    expect(await ids({ sinceMs: START_MS + 2000 })).toEqual([]);
  });

  it('about all windows are answered page by page, none twice and none left out', async () => {
    const windows = [10, 9, 2, 1].flatMap((sequence) => [
      makeStored(sequence),
      makeStored(sequence, { agent: 'gw-2' }),
    ]);
    await commit({ windows });
    const seen: string[] = [];
    for (let after: string | undefined, turn = 0; turn < 10; turn++) {
      const page = await store.windowPage({ limit: 3, after });
      seen.push(...page.map(({ id }) => id));
      after = page.at(-1)?.id;
      if (page.length < 3) break;
    }
    const expected = ['gw-1', 'gw-2'].flatMap((agent) => [1, 2, 9, 10].map((n) => `${agent}/${BOOT}/${n}/0`));
    expect(seen).toEqual(expected);
    expect(await store.windowPage({ limit: 9, agent: 'gw-2' })).toHaveLength(4);
  });

  it('about alerts are answered open ones first; a changed alert replaces itself', async () => {
    const alert = (n: number, status: 'open' | 'closed') =>
      makeAlert({ id: `gw-1/${BOOT}/${n}/0`, status, opened_at: at(n) });
    await commit({ alerts: [alert(1, 'open'), alert(2, 'open'), alert(3, 'closed')] });
    await commit({ alerts: [alert(2, 'closed')] });
    const ids = async (filter: object) =>
      (await store.alerts({ limit: 10, ...filter })).map(({ id }) => id.split('/')[2]);
    expect(await ids({})).toEqual(['1', '3', '2']);
    expect(await ids({ limit: 1 })).toEqual(['1']);
    expect(await ids({ status: 'closed' })).toEqual(['3', '2']);
    expect(await ids({ agent: 'gw-9' })).toEqual([]);
    expect(await store.alert(`gw-1/${BOOT}/2/0`)).toMatchObject({ status: 'closed' });
    expect(await store.alert(`gw-1/${BOOT}/7/0`)).toBeNull();
  });

  it('about trainings keep the last fifty', async () => {
    for (let n = 0; n < 52; n++) await store.saveTraining(makeTraining({ id: `t${n}`, requested_at: at(n) }));
    const trainings = await store.trainings(100);
    expect(trainings).toHaveLength(50);
    expect(trainings[0]?.id).toBe('t51');
    expect(await store.training('t0')).toBeNull();
    expect(await store.training('t51')).toMatchObject({ id: 't51' });
  });

  it('about settings give what was set last', async () => {
    expect(await store.settings()).toEqual({});
    await store.saveSettings({ detecting: true });
    await store.saveSettings({ active_model: 'autoencoder' });
    expect(await store.settings()).toEqual({ detecting: true, active_model: 'autoencoder' });
  });
});

describe('history', () => {
  it('gives the newest windows, shared fairly between agents, with missing features as NaN', async () => {
    const ranges = ['gw-1', 'gw-2', 'gw-3'].map((agent) => ({
      agent,
      boot: BOOT,
      first: 1,
      last: 40,
      complete: true,
    }));
    const many = Array.from({ length: 40 }, (_, n) => makeStored(n + 1, { agent: 'gw-1', end: at(n + 1) }));
    const some = Array.from({ length: 40 }, (_, n) => makeStored(n + 1, { agent: 'gw-2', end: at(n + 1) }));
    const few = Array.from({ length: 2 }, (_, n) => makeStored(n + 1, { agent: 'gw-3', end: at(n + 1) }));
    await commit({ ranges, windows: [...many, ...some, ...few] });
    const history = await store.history({ scope: 'device', fingerprint: FINGERPRINT, limit: 30 });
    expect(history.columns).toBe(19);
    expect(history.rows).toHaveLength(30 * 19);
    expect(history.agents.sort()).toEqual(['gw-1', 'gw-2', 'gw-3']);
    expect(history.newestMs).toBe(START_MS + 40_000);
    expect(history.rows[18]).toBeNaN();
    const expected = makeFeatures(40).map((value) => Math.fround(value ?? Number.NaN));
    expect([...history.rows.slice(0, 19)]).toEqual(expected);
  });

  it('gives only the windows of the agents that are asked for', async () => {
    const ranges = ['gw-1', 'gw-2', 'gw-3'].map((agent) => ({
      agent,
      boot: BOOT,
      first: 1,
      last: 4,
      complete: true,
    }));
    const windows = ['gw-1', 'gw-2'].flatMap((agent) => [1, 2].map((n) => makeStored(n, { agent })));
    await commit({ ranges, windows });
    const query = { scope: 'device' as const, fingerprint: FINGERPRINT, limit: 30 };
    const history = await store.history({ ...query, agents: ['gw-2', 'gw-3'] });
    expect(history.agents).toEqual(['gw-2']);
    expect(history.rows).toHaveLength(2 * 19);
  });

  it("leaves out the edge's episodes, and neither a forest's nor a model's own alerts", async () => {
    const ranges = [{ agent: 'gw-1', boot: BOOT, first: 1, last: 5, complete: true }];
    const ids = [1, 2, 3].map((n) => `gw-1/${BOOT}/${n}/0`);
    const alerts = [
      makeAlert({ id: ids[0]! }),
      makeAlert({ id: ids[1]!, opened_by: 'collector' }),
      makeAlert({ id: ids[2]!, active_model: 'isolation_forest' }),
    ];
    const windows = [1, 2, 3, 4].map((n) => makeStored(n, { alert: ids[n - 1] ?? null }));
    await commit({ ranges, windows, alerts });
    const history = await store.history({ scope: 'device', fingerprint: FINGERPRINT, limit: 30 });
    expect(history.counts).toEqual([3]);
    expect(history.rows[0]).toBe(Math.fround(makeFeatures(4)[0]!));
    expect(history.rows[2 * 19]).toBe(Math.fround(makeFeatures(2)[0]!));
  });

  it('leaves out rows with a value that 32 bits cannot hold, and agents with no others', async () => {
    const ranges = ['gw-1', 'gw-2'].map((agent) => ({
      agent,
      boot: BOOT,
      first: 1,
      last: 2,
      complete: true,
    }));
    const poison = makeFeatures().with(3, 1e39);
    const windows = [
      makeStored(1),
      { ...makeStored(2), features: poison },
      { ...makeStored(1, { agent: 'gw-2' }), features: poison.map((value) => value && -value) },
    ];
    await commit({ ranges, windows });
    const history = await store.history({ scope: 'device', fingerprint: FINGERPRINT, limit: 30 });
    expect(history.agents).toEqual(['gw-1']);
    expect(history.rows).toHaveLength(19);
  });

  it('leaves out other scopes, other fingerprints and windows that were warming up', async () => {
    const ranges = [{ agent: 'gw-1', boot: BOOT, first: 1, last: 3, complete: true }];
    const foreign = { ...makeStored(3), fingerprint: 'ffffffffffffffff' };
    const windows = [
      makeStored(1, { state: 'warming_up' }),
      makeStored(2, { scope: 'gateway', device: '*' }),
      foreign,
    ];
    await commit({ ranges, windows });
    const history = await store.history({ scope: 'device', fingerprint: FINGERPRINT, limit: 30 });
    expect(history).toMatchObject({ agents: [], oldestMs: null });
    expect(history.rows).toHaveLength(0);
  });
});

describe('prune', () => {
  const HOUR_MS = 3_600_000;
  const pruned = async (nowMs: number) => {
    while (await store.prune(nowMs));
  };

  it('removes windows and records by age, and leaves younger ones', async () => {
    const hoursOld = (hours: number) => new Date(START_MS - hours * HOUR_MS).toISOString();
    for (const [n, hours] of [200, 100, 30, 1].entries()) {
      await commit({
        windows: [makeStored(n + 1, { received_at: hoursOld(hours) })],
        records: [record(n + 1)],
      });
    }
    await pruned(START_MS);
    const left = (await store.recentWindows({ limit: 10 })).map(({ id }) => id.split('/')[2]);
    expect(left).toEqual(['4', '3', '2']);
    const timestamps = (await store.recentRecords(10)).map(({ timestamp }) => timestamp);
    expect(timestamps).toEqual([at(4)]);
    await pruned(START_MS + 170 * HOUR_MS);
    expect(await store.recentWindows({ limit: 10 })).toEqual([]);
  });

  it('never removes an open alert', async () => {
    const alerts = Array.from({ length: 1003 }, (_, n) =>
      makeAlert({ id: `gw-1/${BOOT}/${n}/0`, opened_at: at(n), status: n === 1 ? 'open' : 'closed' }),
    );
    await commit({ alerts });
    await pruned(START_MS);
    expect((await store.alerts({ limit: 2000 })).map(({ id }) => id.split('/')[2])).toEqual([
      '1',
      ...Array.from({ length: 1000 }, (_, n) => String(1002 - n)),
    ]);
  });
});

describe('the file', () => {
  it('keeps everything over a restart', async () => {
    const range = { agent: 'gw-1', boot: BOOT, first: 1, last: 1, complete: true };
    await commit({
      ranges: [range],
      windows: [makeStored(1)],
      alerts: [makeAlert()],
      totals: { windows: 1 },
    });
    await store.close();
    store = await open();
    expect(await store.recentWindows({ limit: 10 })).toHaveLength(1);
    expect(await store.receivedRanges()).toEqual([range]);
    expect(await store.totals()).toEqual({ windows: 1 });
  });

  it('of an older version is brought up to date: its windows and records are there as they were', async () => {
    const path = join(folder, 'older.db');
    const old = new Sqlite(path);
    migrate(old, 3);
    const put = old.prepare(
      `INSERT INTO windows (agent, boot, sequence, idx, device, scope, fingerprint, end_ms, received_ms, state, records,
       latency_ms, forest_suspect, autoencoder_suspect, anomalous, features)
       VALUES (?, '${BOOT}', ?, ?, ?, ?, '${FINGERPRINT}', ${START_MS}, ${START_MS}, 'scored', 30, 20, 0, 0, 0, ?)`,
    );
    const features = Buffer.from(new Float32Array(19).fill(2).buffer);
    for (const agent of ['gw-1', 'gw-2']) {
      for (const sequence of [1, 2]) {
        put.run(agent, sequence, 0, 'modem-1', 'device', features);
        put.run(agent, sequence, 1, '*', 'gateway', features);
      }
    }
    const text = JSON.stringify(record(1).view);
    old.prepare(`INSERT INTO records VALUES (1, 'gw-1', '${BOOT}', 1, 0, 0, ?)`).run(text);
    old.prepare(`INSERT INTO received VALUES ('gw-1', '${BOOT}', 1, 9)`).run();
    old.close();
    const migrated = new SqliteStore({ path, limits: LIMITS });
    await migrated.open();
    const page = await migrated.windowPage({ limit: 100 });
    expect(page.map(({ id, device }) => `${id} ${device}`)).toEqual(
      ['gw-1', 'gw-2'].flatMap((agent) =>
        [1, 2].flatMap((n) => [`${agent}/${BOOT}/${n}/0 modem-1`, `${agent}/${BOOT}/${n}/1 *`]),
      ),
    );
    expect(page[0]).toMatchObject({ latency_ms: 20, adaptive_baseline: { score: null, strangeness: null } });
    expect(await migrated.recentWindows({ limit: 9, agent: 'gw-2', device: '*' })).toHaveLength(2);
    expect(await migrated.recentRecords(9)).toEqual([record(1).view]);
    // It may hold claims of what never came.
    const range = { agent: 'gw-1', boot: BOOT, first: 1, last: 9, complete: false };
    expect(await migrated.receivedRanges()).toEqual([range]);
    const history = await migrated.history({
      scope: 'device',
      fingerprint: FINGERPRINT,
      limit: 9,
      agents: ['gw-2'],
    });
    expect(history.counts).toEqual([2]);
    await migrated.commit({ ranges: [], windows: [makeStored(3)], records: [], alerts: [], totals: {} });
    expect((await migrated.recentWindows({ limit: 1 }))[0]!.id).toBe(`gw-1/${BOOT}/3/0`);
    await migrated.close();
  });

  it('of a newer version is refused', async () => {
    const path = join(folder, 'newer.db');
    const database = new Sqlite(path);
    database.pragma('user_version = 999');
    database.close();
    await expect(new SqliteStore({ path, limits: LIMITS }).open()).rejects.toThrow(/newer version/);
  });
});
