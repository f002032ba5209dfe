import type { FeedFrame } from '@lineheron/models';
import { describe, expect, it } from 'vitest';
import { healthOf, Session } from './session.js';
import { agent, line, snapshot, T0, window } from './testing/views.js';

const NOW = T0 + 10_000;
const withLines = () =>
  snapshot({
    agents: [agent('gw-1')],
    lines: [line(0, 'gw-1/line-1'), line(1, 'gw-1/line-2')],
  });
const watching: FeedFrame = {
  type: 'lines',
  now_ms: NOW,
  watching: ['gw-1/line-1'],
  windows: [window(9.8)],
};

describe('a session', () => {
  it('chooses a line with the first snapshot and gives it its windows', () => {
    const session = new Session(NOW);
    expect(session.take(withLines(), NOW)).toBe(true);
    session.take(watching, NOW);
    expect(session.chosen.value).toMatchObject([{ agent: 'gw-1', device: 'line-1', nowMs: T0 + 9_800 }]);
    expect(session.chosen.value[0]?.windows).toHaveLength(1);
  });

  it('refuses a frame that does not follow and stays as it was', () => {
    const session = new Session(NOW);
    session.take(withLines(), NOW);
    const before = session.feed.value;
    expect(session.take({ type: 'update', n: 99, now_ms: NOW }, NOW)).toBe(false);
    expect(session.feed.value).toBe(before);
  });

  it('lets time stand still while the feed does', () => {
    const session = new Session(NOW);
    session.take(withLines(), NOW);
    session.take(watching, NOW);
    session.connection.value = 'reconnecting';
    session.tick(NOW + 60_000);
    expect(session.chosen.value[0]?.nowMs).toBe(T0 + 9_800);
    session.connection.value = 'live';
    session.tick(NOW + 60_000);
    expect(session.chosen.value[0]?.nowMs).toBe(T0 + 69_800);
  });

  it('lets ages go on while the feed stands still, on the collector’s clock', () => {
    const session = new Session(5_000);
    session.take(withLines(), 5_000);
    expect(session.collectorNowMs).toBe(NOW);
    session.connection.value = 'failed';
    session.tick(65_000);
    expect(session.collectorNowMs).toBe(NOW + 60_000);
    expect(session.silentMs).toBe(60_000);
  });

  it('knows how old everything is when agents and collector were stopped for minutes', () => {
    const session = new Session(0);
    session.take(snapshot({ now_ms: NOW + 600_000, windows: [window(9.8)] }), 0);
    expect(session.collectorNowMs - Date.parse(window(9.8).received_at)).toBe(600_000);
  });
});

describe('health', () => {
  it('is loading until the first snapshot, failed when there is no contact, stale when there was', () => {
    expect(healthOf('connecting', false)).toBe('loading');
    expect(healthOf('reconnecting', false)).toBe('failed');
    expect(healthOf('live', true)).toBe('live');
    expect(healthOf('failed', true)).toBe('stale');
    expect(healthOf('stale', true)).toBe('stale');
  });
});
