/** The way of a group of batches on a real store and real parts; only the broker is told by the test. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { topics } from '@lineheron/models';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { loadConfig } from './config.js';
import { viewsOf } from './hub/standings.fixture.js';
import { SILENCE_MS } from './incident/incident-tracker.js';
import { Ledger } from './ingest/ledger.js';
import { createLogger } from './log.js';
import { buildParts, type Parts } from './parts.js';
import { Pipeline, type PipelineParts } from './pipeline.js';
import { BOOT, makeBatch, makeWindow, START_MS } from './testing/messages.js';
import { makeAlert } from './testing/stored.js';

let folder: string;
let parts: Parts;
let nowMs: number;
const said: string[] = [];
const link = { connected: true, publish: (topic: string) => void said.push(topic) };

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lineheron-pipeline-'));
  nowMs = START_MS;
  link.connected = true;
  said.length = 0;
  const config = loadConfig({ flags: { data_dir: folder } });
  const onFatal = (error: Error) => {
    throw error;
  };
  const now = () => nowMs;
  parts = buildParts({ config, log: createLogger('silent'), version: '0.1.0', now, onFatal });
  await parts.store.open();
});

afterEach(async () => {
  await parts.store.close();
  await rm(folder, { recursive: true, force: true });
});

const build = (changes: Partial<PipelineParts> = {}) =>
  new Pipeline({ ...parts, link, settings: () => parts.control.settings, ...changes });

const message = (sequence: number, agent = 'gw-1', suspect = false) => {
  const episode = suspect ? `${agent}/${BOOT}/${sequence}/0` : null;
  const batch = makeBatch({ agent, sequence, windows: [makeWindow({ suspect, score: 0.7, episode })] });
  return { kind: 'score' as const, agent, batch };
};

describe('after a commit', () => {
  it('verdicts go out and faults are called by their name, whatever else fails', async () => {
    const faults: string[] = [];
    const log = createLogger('silent');
    log.error = (_detail: unknown, text?: string) => void faults.push(text ?? '');
    const { feed } = parts;
    feed.add = () => {
      throw new RangeError('too much');
    };
    parts.training.gather = () => {
      throw new Error('no room');
    };
    await build({ feed, log }).handle([message(1, 'gw-1', true), message(2, 'gw-1')]);
    expect(said).toEqual([topics.ack('gw-1'), topics.verdict('gw-1')]);
    expect(faults).toEqual([
      'everything is stored, but measuring failed',
      'everything is stored, but telling the feed failed',
    ]);
  });
});

describe('a boot that the ledger has let go', () => {
  it('is looked up in the store, so that what it sends again is counted once and stored once', async () => {
    const pipeline = build({ ledger: new Ledger(2) });
    for (const agent of ['gw-1', 'gw-2', 'gw-3']) await pipeline.handle([message(1, agent)]);
    const weekLater = nowMs + 8 * 86_400_000;
    while (await parts.store.prune(weekLater));
    await pipeline.handle([message(1, 'gw-1'), message(2, 'gw-1')]);
    expect(await parts.store.recentWindows({ limit: 10 })).toHaveLength(1);
    expect(parts.totals.view).toMatchObject({ batches: 4, windows: 4, duplicates: 1 });
  });
});

describe('lines that have fallen silent', () => {
  it('are not closed while the broker is away, nor before agents had time to come back', async () => {
    const pipeline = build();
    await pipeline.handle([message(1, 'gw-1', true)]);
    const openAfter = async (ms: number, connected: boolean) => {
      nowMs += ms;
      link.connected = connected;
      await pipeline.tick();
      return parts.incidents.openAlerts.length;
    };
    expect(await openAfter(2 * SILENCE_MS, false)).toBe(1);
    expect(await openAfter(SILENCE_MS - 1, true)).toBe(1);
    expect(await openAfter(1, true)).toBe(0);
  });
});

describe('a line that stops', () => {
  it('is an alert in the store, on the feed and to the agent, until it reports again', async () => {
    const pipeline = build();
    parts.fleet.setOnline('gw-1', true, nowMs);
    for (let sequence = 1; sequence <= 12; sequence++) {
      nowMs += 1000;
      const windows = [makeWindow({ end: new Date(nowMs).toISOString() })];
      const batch = makeBatch({ sequence, windows });
      await pipeline.handle([{ kind: 'score', agent: 'gw-1', batch }]);
    }
    await pipeline.tick();
    expect(await parts.store.alerts({ limit: 10 })).toEqual([]);
    said.length = 0;
    nowMs += SILENCE_MS;
    await pipeline.tick();
    await pipeline.tick();
    const [alert, ...rest] = await parts.store.alerts({ limit: 10, status: 'open' });
    expect(rest).toEqual([]);
    expect(alert).toMatchObject({ kind: 'silence', device: 'modem-1', windows: 0 });
    expect(said).toEqual([topics.verdict('gw-1')]);
    expect(parts.live.snapshot().alerts).toEqual([alert]);
    expect(parts.control.status()).toMatchObject({ open_alerts: 1 });
    expect(parts.totals.view.alerts).toBe(1);
    nowMs += 60_000;
    await pipeline.handle([message(13)]);
    const closed = { id: alert?.id, status: 'closed', closed_at: new Date(nowMs).toISOString() };
    expect(await parts.store.alerts({ limit: 10 })).toMatchObject([closed]);
  });

  it('is no alert where the collector itself was held up, or its clock jumped ahead', async () => {
    const pipeline = build();
    parts.fleet.setOnline('gw-1', true, nowMs);
    for (let sequence = 1; sequence <= 12; sequence++) {
      nowMs += 1000;
      const windows = [makeWindow({ end: new Date(nowMs).toISOString() })];
      const batch = makeBatch({ sequence, windows });
      await pipeline.handle([{ kind: 'score', agent: 'gw-1', batch }]);
      await pipeline.tick();
    }
    nowMs += 3_600_000;
    await pipeline.tick();
    expect(await parts.store.alerts({ limit: 10 })).toEqual([]);
  });
});

describe('a batch that a full spool has thinned', () => {
  it('keeps its windows under their ids, and is committed with all that it stands for', async () => {
    const pipeline = build();
    const windows = [makeWindow({ index: 2 }), makeWindow({ index: 5, device: 'modem-2' })];
    const batch = makeBatch({ sequence: 9, first: 4, windows });
    await pipeline.handle([{ kind: 'score', agent: 'gw-1', batch }]);
    const stored = await parts.store.windowPage({ limit: 10 });
    expect(stored.map(({ id }) => id)).toEqual([`gw-1/${BOOT}/9/2`, `gw-1/${BOOT}/9/5`]);
    expect(await parts.store.receivedRanges()).toMatchObject([
      { first: 4, last: 8, complete: false },
      { first: 9, last: 9, complete: true },
    ]);
    expect(parts.totals.view.thinned).toBe(5);
  });

  it('does not keep out one that it claims and that comes after all, which is stored once', async () => {
    const pipeline = build();
    const claim = makeBatch({ sequence: 9, first: 4, windows: [] });
    await pipeline.handle([{ kind: 'score', agent: 'gw-1', batch: claim }]);
    for (let turn = 0; turn < 2; turn++) await pipeline.handle([message(6), message(9)]);
    const stored = await parts.store.windowPage({ limit: 10 });
    expect(stored.map(({ id }) => id)).toEqual([`gw-1/${BOOT}/6/0`, `gw-1/${BOOT}/9/0`]);
    expect(parts.totals.view).toMatchObject({ windows: 2, duplicates: 2, thinned: 5 });
  });

  it('counts no claim that reaches beyond a spool segment, and goes on', async () => {
    const pipeline = build();
    const claim = makeBatch({ sequence: 999_999_999_999_999, first: 1, windows: [] });
    await pipeline.handle([{ kind: 'score', agent: 'gw-1', batch: claim }, message(1)]);
    await pipeline.handle([message(2)]);
    expect(await parts.store.windowPage({ limit: 10 })).toHaveLength(2);
    expect(parts.totals.view).toMatchObject({ windows: 2, thinned: 0, refused: 1 });
  });
});

describe('an empty batch', () => {
  it.each(['before', 'beside'])('%s a full one of the same name does not stand in its way', async (when) => {
    const pipeline = build();
    const empty = { kind: 'score' as const, agent: 'gw-1', batch: makeBatch({ windows: [] }) };
    if (when === 'before') await pipeline.handle([empty]);
    await pipeline.handle(when === 'before' ? [message(1)] : [empty, message(1)]);
    await pipeline.handle([empty, message(1)]);
    expect(await parts.store.windowPage({ limit: 10 })).toHaveLength(1);
    expect(parts.totals.view.windows).toBe(1);
  });
});

describe('windows of a clock that is far ahead', () => {
  const FUTURE = '2099-12-31T23:59:59.000Z';
  const send = (pipeline: Pipeline, sequence: number, end: string, suspect = false) => {
    const episode = suspect ? `gw-1/${BOOT}/${sequence}/0` : null;
    const batch = makeBatch({ sequence, windows: [makeWindow({ end, suspect, score: 0.7, episode })] });
    return pipeline.handle([{ kind: 'score', agent: 'gw-1', batch }]);
  };

  it('are of their arrival everywhere: stored, in the alert, in the line’s state, counted, and told', async () => {
    const pipeline = build();
    parts.fleet.setOnline('gw-1', true, nowMs);
    await send(pipeline, 1, FUTURE, true);
    const now = new Date(nowMs).toISOString();
    expect(await parts.store.windowPage({ limit: 10 })).toMatchObject([{ end: now }]);
    expect(await parts.store.alerts({ limit: 10 })).toMatchObject([{ opened_at: now, last_suspect_at: now }]);
    const view = () => viewsOf(parts.fleet, nowMs)[0]!;
    expect(view().devices[0]?.end).toBe(now);
    const problems = view().problems.filter(({ code }) => code === 'clock_ahead');
    expect(problems).toMatchObject([{ since: now, message: expect.stringContaining('set the clock') }]);
    expect(parts.totals.view.ahead).toBe(1);
    nowMs += 5 * 60_000;
    expect(view().problems.map(({ code }) => code)).not.toContain('clock_ahead');
  });

  it('leave no alert open: the next quiet window ends it, and so does silence', async () => {
    const pipeline = build();
    await send(pipeline, 1, FUTURE, true);
    nowMs += 20_000;
    await send(pipeline, 2, new Date(nowMs).toISOString());
    expect(await parts.store.alerts({ limit: 10 })).toMatchObject([{ status: 'closed' }]);
    await send(pipeline, 3, FUTURE, true);
    for (let passed = 0; passed < 2; passed++) {
      nowMs += SILENCE_MS;
      await pipeline.tick();
    }
    expect(parts.incidents.openAlerts).toEqual([]);
  });

  it('of an alert that is open in the store are of the past once it is restored', async () => {
    const opened = { opened_at: FUTURE, last_suspect_at: FUTURE };
    parts.incidents.restore([makeAlert(opened)], nowMs);
    const pipeline = build();
    nowMs += 20_000;
    await send(pipeline, 2, new Date(nowMs).toISOString());
    expect(await parts.store.alerts({ limit: 10 })).toMatchObject([{ status: 'closed' }]);
  });
});

describe('what comes late', () => {
  it('is stored and marked, and neither news nor a live alert', async () => {
    const pipeline = build();
    await pipeline.handle([message(2)]);
    said.length = 0;
    const late = message(1, 'gw-1', true);
    await pipeline.handle([{ ...late, batch: { ...late.batch, historical: true } }]);
    expect(said).toEqual([topics.ack('gw-1')]);
    expect(await parts.store.alerts({ limit: 10 })).toMatchObject([{ status: 'closed', historical: true }]);
    const stored = await parts.store.windowPage({ limit: 10 });
    expect(stored.map(({ historical }) => historical ?? false)).toEqual([true, false]);
    expect(parts.incidents.openAlerts).toEqual([]);
    expect(parts.live.snapshot().windows).toHaveLength(1);
    expect(parts.latency.percentile(0.99)).toBe(0);
  });
});

describe('a group that is prepared while the one before it is committed', () => {
  /** A store whose commits wait until they are let through or failed. */
  function gated() {
    const gates: Array<(error?: Error) => void> = [];
    const { store } = parts;
    const commit: typeof store.commit = async (content) => {
      await new Promise<void>((resolve, reject) =>
        gates.push((error) => (error ? reject(error) : resolve())),
      );
      await parts.store.commit(content);
    };
    const waiting = Object.assign(Object.create(store) as typeof store, { commit });
    const next = async () => {
      await vi.waitFor(() => expect(gates.length).toBeGreaterThan(0));
      return gates.shift()!;
    };
    return { store: waiting, next, gates };
  }

  it('goes on with its alert, and takes what that one holds for stored', async () => {
    const { store, next, gates } = gated();
    const pipeline = build({ store });
    const first = pipeline.handle([message(1, 'gw-1', true)]);
    const second = pipeline.handle([message(1, 'gw-1', true), message(2)]);
    const let1 = await next();
    expect(gates).toEqual([]);
    let1();
    await first;
    expect(said).toEqual([topics.ack('gw-1'), topics.verdict('gw-1')]);
    (await next())();
    await second;
    expect(parts.totals.view).toMatchObject({ batches: 2, windows: 2, duplicates: 1, alerts: 1 });
    expect(await parts.store.windowPage({ limit: 10 })).toHaveLength(2);
  });

  it('is prepared anew when that commit fails: nothing of it is left, and only what is stored is acknowledged', async () => {
    const { store, next } = gated();
    const acks: unknown[] = [];
    const hear = (topic: string, payload: unknown) => {
      if (topic === topics.ack('gw-1')) acks.push((payload as { ranges: unknown }).ranges);
    };
    const pipeline = build({ store, link: { connected: true, publish: hear } });
    const groups = [
      pipeline.handle([message(1, 'gw-1', true), message(3)]),
      // One batch comes twice, and the episode goes on.
      pipeline.handle([message(2, 'gw-1', true), message(3)]),
      pipeline.handle([message(4)]),
    ];
    (await next())(new Error('the disk is full'));
    (await next())();
    (await next())();
    await Promise.all(groups);
    const range = (from: number, to: number) => [{ boot: BOOT, from, to }];
    expect(acks).toEqual([range(2, 3), range(4, 4)]);
    expect(parts.totals.view).toMatchObject({ batches: 3, windows: 3, duplicates: 0, alerts: 1 });
    expect(await parts.store.alerts({ limit: 10 })).toMatchObject([{ id: `gw-1/${BOOT}/2/0`, windows: 1 }]);
    const stored = await parts.store.windowPage({ limit: 10 });
    expect(stored.map(({ id }) => id)).toEqual([2, 3, 4].map((sequence) => `gw-1/${BOOT}/${sequence}/0`));
  });
});
