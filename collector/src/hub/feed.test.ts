import {
  type FeedStatus,
  type FeedTopic,
  feedFrameSchema,
  type LinesFrame,
  type MetricsView,
  type RecordView,
  type SnapshotFrame,
  type UpdateFrame,
  type WatchedLines,
} from '@lineheron/models';
import { describe, expect, it } from 'vitest';
import { QualityTracker } from '../quality/quality-tracker.js';
import { makeInfo } from '../testing/messages.js';
import { makeAlert, makeView } from '../testing/stored.js';
import type { FeedClient } from './connection.js';
import { Feed } from './feed.js';
import { Fleet } from './fleet.js';
import { LiveState } from './live-state.js';
import type { SharedMessage } from './shared-message.js';
import { Standings } from './standings.js';

const START_MS = Date.UTC(2026, 0, 1);
const iso = (ms: number) => new Date(START_MS + ms).toISOString();

type Fields<T> = Partial<Omit<T, 'type' | 'watching'>>;
type Frame = Fields<SnapshotFrame> &
  Fields<UpdateFrame> &
  Fields<LinesFrame> & { type: string; watching?: WatchedLines };

class Client implements FeedClient {
  queuedBytes = 0;
  ended = false;
  readonly frames: Frame[] = [];
  readonly messages: SharedMessage[] = [];
  send(message: SharedMessage): void {
    this.messages.push(message);
    this.frames.push(JSON.parse(message.text));
  }
  ping(): void {}
  terminate(): void {
    this.ended = true;
  }
  /** Those of one kind. */
  of(type: string): Frame[] {
    return this.frames.filter((frame) => frame.type === type);
  }
}

const nothing = { windows: [], records: [], alerts: [] };

const METRICS: MetricsView = {
  totals: {
    batches: 0,
    windows: 0,
    records: 0,
    anomalous_windows: 0,
    alerts: 0,
    duplicates: 0,
    deferred: 0,
    thinned: 0,
    ahead: 0,
    refused: 0,
  },
  anomaly_rate: null,
  ingest_latency_ms: { p50: null, p99: null },
  models: new QualityTracker(START_MS).view(),
  since: iso(0),
};

const STATUS: Omit<FeedStatus, 'watching'> = {
  version: '0.1.0',
  started_at: iso(0),
  detecting: true,
  active_model: 'ensemble',
  trained: { isolation_forest: true, adaptive_baseline: true, autoencoder: true, ensemble: true },
  training: null,
  broker: { url: 'mqtt://127.0.0.1:1883', connected: true, problems: [] },
  settings: {
    window_size_seconds: 30,
    contamination: 0.1,
    threshold_percentile: 95,
    epochs: 50,
    anomaly_probability: 0.05,
  },
  open_alerts: 0,
  store: { bytes: 0, max_bytes: 1e10, windows_hours: 168, windows_since: null },
  problems: [],
};

