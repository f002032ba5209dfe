/**
 * THE state of the watch in one sentence and one tone, from what was heard and never from what is wished. Pure. Green
 * (`ok`) is only said of a fleet of which every line is watched and nothing is wrong; what is not known is never green.
 */
import {
  type Alert,
  cannotAlertText,
  type FeedAgent,
  type FeedStatus,
  type LineState,
} from '@lineheron/models';
import { minuteClock, plural, roughly } from './format.js';
import { alertNowMs, deviceName, type Line, lineKey } from './line.js';
import type { Health } from './part/panel.js';

export type Tone = 'ok' | 'info' | 'warning' | 'critical';

export interface WatchInput {
  readonly health: Health;
  readonly status: FeedStatus | null;
  readonly agents: readonly FeedAgent[];
  readonly lines: readonly Line[];
  readonly alerts: readonly Alert[];
  /** The collector's time now, and how long ago it was heard, ms. */
  readonly nowMs: number;
  readonly silentMs: number;
}

export interface WatchFacts {
  readonly tone: Tone;
  readonly sentence: string;
  /** What there is to know beside it: who is silent the longest, which agent does not do its work, and what to do. */
  readonly notes: readonly string[];
  /** A few words, for a window's title. */
  readonly short: string;
}

const MAX_PROBLEMS = 3;

export function watchFacts(input: WatchInput): WatchFacts {
  return blind(input) ?? seeing(input, input.status!);
}

/** Nothing, or nothing current, is known; null when it is. */
function blind({ health, status, nowMs, silentMs }: WatchInput): WatchFacts | null {
  if (status === null) {
    if (health === 'loading') return fact('info', 'Connecting to the collector.', 'connecting');
    return fact('critical', 'The collector is unreachable: nothing is known.', 'collector unreachable');
  }
  if (health !== 'live') {
    const since = minuteClock(nowMs - silentMs, nowMs);
    const sentence = `The collector is unreachable since ${since}: what is shown is from then.`;
    return fact('critical', sentence, 'collector unreachable');
  }
  if (!status.broker.connected) {
    const sentence = 'The collector has no connection to its broker: no agent can be heard.';
    return fact('critical', sentence, 'nothing heard', [
      'It tries again by itself: check that the broker runs.',
    ]);
  }
  if (status.watching.agents === 0) {
    return fact('info', 'No agent has reported yet.', 'no agent yet', [
      'On a gateway, lineheron-agent init writes a configuration and lineheron-agent run starts it.',
    ]);
  }
  return null;
}

const fact = (tone: Tone, sentence: string, short: string, notes: readonly string[] = []): WatchFacts => ({
  tone,
  sentence,
  short,
  notes,
});

function seeing(input: WatchInput, status: FeedStatus): WatchFacts {
  const { alerts, nowMs } = input;
  const lines = input.lines.filter(({ isGateway }) => !isGateway);
  const missed = lines.filter(({ watched }) => !watched);
  const { of } = status.watching;
  const open = alerts.filter((alert) => alert.status === 'open');
  const parts = [watched(status, of), missedBy(status, missed, nowMs), openNow(open, status, input)];
  const problems = input.agents.flatMap((agent) => agent.problems);
  return {
    tone: toneOf(status, open, problems.length),
    sentence: parts.filter((part) => part !== '').join(' '),
    short: shortOf(status),
    notes: [
      ...ownNotes(status, nowMs),
      ...longest(missed, nowMs),
      ...problemNotes(problems, nowMs),
      ...untrained(status),
      ...forests(status, input.agents),
    ],
  };
}

function watched({ watching, detecting }: FeedStatus, all: number): string {
  const { agents_detecting: still, agents_online, agents } = watching;
  if (agents_online === 0) return `No agent is online (${agents} known): no line is watched.`;
  if (!detecting) {
    const more = still > 0 ? `, but ${plural(still, 'agent still detects', 'agents still detect')}` : '';
    return `Detection is stopped${more}.`;
  }
  if (all === 0) return `${plural(agents_online, 'agent is', 'agents are')} online, but no line reports yet.`;
  if (watching.lines === 0) return `No line is watched (of ${all}).`;
  return watching.lines < all
    ? `Watching ${watching.lines} of ${plural(all, 'line')}.`
    : `Watching ${all === 1 ? 'the only line' : `all ${plural(all, 'line')}`}.`;
}

