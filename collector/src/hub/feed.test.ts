import type { SnapshotFrame } from '@lineheron/models';
import { describe, expect, it } from 'vitest';
import { makeView } from '../testing/stored.js';
import { Feed, type FeedClient } from './feed.js';
import { LiveState } from './live-state.js';

class Client implements FeedClient {
  bufferedAmount = 0;
  ended = false;
  readonly frames: Array<{ type: string; n: number; now_ms: number; windows?: unknown[] }> = [];
  send(text: string): void {
    this.frames.push(JSON.parse(text));
  }
  ping(): void {}
  terminate(): void {
    this.ended = true;
  }
}

const nothing = { windows: [], records: [], alerts: [] };

function build() {
  const clock = { ms: 0, snapshots: 0 };
  const state: Omit<SnapshotFrame, 'type' | 'n' | 'now_ms' | 'windows' | 'records' | 'alerts'> = {
    status: {} as SnapshotFrame['status'],
    models: [],
    metrics: {} as SnapshotFrame['metrics'],
  };
  const feed = new Feed({
    now: () => clock.ms,
    snapshot: () => {
      clock.snapshots++;
      return { ...state, ...nothing };
    },
    status: () => state.status,
    models: () => state.models,
    metrics: () => state.metrics,
    maxClients: 2,
  });
  const connect = () => {
    const client = new Client();
    feed.connect(client);
    return client;
  };
  return { feed, clock, connect };
}

describe('Feed', () => {
  it('sends a snapshot first, then updates numbered without a gap', () => {
    const { feed, connect } = build();
    const client = connect();
    for (let turn = 0; turn < 3; turn++) {
      feed.add({ ...nothing, windows: [makeView()] });
      feed.flush();
    }
    expect(client.frames.map(({ type, n }) => `${type} ${n}`)).toEqual([
      'snapshot 0',
      'update 1',
      'update 2',
      'update 3',
    ]);
  });

  it('says in every frame what time it is here', () => {
    const { feed, clock, connect } = build();
    clock.ms = 5000;
    const client = connect();
    clock.ms = 7000;
    feed.add({ ...nothing, windows: [makeView()] });
    feed.flush();
    expect(client.frames.map(({ now_ms }) => now_ms)).toEqual([5000, 7000]);
  });

  it('gathers what comes between two turns into one update, and says nothing when there is nothing', () => {
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

  it('tells status once a second, and at once when it changed', () => {
    const { feed, clock, connect } = build();
    const client = connect();
    const told = () => client.frames.filter((frame) => frame.type === 'update' && 'status' in frame).length;
    feed.flush();
    expect(told()).toBe(1);
    clock.ms = 500;
    feed.flush();
    expect(told()).toBe(1);
    feed.touch();
    feed.flush();
    expect(told()).toBe(2);
  });

  it('gives a new snapshot on request, numbered so that no update follows twice', () => {
    const { feed, connect } = build();
    const client = connect();
    feed.add({ ...nothing, windows: [makeView()] });
    feed.message(client, '{"type":"resync"}');
    const [update, snapshot] = client.frames.slice(-2);
    expect(update).toMatchObject({ type: 'update', n: 1 });
    expect(snapshot).toMatchObject({ type: 'snapshot', n: 1 });
  });

  it.each(['{"type":"drop tables"}', 'x', '', '{"type":"resync","more":1}'])(
    'ends a client that says %s',
    (text) => {
      const { feed, connect } = build();
      const client = connect();
      feed.message(client, text);
      expect(client.ended).toBe(true);
      expect(feed.clients).toBe(0);
    },
  );

  it('drops the backlog of a slow client and sends it one snapshot when it has caught up', () => {
    const { feed, connect } = build();
    const [slow, quick] = [connect(), connect()];
    slow.frames.length = 0;
    const before = quick.frames[0]!.n;
    slow.bufferedAmount = 2 * 1024 * 1024;
    for (let turn = 0; turn < 5; turn++) {
      feed.add({ ...nothing, windows: [makeView()] });
      feed.flush();
    }
    expect(quick.frames).toHaveLength(6);
    slow.bufferedAmount = 10;
    feed.flush();
    expect(slow.frames).toEqual([]);
    slow.bufferedAmount = 0;
    feed.flush();
    expect(slow.frames.at(-1)).toMatchObject({ type: 'snapshot', n: before + 5 });
    feed.add({ ...nothing, windows: [makeView()] });
    feed.flush();
    expect(slow.frames.at(-1)).toMatchObject({ type: 'update', n: before + 6 });
  });

  it('gives a client that asks without reading one snapshot, once it has read', () => {
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

  it('writes one snapshot for all who need it at one number', () => {
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

  it('keeps the newest 4,000 rows of a group of any size', () => {
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

  it('is full at its bound', () => {
    const { feed, connect } = build();
    connect();
    expect(feed.isFull).toBe(false);
    connect();
    expect(feed.isFull).toBe(true);
  });
});

describe('LiveState', () => {
  it('shows the last five minutes of windows, at most 4,000, oldest first', () => {
    const live = new LiveState();
    const nowMs = Date.UTC(2026, 0, 1, 1);
    const view = (agoMs: number) => makeView({ received_at: new Date(nowMs - agoMs).toISOString() });
    live.add({ ...nothing, windows: [view(6 * 60_000), view(60_000), view(1000)] });
    expect(live.snapshot(nowMs).windows).toHaveLength(2);
    for (let turn = 0; turn < 10; turn++) {
      live.add({ ...nothing, windows: Array.from({ length: 1000 }, () => view(0)) });
    }
    expect(live.snapshot(nowMs).windows).toHaveLength(4000);
  });
});