function build(devices: readonly string[] = ['modem-1', 'modem-2']) {
  const clock = { ms: 0, snapshots: 0 };
  const now = () => START_MS + clock.ms;
  const state = { status: STATUS, metrics: METRICS, alert: null as string | null };
  const live = new LiveState();
  const fleet = new Fleet();
  const info = makeInfo({ detecting: true, active_model: 'ensemble' });
  fleet.setOnline('gw-1', true, START_MS);
  fleet.setInfo('gw-1', info, START_MS);
  const judges = ['isolation_forest'] as const;
  const see = (device: string, agent = 'gw-1') => {
    const sighting = {
      device,
      scope: 'device',
      state: 'scored',
      endMs: now(),
      judges,
      measured: true,
    } as const;
    fleet.seen(agent, sighting, now());
  };
  for (const device of devices) see(device);
  const alertOf = (_agent: string, device: string) => (device === 'modem-2' ? state.alert : null);
  const standings = new Standings({ now, fleet, alertOf, connected: () => true });
  const feed = new Feed({
    now,
    recent: () => {
      clock.snapshots++;
      return live.snapshot();
    },
    status: () => {
      standings.refresh();
      return { ...state.status, watching: standings.watching };
    },
    models: () => [],
    metrics: () => state.metrics,
    standings,
    board: live.board,
    maxClients: 2,
  });
  /** Connects, and waits for the turn that brings the snapshot. */
  const connect = (watched?: WatchedLines, topics?: readonly FeedTopic[]) => {
    const client = new Client();
    feed.connect(client, watched, topics);
    feed.flush();
    return client;
  };
  /** Tells of windows of that device, and passes a second. */
  const second = (...given: string[]) => {
    clock.ms += 1000;
    const windows = given.map((device) =>
      makeView({ device, latency_ms: clock.ms / 1000 + 0.123_456, received_at: iso(clock.ms) }),
    );
    live.add({ ...nothing, windows });
    feed.add({ ...nothing, windows });
    feed.flush();
  };
  return { feed, live, fleet, info, clock, state, see, connect, second };
}

const record = (device: string, fields: Partial<RecordView> = {}): RecordView => ({
  agent: 'gw-1',
  device,
  timestamp: iso(0),
  latency_ms: 20,
  packet_loss_pct: 0,
  retry_count: 0,
  error_code: null,
  traffic_volume_mb: null,
  connection_resets: null,
  window: null,
  anomalous: false,
  is_anomaly: null,
  anomaly_type: null,
  ...fields,
});

describe('the frames of the feed', () => {
  it('are a snapshot first, then updates numbered without a gap', () => {
    const { connect, second } = build();
    const client = connect();
    for (let turn = 0; turn < 3; turn++) second('modem-1');
    const numbered = client.frames.filter(({ type }) => type !== 'lines');
    expect(numbered.map(({ type, n }) => `${type} ${n}`)).toEqual([
      'snapshot 0',
      'update 1',
      'update 2',
      'update 3',
    ]);
  });

  it('fit the contract and carry their version and what time it is at the collector', () => {
    const { feed, connect, second, clock } = build();
    const client = connect();
    feed.add({ windows: [], records: [record('modem-1')], alerts: [makeAlert()] });
    second('modem-1', 'modem-2');
    for (const frame of client.frames) expect(feedFrameSchema.parse(frame)).toEqual(frame);
    expect(client.frames.map(({ type }) => type)).toEqual(['snapshot', 'update', 'lines']);
    expect(client.frames[0]).toMatchObject({ v: 3, now_ms: START_MS });
    expect(client.frames[1]).toMatchObject({ now_ms: START_MS + clock.ms });
  });

  it('gather what comes between two turns, and are none when there is nothing', () => {
    const { feed, connect } = build();
    const client = connect();
    const before = client.frames.length;
    feed.add({ ...nothing, windows: [makeView()] });
    feed.add({ ...nothing, windows: [makeView()] });
    feed.flush();
    feed.flush();
    expect(client.frames.slice(before)).toHaveLength(1);
    expect(client.frames.at(-1)?.windows).toHaveLength(2);
  });

  it('come every two seconds even when nothing happens, so that a dead connection can be told', () => {
    const { feed, clock, connect } = build();
    const client = connect();
    for (clock.ms = 0; clock.ms < 10_000; clock.ms += 250) feed.flush();
    expect(client.frames.slice(1).map(({ now_ms }) => now_ms! - START_MS)).toEqual([2000, 4000, 6000, 8000]);
  });

  it('are written once for all who follow the same topics', () => {
    const { connect, second } = build();
    const [one, other] = [connect(['gw-1/modem-2']), connect(['gw-1/modem-2'])];
    second('modem-2');
    expect(one.messages.slice(-2)).toEqual(other.messages.slice(-2));
    for (const [at, message] of one.messages.slice(-2).entries()) {
      expect(other.messages.slice(-2)[at]).toBe(message);
    }
  });
});

