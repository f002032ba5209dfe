/** The sentence and the tone of the watch, in good moments and in bad ones. */
import type { Alert, FeedStatus } from '@lineheron/models';
import { describe, expect, it } from 'vitest';
import { minuteClock } from './format.js';
import { type Line, mergeLines } from './line.js';
import { agent, alert, at, line, status, T0, watching } from './testing/views.js';
import { lineWord, noAlerts, type WatchInput, watchFacts } from './watch-facts.js';

const NOW = T0 + 3_600_000;
const STARTED = minuteClock(T0, NOW);

type Given = Partial<Pick<Line, 'state' | 'watched' | 'readyMs' | 'measuredMs' | 'lastSeenMs'>>;

/** A fleet of one agent with so many lines, of which the first are as given. */
function fleet(count: number, first: readonly Given[] = [], fields: Partial<FeedStatus> = {}) {
  const rows = Array.from({ length: count }, (_, index) => line(index, `gw-1/line-${index + 1}`));
  const known = mergeLines([], [...rows, line(count, 'gw-1/*')]);
  const lines = known.map((one, index) => (one.isGateway ? one : { ...one, ...first[index] }));
  const devices = lines.filter((one) => !one.isGateway);
  const missed = devices.filter((one) => !one.watched);
  const counts = {
    lines: count - missed.length,
    of: count,
    states: byState(devices),
    missed: byState(missed),
  };
  const ofAgents = { agents_detecting: 1, agents_online: 1, agents: 1 };
  return {
    status: status({ watching: watching({ ...counts, ...ofAgents }), ...fields }),
    lines,
    agents: [agent('gw-1')],
  };
}

function byState(lines: readonly Line[]): FeedStatus['watching']['states'] {
  const counts: FeedStatus['watching']['states'] = {};
  for (const { state } of lines) counts[state] = (counts[state] ?? 0) + 1;
  return counts;
}

const NOBODY = { lines: [], agents: [] };

function facts(
  known: Pick<WatchInput, 'status' | 'lines' | 'agents'>,
  alerts: readonly Alert[] = [],
  fields: object = {},
) {
  return watchFacts({ health: 'live', alerts, nowMs: NOW, silentMs: 0, ...known, ...fields });
}

const unwatched = (state: Line['state'], more: Given = {}): Given => ({ state, watched: false, ...more });

