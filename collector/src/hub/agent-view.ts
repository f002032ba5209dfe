/** What the fleet's memory of an agent says to people and programs: how it and its lines stand. Pure. */
import type {
  ActiveModel,
  AgentInfo,
  AgentProblem,
  AgentSummary,
  Desired,
  DetectorName,
  DeviceView,
  LineState,
  ReportingInterval,
  Scope,
  WindowState,
} from '@lineheron/models';
import { CANNOT_MEASURE, span, topics } from '@lineheron/models';

/** How a line stands: what is told at once when it changes. */
export interface LineStanding {
  state: LineState;
  watched: boolean;
  /** Id of the open alert. */
  alert: string | null;
  /** When it has warmed up, while it does; when it last measured anything, while it cannot; ms. */
  momentMs: number | null;
}

export interface AgentStanding {
  online: boolean;
  detecting: boolean;
  problems: AgentProblem[];
}

export interface Line {
  agent: Agent;
  /** `<agent>/<device>`. */
  key: string;
  device: string;
  scope: Scope;
  state: WindowState;
  /** Detectors that judged its newest window with a threshold that can be reached. */
  judges: readonly DetectorName[];
  lastSeenMs: number;
  /** Heard since the collector started, not only known from the store; and when it last spoke after a silence. */
  live: boolean;
  resumedMs: number;
  endMs: number;
  interval: ReportingInterval;
  /** Wall time of its last window that measured anything, its event time, and how often such windows come. */
  measuredMs: number | null;
  measuredEndMs: number;
  measuring: ReportingInterval;
  /** When its window will have filled, while it fills. */
  readyMs: number | null;
  /** As it was judged last; null before that. */
  standing: LineStanding | null;
  /** When time alone may change that. */
  dueMs: number;
}

/** By how much an agent's windows were ahead of their arrival, since when, and the last time. */
export interface Ahead {
  byMs: number;
  sinceMs: number;
  lastMs: number;
}

export interface Agent {
  id: string;
  online: boolean;
  /** Whether it has said anything since the collector started, and since when it stands as it does. */
  known: boolean;
  changedMs: number;
  /** When it last came back, or was first heard of. */
  backMs: number;
  info: AgentInfo | null;
  /** What its own desired state asks of it, beside the fleet's. */
  own: Desired | null;
  /** When its source came to its end, and since when that says that it cannot measure something. */
  endedMs: number | null;
  unmeasuredMs: number | null;
  /** The first command that it left without an answer, as long as it answers none. */
  unansweredMs: number | null;
  ahead: Ahead | null;
  lastSeenMs: number | null;
  /** Whether that was heard since the collector started. */
  live: boolean;
  lines: Map<string, Line>;
  /** As it was judged last; null before that; and when time alone may change it. */
  standing: AgentStanding | null;
  dueMs: number;
  /** Of its devices: how many there are, and how many are watched. */
  counts: { of: number; watched: number };
}

/** What is desired of the fleet, and since when the agents could know. */
export interface Wanted {
  detecting: boolean;
  active_model: ActiveModel;
  sinceMs: number;
}

export interface Surroundings {
  nowMs: number;
  connected: boolean;
  wanted: Wanted | null;
  alertOf: (agent: string, device: string) => string | null;
}

/** An agent says within a second what it took up. */
export const ANSWER_MS = 30_000;

/** An agent without its lines. */
export function agentView(agent: Agent, { problems }: AgentStanding): AgentSummary {
  const { id, online, info, lastSeenMs, counts } = agent;
  return {
    id,
    online,
    version: info?.version ?? '',
    boot: info?.boot ?? '',
    source: info?.source ?? { type: '', detail: '', phase: '' },
    fingerprint: info?.fingerprint ?? '',
    last_seen: lastSeenMs === null ? null : iso(lastSeenMs),
    detecting: info?.detecting ?? null,
    active_model: info?.active_model ?? null,
    problems,
    models: info?.models ?? [],
    spool: info?.spool ?? { batches: 0, bytes: 0 },
    counters: info?.counters ?? {},
    labels: info?.labels ?? {},
    lines: { ...counts },
  };
}