describe('topics', () => {
  it('that a client names are all that it hears of', () => {
    const { feed, connect, second, state } = build();
    const client = connect([], ['alerts', 'fleet', 'alerts']);
    expect(client.frames[0]).toMatchObject({
      topics: ['fleet', 'alerts'],
      status: { detecting: true },
      alerts: [],
    });
    for (const part of ['lines', 'agents', 'records', 'windows']) {
      expect(client.frames[0]).not.toHaveProperty(part);
    }
    state.status = { ...state.status, detecting: false };
    feed.add({ ...nothing, records: [record('modem-1')], alerts: [makeAlert()] });
    second('modem-1');
    expect(client.frames.at(-1)).toEqual({
      type: 'update',
      n: 1,
      now_ms: expect.any(Number),
      status: { detecting: false },
      alerts: [expect.objectContaining({ id: makeAlert().id })],
    });
  });

  it('are changed by a request, which a snapshot answers', () => {
    const { feed, connect, second } = build();
    const client = connect([], []);
    feed.message(client, '{"type":"follow","topics":["list"]}');
    feed.flush();
    expect(client.of('snapshot').at(-1)).toMatchObject({ topics: ['list'], n: 0 });
    second('modem-1');
    expect(client.frames.at(-1)).toMatchObject({ n: 1, values: [[0, expect.anything(), null]] });
  });
});

describe('what has changed', () => {
  it('is all that is told of status, agents and lines', () => {
    const { feed, clock, state, fleet, connect } = build();
    const client = connect([]);
    clock.ms = 1000;
    feed.flush();
    expect(client.of('update')).toHaveLength(0);
    clock.ms = 2000;
    state.status = { ...state.status, detecting: false };
    state.alert = makeAlert().id;
    fleet.alerted('gw-1', 'modem-2');
    feed.flush();
    expect(client.of('update')).toEqual([
      {
        type: 'update',
        n: 1,
        now_ms: START_MS + 2000,
        status: { detecting: false },
        lines: [[1, 'gw-1', 'modem-2', 'scored', true, makeAlert().id, START_MS, 0, null, null]],
      },
    ]);
  });

  it('of an agent that goes away is its own state and that of its lines', () => {
    const { feed, clock, fleet, connect } = build();
    const client = connect([]);
    clock.ms = 1000;
    fleet.setOnline('gw-1', false, START_MS + 1000);
    feed.flush();
    const [update] = client.of('update');
    expect(update).toMatchObject({ agents: [{ id: 'gw-1', online: false }] });
    expect(update?.lines?.map(([, , , state]) => state)).toEqual(['offline', 'offline']);
    expect(update?.status?.watching).toMatchObject({ lines: 0, missed: { offline: 2 }, agents_online: 0 });
  });

  it('is told when time alone has made a line silent', () => {
    const { feed, clock, connect, see } = build();
    for (clock.ms = 0; clock.ms < 20_000; clock.ms += 1000) see('modem-1');
    const client = connect([]);
    clock.ms = 19_000 + 59_999;
    feed.flush();
    const silent = () => client.of('update').flatMap(({ lines = [] }) => lines.map((row) => row.slice(2, 4)));
    expect(silent()).toEqual([]);
    clock.ms += 1000;
    feed.flush();
    expect(silent()).toEqual([['modem-1', 'stale']]);
  });

  it('is told at once when it is no question of time', () => {
    const { feed, clock, state, connect } = build();
    const client = connect();
    clock.ms = 500;
    state.status = { ...state.status, detecting: false };
    feed.flush();
    expect(client.frames).toHaveLength(1);
    feed.touch();
    feed.flush();
    expect(client.frames[1]).toMatchObject({ status: { detecting: false } });
  });

  it('is not what only counts: spool, counters and when an agent was last heard', () => {
    const { feed, clock, fleet, info, connect } = build();
    const client = connect();
    clock.ms = 1000;
    fleet.setInfo('gw-1', { ...info, counters: { records: 2 } }, START_MS + 900);
    feed.flush();
    expect(client.frames).toHaveLength(1);
  });

  it('of the metrics are the fields that changed', () => {
    const { clock, feed, state, connect } = build();
    const client = connect();
    clock.ms = 2000;
    state.metrics = { ...METRICS, anomaly_rate: 0.5 };
    feed.flush();
    expect(client.frames[1]?.metrics).toEqual({ anomaly_rate: 0.5 });
  });

  it('is not said again to the first client after a time without any', () => {
    const { feed, clock, connect, second } = build();
    const first = connect();
    second('modem-1');
    feed.add({ ...nothing, records: [record('modem-1')], windows: [makeView()] });
    feed.disconnect(first);
    clock.ms += 1000;
    const later = connect();
    feed.flush();
    expect(later.frames).toHaveLength(1);
  });
});

