/** How lines and agents stand, by what was really heard of them. */
import type { DetectorName, WindowState } from '@lineheron/models';
import { describe, expect, it } from 'vitest';
import { makeInfo } from '../testing/messages.js';
import { ANSWER_MS } from './agent-view.js';
import { Fleet } from './fleet.js';
import { standingsOf, viewsOf } from './standings.fixture.js';

const START_MS = Date.UTC(2026, 0, 1);
const ENSEMBLE = { detecting: true, active_model: 'ensemble' } as const;
const DOING = makeInfo({ ...ENSEMBLE });

class Story {
  readonly fleet = new Fleet();
  nowMs = START_MS;

  constructor(info = DOING) {
    this.fleet.desire(ENSEMBLE, this.nowMs);
    this.fleet.setOnline('gw-1', true, this.nowMs);
    this.fleet.setInfo('gw-1', info, this.nowMs);
  }

  windows(
    count: number,
    judges: readonly DetectorName[],
    state: WindowState = 'scored',
    measured = true,
  ): this {
    for (let at = 0; at < count; at++) {
      this.nowMs += 1000;
      const line = { device: 'modem-1', scope: 'device', state, judges, measured } as const;
      this.fleet.seen('gw-1', { ...line, endMs: this.nowMs }, this.nowMs);
    }
    return this;
  }

  get agent() {
    return viewsOf(this.fleet, this.nowMs)[0]!;
  }

  get line() {
    return this.agent.devices[0]!;
  }
}

describe('a line', () => {
  it('is watched while it reports, its agent detects, and something that may alert judges it', () => {
    const story = new Story().windows(20, ['isolation_forest']);
    expect(story.line).toMatchObject({ state: 'scored', watched: true });
    story.nowMs += 60_000;
    expect(story.line).toMatchObject({ state: 'stale', watched: false });
    story.fleet.setOnline('gw-1', false, story.nowMs);
    expect(story.line).toMatchObject({ state: 'offline', watched: false });
    expect(viewsOf(story.fleet, story.nowMs, false)[0]!.devices[0]).toMatchObject({
      state: 'unknown',
      watched: false,
    });
  });

  it('is watched by the baseline where no forest is trained, and by nobody before that knows it', () => {
    expect(new Story().windows(20, ['adaptive_baseline'], 'untrained').line).toMatchObject({
      state: 'untrained',
      watched: true,
    });
    expect(new Story().windows(20, [], 'untrained').line).toMatchObject({
      state: 'untrained',
      watched: false,
    });
  });

  it('cannot alert where the one that should has no threshold in reach', () => {
    const story = new Story().windows(20, []);
    expect(story.line).toMatchObject({ state: 'cannot_alert', watched: false });
    story.windows(1, ['adaptive_baseline']);
    expect(story.line).toMatchObject({ state: 'scored', watched: true });
    story.fleet.desire({ detecting: true, active_model: 'isolation_forest' }, story.nowMs);
    expect(story.line).toMatchObject({ state: 'cannot_alert', watched: false });
  });

  it('is not watched by an agent that does not detect, whatever is desired', () => {
    const story = new Story(makeInfo({ ...ENSEMBLE, detecting: false })).windows(20, ['adaptive_baseline']);
    expect(story.line).toMatchObject({ state: 'stopped', watched: false });
  });

  it('cannot measure once it reports for its usual time without a measured value', () => {
    const story = new Story().windows(100, ['adaptive_baseline']);
    const lastMs = story.nowMs;
    expect(story.windows(59, ['adaptive_baseline'], 'scored', false).line.state).toBe('scored');
    expect(story.windows(1, ['adaptive_baseline'], 'scored', false).line).toMatchObject({
      state: 'cannot_measure',
      watched: false,
      measured_at: new Date(lastMs).toISOString(),
    });
    expect(story.windows(1, ['adaptive_baseline']).line.state).toBe('scored');
  });

  it('that never measured anything is none that cannot: its log may hold events only', () => {
    expect(new Story().windows(300, ['adaptive_baseline'], 'scored', false).line).toMatchObject({
      state: 'scored',
      watched: true,
    });
  });

  it('says when its first window will be full', () => {
    const story = new Story().windows(5, [], 'warming_up');
    expect(story.line).toMatchObject({
      state: 'warming_up',
      watched: false,
      ready_at: new Date(START_MS + 31_000).toISOString(),
    });
  });
});