export function agentStanding(agent: Agent, around: Surroundings): AgentStanding {
  const online = around.connected && agent.online;
  const detecting = online && agent.info?.detecting === true;
  return { online, detecting, problems: problemsOf(agent.id, agent, around) };
}

export function lineView({ device, scope, lastSeenMs, endMs }: Line, standing: LineStanding): DeviceView {
  const { state, watched, alert, momentMs } = standing;
  const moment = momentMs === null ? null : iso(momentMs);
  return {
    device,
    scope,
    state,
    watched,
    ...(state === 'warming_up' && moment !== null ? { ready_at: moment } : {}),
    ...(state === 'cannot_measure' && moment !== null ? { measured_at: moment } : {}),
    last_seen: iso(lastSeenMs),
    end: iso(endMs),
    alert,
  };
}

export function lineStanding(line: Line, around: Surroundings): LineStanding {
  const { agent, readyMs, measuredMs } = line;
  const heard = stateOf(agent, line, around);
  const model = around.wanted?.active_model ?? agent.info?.active_model ?? 'ensemble';
  const judged = model === 'ensemble' ? line.judges.length > 0 : line.judges.includes(model);
  const state = heard === 'scored' && !judged ? UNJUDGED[model] : heard;
  return {
    state,
    watched: judged && agent.info?.detecting === true && WATCHABLE.includes(state),
    alert: around.alertOf(agent.id, line.device),
    momentMs: state === 'warming_up' ? readyMs : state === 'cannot_measure' ? measuredMs : null,
  };
}

/** When time alone changes how it stands, ms; infinite when it does not. */
export function lineDueMs({ lastSeenMs, interval, measuredMs, measuring }: Line, nowMs: number): number {
  const silentMs = lastSeenMs + (interval.silenceMs ?? HEARD_ONCE_MS);
  const unmeasuredMs = (measuredMs ?? 0) + (measuring.silenceMs ?? Number.POSITIVE_INFINITY);
  const later = [silentMs, unmeasuredMs].filter((ms) => ms > nowMs);
  return Math.min(Number.POSITIVE_INFINITY, ...later);
}

export function agentDueMs({ backMs, ahead }: Agent, { wanted, nowMs }: Surroundings): number {
  const answerMs = Math.max(backMs, wanted?.sinceMs ?? Number.POSITIVE_INFINITY) + ANSWER_MS;
  const aheadMs = ahead === null ? Number.POSITIVE_INFINITY : ahead.lastMs + AHEAD_MS;
  const later = [answerMs, aheadMs].filter((ms) => ms > nowMs);
  return Math.min(Number.POSITIVE_INFINITY, ...later);
}

function stateOf(agent: Agent, line: Line, { connected, nowMs }: Surroundings): LineState {
  if (!connected || !agent.known) return 'unknown';
  if (!agent.online) return 'offline';
  if (isSilent(line, nowMs)) return 'stale';
  const { measuredMs, measuring } = line;
  if (measuredMs !== null && nowMs - measuredMs >= (measuring.silenceMs ?? Number.POSITIVE_INFINITY))
    return 'cannot_measure';
  if (agent.info?.detecting === false && line.state !== 'warming_up') return 'stopped';
  return line.state;
}

/** Of a line that was heard once, nobody knows how often it reports: it is not taken for well for longer than this. */
const HEARD_ONCE_MS = 3_600_000;

export function isSilent({ lastSeenMs, interval }: Line, nowMs: number): boolean {
  return nowMs - lastSeenMs >= (interval.silenceMs ?? HEARD_ONCE_MS);
}

/** A wrong clock is told of until none of its windows has come for so long. */
const AHEAD_MS = 5 * 60_000;

export function isAhead({ lastMs }: Ahead, nowMs: number): boolean {
  return nowMs - lastMs < AHEAD_MS;
}

