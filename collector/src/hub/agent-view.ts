/** What the fleet's memory of an agent says to people and programs: how it and its lines stand. Pure. */
import type {
  ActiveModel,
  AgentInfo,
  AgentProblem,
  AgentView,
  Desired,
  DetectorName,
  LineState,
  ReportingInterval,
  Scope,
  Watching,
  WindowState,
} from '@lineheron/models';
import { CANNOT_MEASURE, span, topics } from '@lineheron/models';

export interface Line {
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
}

/** By how much an agent's windows were ahead of their arrival, since when, and the last time. */
export interface Ahead {
  byMs: number;
  sinceMs: number;
  lastMs: number;
}

export interface Agent {
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

export function agentView(id: string, agent: Agent, around: Surroundings): AgentView {
  const { online, info, lastSeenMs, lines } = agent;
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
    problems: problemsOf(id, agent, around),
    models: info?.models ?? [],
    spool: info?.spool ?? { batches: 0, bytes: 0 },
    counters: info?.counters ?? {},
    labels: info?.labels ?? {},
    devices: [...lines.values()]
      .sort((a, b) => (a.device < b.device ? -1 : 1))
      .map((line) => lineView(id, agent, line, around)),
  };
}

export function watchingOf(agents: readonly AgentView[], connected: boolean): Watching {
  const online = connected ? agents.filter((agent) => agent.online) : [];
  const lines = agents.flatMap(({ devices }) => devices).filter(({ scope }) => scope === 'device');
  return {
    lines: lines.filter(({ watched }) => watched).length,
    of: lines.length,
    agents_detecting: online.filter(({ detecting }) => detecting).length,
    agents_online: online.length,
    agents: agents.length,
  };
}

function lineView(id: string, agent: Agent, line: Line, around: Surroundings): AgentView['devices'][number] {
  const heard = stateOf(agent, line, around);
  const model = around.wanted?.active_model ?? agent.info?.active_model ?? 'ensemble';
  const judged = model === 'ensemble' ? line.judges.length > 0 : line.judges.includes(model);
  const state = heard === 'scored' && !judged ? UNJUDGED[model] : heard;
  const { readyMs, measuredMs } = line;
  return {
    device: line.device,
    scope: line.scope,
    state,
    watched: judged && agent.info?.detecting === true && WATCHABLE.includes(state),
    ...(state === 'warming_up' && readyMs !== null ? { ready_at: iso(readyMs) } : {}),
    ...(state === 'cannot_measure' && measuredMs !== null ? { measured_at: iso(measuredMs) } : {}),
    last_seen: iso(line.lastSeenMs),
    end: iso(line.endMs),
    alert: around.alertOf(id, line.device),
  };
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
