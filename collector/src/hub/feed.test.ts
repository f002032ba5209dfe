import {
  type AgentView,
  feedFrameSchema,
  type MetricsView,
  type RecordView,
  type SnapshotFrame,
  type StatusView,
  type UpdateFrame,
  type WatchedLines,
} from '@lineheron/models';
import { describe, expect, it } from 'vitest';
import { QualityTracker } from '../quality/quality-tracker.js';
import { makeAlert, makeView } from '../testing/stored.js';
import { Feed, type FeedClient } from './feed.js';
import { LiveState } from './live-state.js';

const START_MS = Date.UTC(2026, 0, 1);
const iso = (ms: number) => new Date(START_MS + ms).toISOString();

type Frame = Partial<Omit<SnapshotFrame, 'type'> & Omit<UpdateFrame, 'type'>> & { type: string; n: number };

class Client implements FeedClient {
  bufferedAmount = 0;
  ended = false;
  readonly frames: Frame[] = [];
  send(text: string): void {
    this.frames.push(JSON.parse(text));
  }
  ping(): void {}
  terminate(): void {
    this.ended = true;
  }
}

const nothing = { windows: [], records: [], alerts: [] };

function makeAgent(id: string, devices: readonly string[]): AgentView {
  return {
    id,
    online: true,
    version: '0.1.0',
    boot: 'aaaaaaaaaaaaaaaa',
    source: { type: 'tail', detail: '', phase: 'live' },
    fingerprint: '0123456789abcdef',
    last_seen: iso(0),
    models: [],
    spool: { batches: 0, bytes: 0 },
    counters: { records: 1 },
    labels: {},
    detecting: true,
    active_model: 'ensemble',
    problems: [],
    devices: devices.map((device) => ({
      device,
      scope: 'device' as const,
      state: 'scored' as const,
      watched: true,
      last_seen: iso(0),
      end: iso(0),
      alert: null,
    })),
  };
}

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

const STATUS: StatusView = {
  version: '0.1.0',
  started_at: iso(0),
  uptime_seconds: 0,
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
  watching: { lines: 2, of: 2, agents_detecting: 1, agents_online: 1, agents: 1 },
  agents: [makeAgent('gw-1', ['modem-1', 'modem-2'])],
};