describe('the list', () => {
  it('of a large fleet shows the worst, and what leaves it is named', () => {
    const { feed, clock, see, connect, state, fleet } = build(
      Array.from({ length: 2001 }, (_, n) => `m-${n}`),
    );
    const client = connect([]);
    expect(client.frames[0]?.lines).toHaveLength(2000);
    expect(client.frames[0]?.status?.watching).toMatchObject({ of: 2001, lines: 2001 });
    clock.ms = 1000;
    state.alert = makeAlert().id;
    see('modem-2');
    fleet.alerted('gw-1', 'modem-2');
    feed.flush();
    const [update] = client.of('update');
    expect(update?.lines).toEqual([expect.arrayContaining(['modem-2', makeAlert().id])]);
    expect(update?.gone).toEqual({ agents: [], lines: [expect.any(Number)] });
  });
});

describe('the values of lines', () => {
  it('are told with three digits to everybody, once a second', () => {
    const { connect, second } = build();
    const client = connect([]);
    second('modem-2');
    expect(client.of('update')[0]?.values).toEqual([[1, 1.12, null]]);
  });

  it('are told of two hundred lines a second, those first that wait longest', () => {
    const devices = Array.from({ length: 450 }, (_, n) => `modem-${n}`);
    const { connect, second } = build(devices);
    const client = connect([]);
    for (let turn = 0; turn < 9; turn++) second(...devices);
    const told = client.of('update').map(({ values }) => values ?? []);
    expect(told.every((values) => values.length <= 200)).toBe(true);
    const counts = new Map<number, number>();
    for (const [number] of told.flat()) counts.set(number, (counts.get(number) ?? 0) + 1);
    expect(counts.size).toBe(450);
    expect([...counts.values()].every((count) => count >= 3)).toBe(true);
  });

  it('are in the snapshot, with a sparkline of the greatest latency of each ten seconds', () => {
    const { live, connect, clock } = build();
    clock.ms = 25_000;
    const at = (ms: number, latency_ms: number) => makeView({ latency_ms, received_at: iso(ms) });
    live.add({ ...nothing, windows: [at(1000, 20), at(2000, 31.4), at(3000, 25), at(24_000, 22)] });
    const [snapshot] = connect([]).frames;
    expect(snapshot?.lines?.[0]?.slice(-2)).toEqual([22, null]);
    expect(snapshot?.sparks).toEqual([[...new Array(9).fill(null), 31, null, 22], []]);
    expect(snapshot).not.toHaveProperty('windows');
  });
});