describe('an agent that is online', () => {
  it('and does not take up what is desired, is named with the right to check', () => {
    const story = new Story(makeInfo({ ...ENSEMBLE, detecting: false }));
    story.nowMs += ANSWER_MS - 1;
    expect(story.agent.problems).toEqual([]);
    story.nowMs += 1;
    expect(story.agent).toMatchObject({
      detecting: false,
      problems: [{ code: 'no_answer', since: new Date(START_MS).toISOString() }],
    });
    expect(story.agent.problems[0]?.message).toBe(
      'gw-1 does not answer: it has not taken up “detecting”; check its right to read lineheron/v1/fleet/desired on the broker.',
    );
    story.fleet.setInfo('gw-1', DOING, story.nowMs);
    expect(story.agent.problems).toEqual([]);
  });

  it('and never says what it is, or uses another model, is named too', () => {
    const silent = new Fleet();
    silent.desire(ENSEMBLE, START_MS);
    silent.setOnline('gw-1', true, START_MS);
    const [agent] = viewsOf(silent, START_MS + ANSWER_MS);
    expect(agent?.problems[0]?.message).toContain('check its right to publish lineheron/v1/gw-1/info');
    const other = new Story(makeInfo({ detecting: true, active_model: 'isolation_forest' }));
    other.nowMs += ANSWER_MS;
    expect(other.agent.problems[0]?.message).toContain('has not taken up the model ensemble');
  });

  it('is not accused where its own desired state asks for something else', () => {
    const story = new Story(makeInfo({ ...ENSEMBLE, detecting: false }));
    story.fleet.setOwn('gw-1', { v: 1, detecting: false });
    story.nowMs += ANSWER_MS;
    expect(story.agent.problems).toEqual([]);
  });

  it('and leaves commands unanswered is named until it answers one or comes back', () => {
    const story = new Story();
    story.fleet.setAnswered('gw-1', false, story.nowMs);
    expect(story.agent.problems[0]?.message).toContain('its right to read lineheron/v1/gw-1/command');
    story.fleet.setAnswered('gw-1', true, story.nowMs);
    expect(story.agent.problems).toEqual([]);
  });

  it('and cannot measure something says what and why, since when, until it can', () => {
    const lost = 'cannot measure the round trip to broker: there is no program ping';
    const source = (detail: string) => ({ type: 'host', detail, phase: 'live' as const });
    const story = new Story(makeInfo({ ...ENSEMBLE, source: source(`${lost}; all interfaces`) }));
    story.nowMs += 1000;
    story.fleet.setInfo('gw-1', makeInfo({ ...ENSEMBLE, source: source(`pings: ${lost}`) }), story.nowMs);
    expect(story.agent.problems).toEqual([
      { code: 'cannot_measure', since: new Date(START_MS).toISOString(), message: `gw-1 ${lost}.` },
    ]);
    story.fleet.setInfo('gw-1', DOING, story.nowMs);
    expect(story.agent.problems).toEqual([]);
  });

  it('and whose source ended, or refuses its lines, says so with the remedy', () => {
    const refused = {
      source: 'tail',
      lines: 98,
      of: 100,
      code: 'missing_device',
      reason: 'They name no device.',
      remedy: 'Set device_id.',
      since: new Date(START_MS).toISOString(),
    };
    const source = { type: 'tail', detail: 'a.log', phase: 'ended' as const, refused: [refused] };
    const { problems } = new Story(makeInfo({ ...ENSEMBLE, source })).agent;
    expect(problems.map(({ code }) => code)).toEqual(['source_ended', 'lines_refused']);
    expect(problems[1]?.message).toBe(
      'gw-1 refused 98 of the last 100 lines of tail: They name no device. Set device_id.',
    );
  });
});

describe('what is watched', () => {
  it('counts devices, and agents by what they say themselves; without a broker it is nothing', () => {
    const story = new Story().windows(20, ['adaptive_baseline']);
    const whole = { device: '*', scope: 'gateway', state: 'scored', judges: [], measured: true } as const;
    story.fleet.seen('gw-1', { ...whole, endMs: story.nowMs }, story.nowMs);
    story.fleet.setOnline('gw-2', true, story.nowMs);
    story.fleet.setOnline('gw-3', false, story.nowMs);
    const watching = (connected: boolean) => standingsOf(story.fleet, story.nowMs, connected).watching;
    expect(watching(true)).toEqual({
      lines: 1,
      of: 1,
      states: { scored: 1 },
      missed: {},
      agents_detecting: 1,
      agents_online: 2,
      agents: 3,
      agents_with_problems: 0,
    });
    expect(watching(false)).toMatchObject({ lines: 0, of: 1, missed: { unknown: 1 }, agents_online: 0 });
  });
});