describe('the sentence', () => {
  it('is green only where every line is watched and nothing is wrong', () => {
    expect(facts(fleet(17))).toEqual({
      tone: 'ok',
      sentence: 'Watching all 17 lines.',
      short: 'all watched',
      notes: [],
    });
  });

  it('says how many are not watched, why, since when, and what is open for how long', () => {
    const known = fleet(17, [unwatched('offline')], { open_alerts: 2 });
    const alerts = [
      alert(2880, { device: 'line-2', severity: 'warning', kind: 'silence' }),
      alert(3540, { device: 'line-3', severity: 'warning', kind: 'silence', id: 'gw-1/b/9/0' }),
    ];
    const { tone, sentence, notes } = facts(known, alerts);
    expect(sentence).toBe(
      `Watching 16 of 17 lines. 1 offline since ${STARTED}. 2 alerts open, the worst for 12\u00a0min.`,
    );
    expect(tone).toBe('warning');
    expect(notes).toEqual([`Silent the longest: line-1 of gw-1, since ${STARTED}.`]);
  });

  it.each([
    ['stale', {}, `1 silent since ${STARTED}.`, 'warning'],
    ['offline', {}, `1 offline since ${STARTED}.`, 'warning'],
    ['unknown', {}, `1 not heard since ${STARTED}.`, 'warning'],
    ['cannot_measure', { measuredMs: T0 }, `1 without a measured value since ${STARTED}.`, 'warning'],
    ['stopped', {}, '1 not judged, detection is off at the agent.', 'warning'],
    ['cannot_alert', {}, '1 cannot alert yet.', 'info'],
    ['untrained', {}, '1 untrained.', 'info'],
    ['warming_up', { readyMs: T0 + 3_620_000 }, '1 warming up, 20\u00a0s still.', 'info'],
    ['scored', {}, '1 not judged.', 'info'],
  ] as const)('of a line that is %s is true and not green', (state, more, clause, tone) => {
    const told = facts(fleet(3, [unwatched(state, more)]));
    expect(told.sentence).toBe(`Watching 2 of 3 lines. ${clause}`);
    expect(told.tone).toBe(tone);
  });

  it('is red while the store takes nothing, warns of a damaged one, and says where and what to do', () => {
    const troubled = (code: FeedStatus['problems'][number]['code']) => {
      const since = new Date(T0).toISOString();
      return facts(fleet(3, [], { problems: [{ code, since, message: `the store /x: ${code}.` }] }));
    };
    expect(troubled('store_failing').tone).toBe('critical');
    expect(troubled('store_failing').notes).toEqual([`Since ${STARTED}: the store /x: store_failing.`]);
    expect(troubled('store_set_aside').tone).toBe('warning');
    expect(troubled('history_cut').tone).toBe('ok');
    expect(troubled('history_cut').notes).toHaveLength(1);
  });

  it('is red where no agent is online, whatever is wished and trained', () => {
    const known = fleet(2, [unwatched('offline'), unwatched('offline', { lastSeenMs: T0 + 1_800_000 })], {
      watching: watching({ of: 2, missed: { offline: 2 }, agents: 4 }),
    });
    expect(facts(known)).toMatchObject({
      tone: 'critical',
      sentence: `No agent is online (4 known): no line is watched. 2 offline since ${STARTED}.`,
      short: 'no agent online',
    });
  });

  it('is red where the collector is unreachable, and says since when what is shown is old', () => {
    expect(facts(fleet(3), [], { health: 'stale', silentMs: 3_600_000 })).toMatchObject({
      tone: 'critical',
      sentence: `The collector is unreachable since ${STARTED}: what is shown is from then.`,
    });
    expect(facts({ status: null, ...NOBODY }, [], { health: 'failed' }).tone).toBe('critical');
    expect(facts({ status: null, ...NOBODY }, [], { health: 'loading' }).tone).toBe('info');
  });

  it('is red where the collector has no broker', () => {
    const told = facts(fleet(3, [], { broker: { url: '', connected: false, problems: [] } }));
    expect(told).toMatchObject({ tone: 'critical' });
    expect(told.sentence).toContain('no connection to its broker');
  });

  it('says that detection is stopped, and who does not follow', () => {
    const idle = [unwatched('stopped'), unwatched('stopped')];
    const stopped = (agents_detecting: number) =>
      fleet(2, idle, {
        detecting: false,
        watching: watching({ of: 2, missed: { stopped: 2 }, agents_detecting, agents_online: 1, agents: 1 }),
      });
    expect(facts(stopped(0)).sentence).toMatch(/^Detection is stopped\. 2 not judged/);
    expect(facts(stopped(1)).sentence).toMatch(/^Detection is stopped, but 1 agent still detects\./);
    expect(facts(stopped(0)).tone).toBe('warning');
  });

  it('is not green where lines are watched by their baselines alone, and says what works', () => {
    const told = facts(fleet(2, [{ state: 'untrained' }, { state: 'untrained' }]));
    expect(told).toMatchObject({ tone: 'info', sentence: 'Watching all 2 lines.' });
    expect(told.notes).toEqual([expect.stringContaining('2 lines are untrained: only the baseline')]);
  });

  it('says that a forest cannot alert yet, and what it needs', () => {
    const known = fleet(2);
    known.agents = [{ ...known.agents[0]!, cannot_alert: { windows: 34, needed: 120 } }];
    expect(facts(known).notes).toEqual([
      'The isolation forest of gw-1 cannot alert yet: 34 independent windows, 120 needed for this budget.',
    ]);
  });

  it('names agents that do not do their work, three at most', () => {
    const known = fleet(2);
    const problem = { code: 'no_answer' as const, since: at(0), message: 'gw-1 does not answer.' };
    known.agents = [{ ...known.agents[0]!, problems: [problem, problem, problem, problem] }];
    const told = facts(known);
    expect(told.tone).toBe('warning');
    expect(told.notes).toEqual([
      ...new Array(3).fill(`Since ${STARTED}: gw-1 does not answer.`),
      '1 more agent problem: see the agents below.',
    ]);
  });

  it('is red with a critical alert, and tells what to do where there is no agent yet', () => {
    expect(facts(fleet(2, [], { open_alerts: 1 }), [alert(3590, { device: 'line-2' })]).tone).toBe(
      'critical',
    );
    expect(facts({ status: status(), ...NOBODY })).toMatchObject({
      tone: 'info',
      sentence: 'No agent has reported yet.',
    });
  });
});

describe('a line’s word', () => {
  it('is calm only where it is watched', () => {
    expect(lineWord({ state: 'scored', watched: true })).toBe('calm');
    expect(lineWord({ state: 'scored', watched: false })).toBe('not judged');
    expect(lineWord({ state: 'untrained', watched: true })).toBe('baseline only');
    expect(lineWord({ state: 'untrained', watched: false })).toBe('untrained');
  });
});

describe('an empty list of alerts', () => {
  it('says that all is well only where all is watched', () => {
    expect(noAlerts('live', fleet(3).status)).toBe('No alerts: all 3 lines are watched and behave as usual.');
    expect(noAlerts('live', fleet(3, [unwatched('stale')]).status)).toBe(
      'No alerts on the 2 lines of 3 that are watched.',
    );
    expect(noAlerts('live', fleet(1, [unwatched('untrained')]).status)).toBe(
      'No alerts, but no line is watched.',
    );
    expect(noAlerts('stale', fleet(3).status)).toBe('No alert was open when the collector was last heard.');
    expect(noAlerts('live', status())).toBe('No alerts: no line reports yet.');
  });
});