describe('who watches', () => {
  it('all lines, as who says nothing does, gets every window and record, and the newest at once', () => {
    const { feed, live, connect } = build();
    live.add({ ...nothing, windows: [makeView()] });
    const client = connect();
    expect(client.frames[0]).toMatchObject({ watching: 'all', windows: [{ device: 'modem-1' }] });
    feed.add({
      ...nothing,
      windows: [makeView(), makeView({ device: 'modem-2' })],
      records: Array.from({ length: 300 }, () => record('modem-2')),
    });
    feed.flush();
    expect(client.of('lines')[0]?.windows).toHaveLength(2);
    expect(client.of('lines')[0]?.records).toHaveLength(300);
  });

  it('some lines gets their windows and no others, from the frame on that says so', () => {
    const { feed, connect } = build();
    const client = connect([]);
    expect(client.of('lines')).toMatchObject([{ watching: [] }]);
    const windows = [makeView(), makeView({ device: 'modem-2' })];
    feed.add({ ...nothing, windows });
    feed.message(client, '{"type":"watch","lines":["gw-1/modem-2"]}');
    feed.flush();
    feed.add({ ...nothing, windows });
    feed.flush();
    const [, answer, lines] = client.of('lines');
    expect(answer).toMatchObject({ watching: ['gw-1/modem-2'], lines: [[1, 'gw-1', 'modem-2', ...row]] });
    expect(answer).not.toHaveProperty('windows');
    expect(lines).toMatchObject({ windows: [{ device: 'modem-2' }] });
    expect(lines).not.toHaveProperty('watching');
  });

  it('some lines instead of all gets no others any more, and all again when it asks', () => {
    const { feed, connect } = build();
    const client = connect();
    const windows = [makeView(), makeView({ device: 'modem-2' })];
    const watch = (lines: WatchedLines) => {
      feed.message(client, JSON.stringify({ type: 'watch', lines }));
      feed.flush();
      const before = client.frames.length;
      feed.add({ ...nothing, windows });
      feed.flush();
      return client.frames
        .slice(before)
        .flatMap((frame) => frame.windows ?? [])
        .map(({ device }) => device);
    };
    expect(watch(['gw-1/modem-2'])).toEqual(['modem-2']);
    expect(watch('all')).toEqual(['modem-1', 'modem-2']);
    expect(watch([])).toEqual([]);
  });

  it('some lines hears at once with which state they stand, whether the list shows them or not', () => {
    const { feed, clock, fleet, state, connect } = build();
    const client = connect(['gw-1/modem-2', 'gw-1/unknown']);
    clock.ms = 1000;
    state.alert = makeAlert().id;
    fleet.alerted('gw-1', 'modem-2');
    feed.flush();
    expect(client.of('lines').map(({ lines }) => lines?.map((row) => row[5]))).toEqual([
      [null],
      [makeAlert().id],
    ]);
  });

  it('some lines gets all their records, and everybody a sample of all, anomalous ones first', () => {
    const { feed, clock, connect } = build();
    const client = connect(['gw-1/modem-2']);
    const others = Array.from({ length: 200 }, (_, n) => record('modem-1', { anomalous: n === 7 }));
    const own = Array.from({ length: 50 }, () => record('modem-2'));
    clock.ms = 1000;
    feed.add({ ...nothing, records: [...own, ...others] });
    feed.flush();
    expect(client.of('lines').at(-1)?.records).toHaveLength(50);
    const records = client.of('update').at(-1)!.records!;
    expect(records).toHaveLength(20);
    expect(records.filter(({ anomalous }) => anomalous)).toHaveLength(1);
  });

  it('gets each record of a small fleet', () => {
    const { feed, clock, connect } = build();
    const client = connect([]);
    for (let turn = 0; turn < 20; turn++) {
      clock.ms += 250;
      feed.add({ ...nothing, records: [record('modem-1'), record('modem-2')] });
      feed.flush();
    }
    expect(client.frames.flatMap(({ records }) => records ?? [])).toHaveLength(40);
  });
});

/** State, watched, alert, times and values. */
const row = Array.from({ length: 7 }, (_, at) => (at === 2 || at > 4 ? null : expect.anything()));