/** A window that is filling has no forest's score yet, but the baseline may judge each record already. */
const WATCHABLE: readonly LineState[] = ['scored', 'untrained', 'warming_up'];

/** How a line stands that a forest scores while what should alert does not judge it. */
const UNJUDGED: Readonly<Record<ActiveModel, LineState>> = {
  isolation_forest: 'cannot_alert',
  ensemble: 'cannot_alert',
  adaptive_baseline: 'warming_up',
  autoencoder: 'untrained',
};

function problemsOf(id: string, agent: Agent, around: Surroundings): AgentProblem[] {
  const { online, info, endedMs } = agent;
  if (!online || !around.connected) return [];
  const silent = noAnswer(id, agent, around);
  const ended: AgentProblem[] =
    endedMs === null
      ? []
      : [
          {
            code: 'source_ended',
            since: iso(endedMs),
            message: `What ${id} reads (${info?.source.detail || info?.source.type}) has come to its end: nothing new is measured.`,
          },
        ];
  const refused = (info?.source.refused ?? []).map(
    ({ source, lines, of, reason, remedy, since }): AgentProblem => ({
      code: 'lines_refused',
      since,
      message: `${id} refused ${lines} of the last ${of} lines of ${source}: ${reason} ${remedy}`,
    }),
  );
  return [
    ...(silent ? [silent] : []),
    ...ended,
    ...refused,
    ...cannotMeasure(id, agent),
    ...clockAhead(id, agent, around.nowMs),
  ];
}

function clockAhead(id: string, { ahead }: Agent, nowMs: number): AgentProblem[] {
  if (ahead === null || !isAhead(ahead, nowMs)) return [];
  const message = `${id} sends times up to ${span(ahead.byMs / 1000)} ahead of this collector's clock, so its windows count as of their arrival: set the clock that is wrong.`;
  return [{ code: 'clock_ahead', since: iso(ahead.sinceMs), message }];
}

function cannotMeasure(id: string, { info, unmeasuredMs }: Agent): AgentProblem[] {
  if (unmeasuredMs === null) return [];
  const parts = unmeasuredParts(info).join('; ');
  return [{ code: 'cannot_measure', since: iso(unmeasuredMs), message: `${id} ${parts}.` }];
}

/** What a source says that it cannot measure, and why. */
export function unmeasuredParts(info: AgentInfo | null): string[] {
  const parts = (info?.source.detail ?? '').split('; ');
  return parts.flatMap((part) => {
    const from = part.indexOf(CANNOT_MEASURE);
    return from < 0 ? [] : [part.slice(from)];
  });
}

/** It is online, and yet does not do what is desired, or answers no command. */
function noAnswer(id: string, agent: Agent, { nowMs, wanted }: Surroundings): AgentProblem | null {
  const { info, own, backMs, unansweredMs } = agent;
  const problem = (sinceMs: number, what: string): AgentProblem => ({
    code: 'no_answer',
    since: iso(sinceMs),
    message: `${id} does not answer: ${what}`,
  });
  if (unansweredMs !== null) {
    return problem(unansweredMs, `check its right to read ${topics.command(id)} on the broker.`);
  }
  if (wanted === null) return null;
  const sinceMs = Math.max(backMs, wanted.sinceMs);
  if (nowMs - sinceMs < ANSWER_MS) return null;
  if (info === null) {
    return problem(sinceMs, `it has not said what it is; check its right to publish ${topics.info(id)}.`);
  }
  const rights = `check its right to read ${topics.desired('fleet')} on the broker.`;
  const detecting = own?.detecting ?? wanted.detecting;
  if (info.detecting !== detecting) {
    const wish = detecting ? 'detecting' : 'stopped';
    return problem(sinceMs, `it has not taken up “${wish}”; ${rights}`);
  }
  const model = own?.active_model ?? wanted.active_model;
  if (info.active_model === model) return null;
  return problem(sinceMs, `it has not taken up the model ${model}; ${rights}`);
}

const iso = (ms: number) => new Date(ms).toISOString();