/** "1 offline since 20:41, 2 warming up for 20 s." Counts are of all lines, times of those that the list shows. */
function missedBy({ watching }: FeedStatus, missed: readonly Line[], nowMs: number): string {
  const said = STATES.flatMap((state) => {
    const count = watching.missed[state] ?? 0;
    const lines = missed.filter((line) => line.state === state);
    return count === 0 ? [] : [`${count} ${CLAUSES[state](lines, nowMs)}`];
  });
  return said.length === 0 ? '' : `${said.join(', ')}.`;
}

const since = (times: readonly number[], nowMs: number) => {
  const oldest = times.reduce((least, time) => Math.min(least, time), Number.POSITIVE_INFINITY);
  return Number.isFinite(oldest) ? ` since ${minuteClock(oldest, nowMs)}` : '';
};

const lastSeen = (lines: readonly Line[]) => lines.map(({ lastSeenMs }) => lastSeenMs);

/** How lines that are not watched are told of, the worst first. */
const CLAUSES: Readonly<Record<LineState, (lines: readonly Line[], nowMs: number) => string>> = {
  offline: (lines, nowMs) => `offline${since(lastSeen(lines), nowMs)}`,
  stale: (lines, nowMs) => `silent${since(lastSeen(lines), nowMs)}`,
  unknown: (lines, nowMs) => `not heard${since(lastSeen(lines), nowMs)}`,
  cannot_measure: (lines, nowMs) => {
    const measured = lines.flatMap(({ measuredMs }) => (measuredMs === null ? [] : [measuredMs]));
    return `without a measured value${since(measured, nowMs)}`;
  },
  cannot_alert: () => 'cannot alert yet',
  stopped: () => 'not judged, detection is off at the agent',
  untrained: () => 'untrained',
  warming_up: (lines, nowMs) => `warming up${stillFor(lines, nowMs)}`,
  scored: () => 'not judged',
};
const STATES = Object.keys(CLAUSES) as LineState[];

function stillFor(lines: readonly Line[], nowMs: number): string {
  const leftMs = lines.reduce((most, { readyMs }) => Math.max(most, (readyMs ?? nowMs) - nowMs), 0);
  return leftMs > 0 ? `, ${roughly(leftMs)} still` : '';
}

const RANKS: Readonly<Record<Alert['severity'], number>> = { critical: 0, warning: 1, info: 2 };

/** "2 alerts open, the worst for 12 min." */
function openNow(open: readonly Alert[], status: FeedStatus, { lines, nowMs }: WatchInput): string {
  if (status.open_alerts === 0) return '';
  const ages = open.map((alert) => {
    const line = lines.find(({ key }) => key === lineKey(alert));
    return { rank: RANKS[alert.severity], ms: alertNowMs(alert, line, nowMs) - Date.parse(alert.opened_at) };
  });
  const [worst] = ages.sort((a, b) => a.rank - b.rank || b.ms - a.ms);
  const told = plural(status.open_alerts, 'alert');
  if (!worst) return `${told} open.`;
  return `${told} open, ${status.open_alerts === 1 ? '' : 'the worst '}for ${roughly(worst.ms)}.`;
}

const LOST: readonly LineState[] = ['offline', 'stale', 'unknown', 'cannot_measure', 'stopped'];

function toneOf(
  { watching, detecting, open_alerts, problems: own }: FeedStatus,
  open: readonly Alert[],
  problems: number,
): Tone {
  const { of, lines, states, missed } = watching;
  const lost = LOST.reduce((sum, state) => sum + (missed[state] ?? 0), 0);
  const allLost = detecting && of > 0 && lines === 0 && lost === of;
  const blindFleet = watching.agents_online === 0 || allLost;
  const isLost = own.some(({ code }) => code === 'store_failing');
  if (blindFleet || isLost || open.some(({ severity }) => severity === 'critical')) return 'critical';
  const isDamaged = own.some(({ code }) => code !== 'history_cut');
  const awry = open_alerts > 0 || problems > 0 || isDamaged || watching.agents_online < watching.agents;
  if (awry || !detecting || lost > 0) return 'warning';
  return of > 0 && lines === of && (states.untrained ?? 0) === 0 ? 'ok' : 'info';
}