describe('alerts', () => {
  it('that only count on are told every ten seconds, what a person must know at once', () => {
    const { feed, clock, connect } = build();
    const client = connect([]);
    const turn = (fields: Parameters<typeof makeAlert>[0]) => {
      clock.ms += 1000;
      feed.add({ ...nothing, alerts: [makeAlert(fields)] });
      const before = client.frames.length;
      feed.flush();
      return client.frames.slice(before).flatMap(({ alerts = [] }) => alerts)[0]?.windows ?? null;
    };
    const told = Array.from({ length: 12 }, (_, n) => turn({ windows: n + 1 }));
    expect(told.filter((windows) => windows !== null)).toEqual([1, 11]);
    expect(turn({ windows: 13, verdict: 'confirmed' })).toBe(13);
    expect(turn({ windows: 14, status: 'closed' })).toBe(14);
  });

  it('of a whole fleet are told bit by bit, and none is left out', () => {
    const { feed, clock, connect } = build();
    const client = connect([]);
    const alerts = Array.from({ length: 1000 }, (_, n) => makeAlert({ id: `gw-1/aaaaaaaaaaaaaaaa/${n}/0` }));
    feed.add({ ...nothing, alerts });
    for (let turn = 0; turn < 100; turn++) {
      clock.ms += 100;
      feed.flush();
    }
    const told = client.frames.slice(1).map((frame) => frame.alerts?.length ?? 0);
    expect(Math.max(...told)).toBe(10);
    expect(new Set(client.frames.flatMap((frame) => frame.alerts ?? []).map(({ id }) => id)).size).toBe(1000);
  });
});

describe('requests', () => {
  it('for a new snapshot are answered, numbered so that no update follows twice', () => {
    const { feed, connect, second } = build();
    const [client, other] = [connect([]), connect([])];
    second('modem-1');
    feed.message(client, '{"type":"resync"}');
    second('modem-1');
    second('modem-1');
    const numbers = (of: Client) =>
      of.frames.flatMap(({ type, n }) => (n === undefined ? [] : [`${type} ${n}`]));
    expect(numbers(client)).toEqual(['snapshot 0', 'update 1', 'snapshot 2', 'update 3']);
    expect(numbers(other)).toEqual(['snapshot 0', 'update 1', 'update 2', 'update 3']);
  });

  const lines = (count: number) => Array.from({ length: count }, (_, n) => `gw-1/modem-${n}`);

  it.each([
    '{"type":"drop tables"}',
    'x',
    '',
    '{"type":"resync","more":1}',
    '{"type":"watch"}',
    '{"type":"watch","lines":"some"}',
    '{"type":"watch","lines":["modem-1"]}',
    '{"type":"watch","lines":["gw-1/a/b"]}',
    '{"type":"follow","topics":["all"]}',
    '{"type":"follow","topics":["list","list","list","list","list"]}',
    JSON.stringify({ type: 'watch', lines: lines(51) }),
  ])('that are none end the connection: %s', (text) => {
    const { feed, connect } = build();
    const client = connect();
    feed.message(client, text);
    expect(client.ended).toBe(true);
    expect(feed.clients).toBe(0);
  });

  it('may name fifty lines, or all', () => {
    const { feed, connect } = build();
    const client = connect();
    feed.message(client, JSON.stringify({ type: 'watch', lines: lines(50) }));
    feed.flush();
    expect(client.frames.at(-1)?.watching).toHaveLength(50);
    feed.message(client, '{"type":"watch","lines":"all"}');
    feed.flush();
    expect(client.frames.at(-1)).toMatchObject({ type: 'snapshot', watching: 'all' });
  });
});