function build(devices: readonly string[] = ['modem-1', 'modem-2']) {
  const clock = { ms: 0, snapshots: 0 };
  const state = { status: { ...STATUS, agents: [makeAgent('gw-1', devices)] }, metrics: METRICS };
  const live = new LiveState();
  const feed = new Feed({
    now: () => START_MS + clock.ms,
    recent: () => {
      clock.snapshots++;
      return live.snapshot();
    },
    status: () => state.status,
    models: () => [],
    metrics: () => state.metrics,
    board: live.board,
    maxClients: 2,
  });
  const connect = (watched?: WatchedLines) => {
    const client = new Client();
    feed.connect(client, watched);
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
  return { feed, live, clock, state, connect, second };
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
    expect(client.frames.map(({ type, n }) => `${type} ${n}`)).toEqual([
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
    expect(client.frames[0]).toMatchObject({ v: 2, now_ms: START_MS });
    expect(client.frames[1]).toMatchObject({ now_ms: START_MS + clock.ms });
  });

  it('gather what comes between two turns, and are none when there is nothing', () => {
    const { feed, connect } = build();
    const client = connect();
    feed.flush();
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
});

describe('what has changed', () => {
  it('is all that is told of status, agents and lines', () => {
    const { feed, clock, state, connect } = build();
    const client = connect();
    clock.ms = 1000;
    state.status = { ...state.status, uptime_seconds: 1 };
    feed.flush();
    expect(client.frames).toHaveLength(1);
    clock.ms = 2000;
    const changed = makeAgent('gw-1', ['modem-1', 'modem-2']);
    Object.assign(changed.devices[1]!, { state: 'stale', watched: false });
    state.status = { ...state.status, detecting: false, agents: [{ ...changed, online: false }] };
    feed.flush();
    expect(client.frames[1]).toEqual({
      type: 'update',
      n: 1,
      now_ms: START_MS + 2000,
      status: { detecting: false },
      agents: [expect.objectContaining({ id: 'gw-1', online: false })],
      lines: [[1, 'gw-1', 'modem-2', 'stale', false, null, START_MS, 0, null, null]],
    });
  });

  it('is told at once when it is no question of time', () => {
    const { feed, clock, state, connect } = build();
    const client = connect();
    feed.flush();
    clock.ms = 500;
    state.status = { ...state.status, detecting: false };
    feed.flush();
    expect(client.frames).toHaveLength(1);
    feed.touch();
    feed.flush();
    expect(client.frames[1]).toMatchObject({ status: { detecting: false } });
  });

  it('is not what only counts: spool, counters and when an agent was last heard', () => {
    const { feed, clock, state, connect } = build();
    const client = connect();
    clock.ms = 1000;
    const agents = [{ ...state.status.agents[0]!, last_seen: iso(900), counters: { records: 2 } }];
    state.status = { ...state.status, agents };
    feed.flush();
    expect(client.frames).toHaveLength(1);
  });

  it('names lines and agents that are gone', () => {
    const { clock, feed, state, connect } = build();
    const client = connect();
    clock.ms = 1000;
    state.status = { ...state.status, agents: [] };
    feed.flush();
    expect(client.frames[1]?.gone).toEqual({ agents: ['gw-1'], lines: [0, 1] });
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
    clock.ms += 60_000;
    const later = connect();
    feed.flush();
    expect(later.frames).toHaveLength(1);
  });
});

describe('the values of lines', () => {
  it('are told with three digits to everybody, once a second', () => {
    const { connect, second } = build();
    const client = connect([]);
    second('modem-2');
    expect(client.frames[1]?.values).toEqual([[1, 1.12, null]]);
  });

  it('are told of two hundred lines a second, those first that wait longest', () => {
    const devices = Array.from({ length: 450 }, (_, n) => `modem-${n}`);
    const { connect, second } = build(devices);
    const client = connect([]);
    for (let turn = 0; turn < 9; turn++) second(...devices);
    const told = client.frames.slice(1).map(({ values }) => values ?? []);
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
    expect(snapshot?.windows).toEqual([]);
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
    expect(client.frames[1]?.windows).toHaveLength(2);
    expect(client.frames[1]?.records).toHaveLength(300);
  });

  it('some lines gets their windows and no others, from the frame on that says so', () => {
    const { feed, connect } = build();
    const client = connect([]);
    const windows = [makeView(), makeView({ device: 'modem-2' })];
    feed.add({ ...nothing, windows });
    feed.message(client, '{"type":"watch","lines":["gw-1/modem-2"]}');
    feed.add({ ...nothing, windows });
    feed.flush();
    expect(client.frames.slice(1)).toMatchObject([
      { n: 1, watching: ['gw-1/modem-2'] },
      { n: 2, windows: [{ device: 'modem-2' }] },
    ]);
    expect(client.frames[1]).not.toHaveProperty('windows');
    expect(client.frames[2]).not.toHaveProperty('watching');
  });

  it('some lines gets all their records and a sample of the others, anomalous ones first', () => {
    const { feed, clock, connect } = build();
    const client = connect(['gw-1/modem-2']);
    const others = Array.from({ length: 200 }, (_, n) => record('modem-1', { anomalous: n === 7 }));
    const own = Array.from({ length: 50 }, () => record('modem-2'));
    clock.ms = 1000;
    feed.add({ ...nothing, records: [...own, ...others] });
    feed.flush();
    const records = client.frames.at(-1)!.records!;
    expect(records.filter(({ device }) => device === 'modem-2')).toHaveLength(50);
    expect(records.filter(({ device }) => device === 'modem-1')).toHaveLength(20);
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

describe('alerts', () => {
  it('that only count on are told every ten seconds, what a person must know at once', () => {
    const { feed, clock, connect } = build();
    const client = connect([]);
    const turn = (fields: Parameters<typeof makeAlert>[0]) => {
      clock.ms += 1000;
      feed.add({ ...nothing, alerts: [makeAlert(fields)] });
      const before = client.frames.length;
      feed.flush();
      return client.frames[before]?.alerts?.[0]?.windows ?? null;
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
    for (let turn = 0; turn < 40; turn++) {
      clock.ms += 250;
      feed.flush();
    }
    const told = client.frames.slice(1).map((frame) => frame.alerts?.length ?? 0);
    expect(Math.max(...told)).toBe(25);
    expect(new Set(client.frames.flatMap((frame) => frame.alerts ?? []).map(({ id }) => id)).size).toBe(1000);
  });
});

describe('requests', () => {
  it('for a new snapshot are answered, numbered so that no update follows twice', () => {
    const { feed, connect } = build();
    const client = connect();
    feed.add({ ...nothing, windows: [makeView()] });
    feed.message(client, '{"type":"resync"}');
    const [update, snapshot] = client.frames.slice(-2);
    expect(update).toMatchObject({ type: 'update', n: 1 });
    expect(snapshot).toMatchObject({ type: 'snapshot', n: 1 });
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
    expect(client.frames.at(-1)?.watching).toHaveLength(50);
    feed.message(client, '{"type":"watch","lines":"all"}');
    expect(client.frames.at(-1)?.watching).toBe('all');
  });
});

describe('a slow client', () => {
  it('loses its backlog and gets one snapshot when it has caught up', () => {
    const { feed, connect, second } = build();
    const [slow, quick] = [connect(), connect()];
    slow.bufferedAmount = 2 * 1024 * 1024;
    for (let turn = 0; turn < 5; turn++) second('modem-1');
    expect(quick.frames).toHaveLength(6);
    slow.bufferedAmount = 10;
    feed.flush();
    expect(slow.frames).toHaveLength(1);
    slow.bufferedAmount = 0;
    feed.flush();
    expect(slow.frames.at(-1)).toMatchObject({
      type: 'snapshot',
      n: 0,
      lines: [expect.arrayContaining([5.12]), expect.anything()],
    });
    second('modem-1');
    expect(slow.frames.at(-1)).toMatchObject({ type: 'update', n: 1 });
  });

  it('that asks without reading gets one snapshot, once it has read', () => {
    const { feed, connect } = build();
    const client = connect();
    feed.flush();
    const before = client.frames.length;
    client.bufferedAmount = 10;
    for (let turn = 0; turn < 20; turn++) feed.message(client, '{"type":"resync"}');
    expect(client.frames).toHaveLength(before);
    client.bufferedAmount = 0;
    feed.flush();
    feed.flush();
    expect(client.frames.slice(before)).toMatchObject([{ type: 'snapshot' }]);
  });

  it('shares its snapshot with all who need one at that time', () => {
    const { feed, clock, connect } = build();
    const clients = [connect(), connect()];
    for (const client of clients) {
      client.bufferedAmount = 10;
      feed.message(client, '{"type":"resync"}');
    }
    for (const client of clients) client.bufferedAmount = 0;
    const before = clock.snapshots;
    feed.add({ ...nothing, windows: [makeView()] });
    feed.flush();
    expect(clients.map(({ frames }) => frames.at(-1)?.type)).toEqual(['snapshot', 'snapshot']);
    expect(clock.snapshots).toBe(before + 1);
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
    for (let turn = 0; turn < 121; turn++) feed.message(client, '{"type":"watch","lines":[]}');
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