function shortOf({ watching, detecting, open_alerts }: FeedStatus): string {
  const { agents_online, lines, of } = watching;
  if (agents_online === 0) return 'no agent online';
  if (open_alerts > 0) return `${plural(open_alerts, 'alert')} open`;
  if (!detecting) return 'detection stopped';
  if (of === 0) return 'no line yet';
  return lines === of ? 'all watched' : `${lines} of ${of} watched`;
}

const SILENT: readonly LineState[] = ['stale', 'offline', 'unknown'];

/** The oldest silence, by name, where there are several. */
function longest(missed: readonly Line[], nowMs: number): string[] {
  const silent = missed.filter(({ state }) => SILENT.includes(state));
  const [oldest] = [...silent].sort((a, b) => a.lastSeenMs - b.lastSeenMs);
  if (!oldest) return [];
  const name = `${deviceName(oldest.device)} of ${oldest.agent}`;
  return [`Silent the longest: ${name}, since ${minuteClock(oldest.lastSeenMs, nowMs)}.`];
}

type Problem = FeedAgent['problems'][number];

/** Of the collector itself: few ever. */
function ownNotes({ problems }: FeedStatus, nowMs: number): string[] {
  return problems.map(
    ({ since: from, message }) => `Since ${minuteClock(Date.parse(from), nowMs)}: ${message}`,
  );
}

function problemNotes(problems: readonly Problem[], nowMs: number): string[] {
  const told = [...problems]
    .sort((a, b) => Date.parse(a.since) - Date.parse(b.since))
    .slice(0, MAX_PROBLEMS)
    .map(({ since: from, message }) => `Since ${minuteClock(Date.parse(from), nowMs)}: ${message}`);
  const left = problems.length - told.length;
  return left > 0 ? [...told, `${plural(left, 'more agent problem')}: see the agents below.`] : told;
}

/** What works already on lines without a model. */
function untrained({ watching: { states, missed } }: FeedStatus): string[] {
  const alone = (states.untrained ?? 0) - (missed.untrained ?? 0);
  if (alone === 0) return [];
  const they = alone === 1 ? 'line is' : 'lines are';
  return [
    `${alone} ${they} untrained: only the baseline of each line itself judges there. Train, and the other models do too.`,
  ];
}

/** Forests that watch beside the rest without being able to alert, of the agent that needs the most. */
function forests({ active_model }: FeedStatus, agents: readonly FeedAgent[]): string[] {
  if (active_model !== 'ensemble' && active_model !== 'isolation_forest') return [];
  const unable = agents.flatMap(({ id, online, cannot_alert: why }) => (online && why ? [{ id, why }] : []));
  const [first, ...rest] = unable.sort(
    (a, b) => (b.why.needed ?? Number.MAX_VALUE) - (a.why.needed ?? Number.MAX_VALUE),
  );
  if (!first) return [];
  const more = rest.length > 0 ? ` (and of ${plural(rest.length, 'more agent')})` : '';
  return [`The isolation forest of ${first.id}${more} ${cannotAlertText(first.why)}.`];
}

/** How one line stands, in a word or two. */
export function lineWord({ state, watched: isWatched }: Pick<Line, 'state' | 'watched'>): string {
  if (state === 'scored') return isWatched ? 'calm' : 'not judged';
  if (state === 'untrained' && isWatched) return 'baseline only';
  return WORDS[state];
}

const WORDS: Readonly<Record<Exclude<LineState, 'scored'>, string>> = {
  offline: 'agent offline',
  stale: 'silent',
  unknown: 'unknown',
  cannot_measure: 'cannot measure',
  cannot_alert: 'cannot alert yet',
  stopped: 'detection off',
  untrained: 'untrained',
  warming_up: 'warming up',
};

/** Why there is no alert to show: all is well only where all is watched. */
export function noAlerts(health: Health, status: FeedStatus | null): string {
  if (health !== 'live' || !status) return 'No alert was open when the collector was last heard.';
  const { lines, of } = status.watching;
  if (of === 0) return 'No alerts: no line reports yet.';
  if (lines === 0) return 'No alerts, but no line is watched.';
  if (lines < of)
    return `No alerts on the ${plural(lines, 'line')} of ${of} that ${lines === 1 ? 'is' : 'are'} watched.`;
  return of === 1
    ? 'No alerts: the line is watched and behaves as usual.'
    : `No alerts: all ${of} lines are watched and behave as usual.`;
}