describe('a slow client', () => {
  it('loses its backlog and gets one snapshot when it has caught up', () => {
    const { feed, connect, second } = build();
    const [slow, quick] = [connect([]), connect([])];
    slow.queuedBytes = 2 * 1024 * 1024;
    for (let turn = 0; turn < 5; turn++) second('modem-1');
    expect(quick.of('update')).toHaveLength(5);
    slow.queuedBytes = 10;
    feed.flush();
    expect(slow.frames).toHaveLength(2);
    slow.queuedBytes = 0;
    feed.flush();
    expect(slow.of('snapshot')).toHaveLength(2);
    expect(slow.of('snapshot')[1]).toMatchObject({
      n: 5,
      lines: [expect.arrayContaining([5.12]), expect.anything()],
    });
    second('modem-1');
    expect(slow.frames.at(-1)).toMatchObject({ type: 'update', n: 6 });
  });

  it('that asks without reading gets one snapshot, once it has read', () => {
    const { feed, connect } = build();
    const client = connect();
    const before = client.frames.length;
    client.queuedBytes = 10;
    for (let turn = 0; turn < 20; turn++) {
      feed.message(client, '{"type":"resync"}');
      feed.flush();
    }
    expect(client.frames).toHaveLength(before);
    client.queuedBytes = 0;
    feed.flush();
    feed.flush();
    expect(client.frames.slice(before)).toMatchObject([{ type: 'snapshot' }]);
  });

  it('that lets much more pile up than it may is cut off at once', () => {
    const { feed, connect } = build();
    const client = connect([]);
    client.queuedBytes = 9 * 1024 * 1024;
    feed.flush();
    expect([client.ended, feed.clients]).toEqual([true, 0]);
  });

  it('that takes nothing for ten seconds is cut off, one that takes a little at a time is not', () => {
    const { feed, clock, connect, second } = build();
    const [frozen, slow] = [connect([]), connect([])];
    [frozen.queuedBytes, slow.queuedBytes] = [2e6, 2e6];
    for (let turn = 0; turn < 12; turn++) {
      second('modem-1');
      slow.queuedBytes -= 1000;
    }
    expect([frozen.ended, slow.ended]).toEqual([true, false]);
    expect([feed.frozen, feed.clients]).toEqual([1, 1]);
    feed.flush();
    clock.ms += 11_000;
    feed.flush();
    expect(slow.ended).toBe(true);
  });

  it('shares its snapshot with all who need one at that time, and new clients do not have it built again', () => {
    const { feed, clock } = build();
    const clients = [new Client(), new Client()];
    const before = clock.snapshots;
    for (const client of clients) feed.connect(client, []);
    expect(clients.flatMap(({ frames }) => frames)).toEqual([]);
    feed.flush();
    expect(clock.snapshots).toBe(before + 1);
    expect(clients[0]!.messages[0]).toBe(clients[1]!.messages[0]);
    for (const client of clients) feed.message(client, '{"type":"resync"}');
    feed.flush();
    expect(clients.map((client) => client.of('snapshot').length)).toEqual([2, 2]);
    expect(clock.snapshots).toBe(before + 2);
  });
});

describe('bounds', () => {
  it('keep the newest 4,000 rows of a group of any size', () => {
    const { feed, connect } = build();
    const client = connect();
    const row = makeView();
    const last = makeView({ agent: 'gw-last' });
    feed.add({ ...nothing, windows: [...new Array(200_000).fill(row), last] });
    feed.add({ ...nothing, windows: [last] });
    feed.flush();
    expect(client.frames.at(-1)?.windows).toHaveLength(4000);
    expect(client.frames.at(-1)?.windows?.slice(-3)).toMatchObject([
      { agent: row.agent },
      { agent: 'gw-last' },
      { agent: 'gw-last' },
    ]);
  });

  it('end a client that asks all the time', () => {
    const { feed, connect } = build();
    const client = connect();
    for (let turn = 0; turn < 61; turn++) feed.message(client, '{"type":"watch","lines":[]}');
    expect(client.ended).toBe(true);
  });

  it('let in no more clients than there is room for', () => {
    const { feed, connect } = build();
    connect();
    expect(feed.isFull).toBe(false);
    connect();
    expect(feed.isFull).toBe(true);
  });
});
