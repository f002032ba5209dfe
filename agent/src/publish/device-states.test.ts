/** When a device's state is told, and that it is cleared. */
import { type DeviceState, type ScoredWindow, stateSchema, type Verdict } from '@lineheron/models';
import { describe, expect, it } from 'vitest';
import { DeviceStates } from './device-states.js';

const window = (device: string, fields: Partial<ScoredWindow> = {}): ScoredWindow => ({
  scope: 'device',
  device,
  end: '2026-01-01T00:00:00.000Z',
  records: 30,
  state: 'scored',
  score: 0.4,
  threshold: 0.5,
  suspect: false,
  features: [20, 1.5],
  reasons: [],
  episode: null,
  ...fields,
});

const EPISODE = 'gw/0123456789abcdef/1/0';
const LATER_EPISODE = 'gw/0123456789abcdef/9/0';
const COLLECTOR_ALERT = 'gw/0123456789abcdef/5/2';

function build(maxDevices = 100) {
  const told: { topic: string; state: DeviceState | null }[] = [];
  const world = { nowMs: 0, connected: true };
  const states = new DeviceStates({
    agent: 'gw',
    featureNames: ['latency_mean', 'packet_loss_mean'],
    maxDevices,
    publish: (topic, payload) => {
      if (!world.connected) return false;
      told.push({ topic, state: payload === '' ? null : stateSchema.parse(JSON.parse(payload)) });
      return true;
    },
    monotonicMs: () => world.nowMs,
  });
  const see = (...windows: ScoredWindow[]) => states.update(new Map(windows.map((one) => [one.device, one])));
  return { states, told, world, see };
}

const verdict = (device: string, fields: Partial<Verdict> = {}): Verdict => ({
  v: 1,
  alert: EPISODE,
  device,
  scope: 'device',
  status: 'open',
  verdict: 'confirmed',
  severity: 'critical',
  at: '2026-01-01T00:00:00.000Z',
  autoencoder_score: 1,
  autoencoder_threshold: 0.5,
  summary: '',
  ...fields,
});

describe('DeviceStates', () => {
  it('tells a change at once and the same again only after 30 s', () => {
    const { told, world, see } = build();
    see(window('a'));
    see(window('a', { score: 0.41 }));
    expect(told).toHaveLength(1);
    expect(told[0]).toMatchObject({
      topic: 'lineheron/v1/gw/state/a',
      state: { latency_ms: 20, packet_loss_pct: 1.5, traffic_mb: null, summary: 'a behaves as usual.' },
    });
    see(window('a', { suspect: true, episode: EPISODE }));
    expect(told[1]!.state).toMatchObject({ suspect: true, verdict: 'unreviewed' });
    see(window('a', { suspect: true, episode: EPISODE }));
    expect(told).toHaveLength(2);
    world.nowMs = 30_000;
    see(window('a', { suspect: true, episode: EPISODE }));
    expect(told).toHaveLength(3);
  });

  it("carries the collector's verdict while the episode is open", () => {
    const { told, states, see } = build();
    states.review(verdict('a'));
    expect(told).toHaveLength(0);
    see(window('a', { episode: EPISODE, suspect: true }));
    states.review(verdict('a'));
    expect(told.at(-1)!.state!.verdict).toBe('confirmed');
    see(window('a', { episode: EPISODE }));
    expect(told.at(-1)!.state).toMatchObject({ verdict: 'confirmed', suspect: false });
    see(window('a'));
    expect(told.at(-1)!.state!.verdict).toBeNull();
  });

  it('leaves a late verdict of an episode that is over, whether or not the next one is open', () => {
    const { told, states, see } = build();
    see(window('a', { episode: EPISODE, suspect: true }));
    see(window('a'));
    states.review(verdict('a'));
    expect(told.at(-1)!.state!.verdict).toBeNull();
    see(window('a', { episode: LATER_EPISODE, suspect: true }));
    states.review(verdict('a'));
    expect(told.at(-1)!.state).toMatchObject({ episode: LATER_EPISODE, verdict: 'unreviewed' });
  });

  it("carries the verdict of the collector's own alert while no episode is open, until it is closed", () => {
    const { told, states, see } = build();
    const own = { alert: COLLECTOR_ALERT };
    see(window('a', { episode: EPISODE, suspect: true }));
    states.review(verdict('a', own));
    expect(told.at(-1)!.state!.verdict).toBe('unreviewed');
    see(window('a'));
    states.review(verdict('a', own));
    expect(told.at(-1)!.state).toMatchObject({ episode: null, verdict: 'confirmed' });
    see(window('a', { score: 0.41 }));
    states.review(verdict('a', { ...own, status: 'closed' }));
    expect(told.at(-1)!.state).toMatchObject({ episode: null, verdict: null });
    states.review(verdict('a', own));
    states.republish();
    expect(told.at(-1)!.state!.verdict).toBeNull();
  });

  it('tells at once that an episode has ended because its device fell silent', () => {
    const { told, states, see } = build();
    see(window('a', { episode: LATER_EPISODE, suspect: true }));
    states.close('a', EPISODE);
    states.close('b', EPISODE);
    expect(told).toHaveLength(1);
    states.close('a', LATER_EPISODE);
    expect(told.at(-1)!.state).toMatchObject({
      suspect: false,
      episode: null,
      verdict: null,
      summary: 'a has fallen silent.',
    });
  });

  it('repeats every 30 s without a new window, a bounded number at once, and none while away', () => {
    const { told, world, states, see } = build(1000);
    for (let number = 0; number < 600; number++) see(window(`line-${number}`));
    world.nowMs = 29_999;
    states.repeatDue();
    expect(told).toHaveLength(600);
    world.nowMs = 30_000;
    world.connected = false;
    states.repeatDue();
    world.connected = true;
    states.repeatDue();
    expect(told).toHaveLength(1100);
    states.repeatDue();
    states.repeatDue();
    expect(told).toHaveLength(1200);
    expect(new Set(told.slice(600).map(({ topic }) => topic)).size).toBe(600);
  });

  it('tells everything again after a reconnect, and what could not be told', () => {
    const { told, world, states, see } = build();
    world.connected = false;
    see(window('a'), window('b'));
    expect(told).toEqual([]);
    world.connected = true;
    states.republish();
    expect(told.map(({ topic }) => topic)).toEqual(['lineheron/v1/gw/state/a', 'lineheron/v1/gw/state/b']);
  });

  it('forgets the device that is silent longest when there are too many, and clears it', () => {
    const { told, see } = build(2);
    see(window('a'));
    see(window('b'));
    see(window('a'));
    see(window('c'));
    expect(told.at(-1)).toEqual({ topic: 'lineheron/v1/gw/state/b', state: null });
  });
});
