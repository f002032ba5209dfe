/**
 * What is known of every agent and its devices: online or not, its last info, when each line was last heard. In
 * memory only: agents say it all again when they connect. Bounded in agents and devices; who was heard of longest ago
 * goes first.
 */
import {
  type ActiveModel,
  type AgentInfo,
  DEFAULT_WINDOW_SECONDS,
  type Desired,
  type DetectorName,
  type Feature,
  MIN_STALE_MS,
  ReportingInterval,
  type Scope,
  type WindowState,
} from '@lineheron/models';
import { type Agent, isAhead, isSilent, type Line, unmeasuredParts, type Wanted } from './agent-view.js';
import { type Hearing, hearingsOf } from './hearings.js';
import { lineKey } from './line-board.js';

/** A window as the fleet takes note of it. */
export interface Sighting {
  device: string;
  scope: Scope;
  state: WindowState;
  endMs: number;
  /** Detectors that judged it with a threshold that can be reached. */
  judges: readonly DetectorName[];
  /** Whether anything was measured in it. */
  measured: boolean;
}

const MAX_AGENTS = 10_000;
const MAX_LINES_OF_AN_AGENT = 10_000;
/** Of all agents together. */
export const MAX_LINES = 200_000;

/** What may stand otherwise than it was judged last, since something was heard of it; and who is known no more. */
export class FleetNews {
  readonly agents = new Set<Agent>();
  readonly lines = new Set<Line>();
  readonly goneAgents = new Set<Agent>();
  readonly goneLines = new Set<Line>();
}

export class Fleet {
  private readonly agents = new Map<string, Agent>();
  private lineCount = 0;
  /** Agents with a forest of device windows. */
  private forests = 0;
  private ids: readonly string[] | null = null;
  /** For whoever judges how all stand; emptied there. */
  readonly news = new FleetNews();
  /** Some agent's adaptive baseline has seen enough of a line to judge it. */
  baselineReady = false;
  /** When the broker was last found away: nobody could be heard until then. */
  private deafMs = Number.NEGATIVE_INFINITY;
  wanted: Wanted | null = null;

  /** No line is stale before it has been silent for `silenceMs`. */
  constructor(private readonly silenceMs = MIN_STALE_MS) {}

  setOnline(agent: string, online: boolean, nowMs: number): void {
    const known = this.agent(agent);
    if (known.online !== online || !known.known) {
      known.changedMs = nowMs;
      this.markAll(known);
    }
    if (online && !known.online) {
      known.backMs = nowMs;
      known.unansweredMs = null;
    }
    known.online = online;
    known.known = true;
    if (online) spoke(known, nowMs);
  }

  /** There is no broker now: the time until it is back is nobody's silence, and says nothing of how often a line reports. */
  deaf(nowMs: number): void {
    this.deafMs = nowMs;
  }

  /** The clock was set by so much: all that is remembered goes with it. */
  clockMoved(byMs: number): void {
    this.deafMs += byMs;
    if (this.wanted) this.wanted = { ...this.wanted, sinceMs: this.wanted.sinceMs + byMs };
    const moved = (ms: number | null) => (ms === null ? null : ms + byMs);
    for (const agent of this.agents.values()) {
      agent.changedMs += byMs;
      agent.backMs += byMs;
      agent.endedMs = moved(agent.endedMs);
      agent.unmeasuredMs = moved(agent.unmeasuredMs);
      agent.unansweredMs = moved(agent.unansweredMs);
      if (agent.ahead) {
        const { byMs: aheadMs, sinceMs, lastMs } = agent.ahead;
        agent.ahead = { byMs: aheadMs, sinceMs: sinceMs + byMs, lastMs: lastMs + byMs };
      }
      agent.lastSeenMs = moved(agent.lastSeenMs);
      for (const line of agent.lines.values()) {
        line.lastSeenMs += byMs;
        line.resumedMs += byMs;
        line.measuredMs = moved(line.measuredMs);
        line.readyMs = moved(line.readyMs);
      }
    }
  }

  /** This was told to the whole fleet. */
  desire(settings: { detecting: boolean; active_model: ActiveModel }, nowMs: number): void {
    const { detecting, active_model } = settings;
    const known = this.wanted;
    const isNews = known?.detecting !== detecting || known.active_model !== active_model;
    if (!isNews) return;
    this.wanted = { detecting, active_model, sinceMs: nowMs };
    this.markFleet();
  }

  /** This is desired of one agent, beside the fleet's; null when it was taken back. */
  setOwn(agent: string, desired: Desired | null): void {
    const known = this.agent(agent);
    known.own = desired;
    this.news.agents.add(known);
  }

  /** Whether it answered a command. */
  setAnswered(agent: string, answered: boolean, nowMs: number): void {
    const known = this.agents.get(agent);
    if (!known) return;
    known.unansweredMs = answered ? null : (known.unansweredMs ?? nowMs);
    this.news.agents.add(known);
  }

  /** Windows of it were so far ahead of their arrival that they were stamped by that. */
  setAhead(agent: string, byMs: number, nowMs: number): void {
    const known = this.agent(agent);
    const goesOn = known.ahead !== null && isAhead(known.ahead, nowMs);
    known.ahead = { byMs, sinceMs: goesOn ? known.ahead!.sinceMs : nowMs, lastMs: nowMs };
    this.news.agents.add(known);
  }

  setInfo(agent: string, info: AgentInfo, nowMs: number): void {
    const known = this.agent(agent);
    const { detecting, active_model } = info;
    const isSame = known.info?.detecting === detecting && known.info.active_model === active_model;
    if (isSame && known.known) this.news.agents.add(known);
    else this.markAll(known);
    this.forests += Number(hasForest(info)) - Number(hasForest(known.info));
    known.endedMs = info.source.phase === 'ended' ? (known.endedMs ?? nowMs) : null;
    known.unmeasuredMs = unmeasuredParts(info).length > 0 ? (known.unmeasuredMs ?? nowMs) : null;
    known.info = info;
    known.known = true;
    // The broker keeps an agent's info: it comes from those that are away, too.
    if (known.online) spoke(known, nowMs);
  }

  seen(agent: string, line: Sighting, nowMs: number): void {
    const known = this.agent(agent);
    if (!known.known) this.markAll(known);
    known.known = true;
    const before = known.lines.get(line.device);
    // A gap in which its agent or the broker was away is not the line's own.
    const isOwn = before !== undefined && before.lastSeenMs >= Math.max(known.backMs, this.deafMs);
    spoke(known, nowMs);
    this.note(known, line, nowMs, { live: true, learn: isOwn });
  }

  /** A line as the store knew it at `seenMs`: whether its agent is there is to be heard. */
  restore(agent: string, line: Sighting, seenMs: number, nowMs: number): void {
    const known = this.agent(agent);
    this.news.agents.add(known);
    known.lastSeenMs = seenMs;
    this.note(known, line, seenMs, { live: false, learn: true });
    if (!known.known) known.changedMs = nowMs;
  }

  private note(
    known: Agent,
    line: Sighting,
    nowMs: number,
    { live, learn }: { live: boolean; learn: boolean },
  ): void {
    const before = known.lines.get(line.device);
    const endMs = Math.max(line.endMs, before?.endMs ?? line.endMs);
    const interval = before?.interval ?? new ReportingInterval(this.silenceMs);
    const wasSilent = before !== undefined && isSilent(before, nowMs);
    if (before && learn) interval.add(endMs - before.endMs, endMs);
    const heard = {
      scope: line.scope,
      state: line.state,
      judges: line.judges,
      lastSeenMs: nowMs,
      live,
      resumedMs: before && !wasSilent ? before.resumedMs : nowMs,
      endMs,
      interval,
      ...this.measured(before, line, endMs, nowMs),
      readyMs: this.readyMs(known, before, line, nowMs),
    };
    const { device } = line;
    const next: Line = before
      ? Object.assign(before, heard)
      : {
          agent: known,
          key: lineKey(known.id, device),
          device,
          ...heard,
          standing: null,
          dueMs: Number.POSITIVE_INFINITY,
        };
    known.lines.delete(device);
    known.lines.set(device, next);
    this.news.lines.add(next);
    if (!before) this.lineCount++;
    if (known.lines.size > MAX_LINES_OF_AN_AGENT) this.forgetOldest(known);
    if (this.lineCount > MAX_LINES) this.forgetLine();
  }

  private measured(before: Line | undefined, line: Sighting, endMs: number, nowMs: number) {
    const measuring = before?.measuring ?? new ReportingInterval(this.silenceMs);
    const lastMs = before?.measuredMs ?? null;
    const measuredEndMs = before?.measuredEndMs ?? endMs;
    if (!line.measured) return { measuring, measuredMs: lastMs, measuredEndMs };
    if (lastMs !== null) measuring.add(endMs - measuredEndMs, endMs);
    return { measuring, measuredMs: nowMs, measuredEndMs: endMs };
  }

  /** A window fills for its length, from the first record on. */
  private readyMs(agent: Agent, before: Line | undefined, { state }: Sighting, nowMs: number): number | null {
    if (state !== 'warming_up') return null;
    if (before?.state === 'warming_up') return before.readyMs;
    return nowMs + 1000 * (agent.info?.window_seconds ?? DEFAULT_WINDOW_SECONDS);
  }

  info(agent: string): AgentInfo | null {
    return this.agents.get(agent)?.info ?? null;
  }

  features(agent: string): readonly Feature[] | undefined {
    return this.agents.get(agent)?.info?.features;
  }

  /** An alert of that device was opened or closed, or is another. */
  alerted(agent: string, device: string): void {
    const line = this.agents.get(agent)?.lines.get(device);
    if (line) this.news.lines.add(line);
  }

  /** All may stand otherwise. */
  markFleet(): void {
    for (const agent of this.agents.values()) this.markAll(agent);
  }

  get(agent: string): Agent | undefined {
    return this.agents.get(agent);
  }

  /** Ids of the agents, in order. */
  get agentIds(): readonly string[] {
    this.ids ??= [...this.agents.keys()].sort();
    return this.ids;
  }

  lineCountOf(agent: string): number {
    return this.agents.get(agent)?.lines.size ?? 0;
  }

  get hasForest(): boolean {
    return this.forests > 0;
  }

  /** Agents that are online and have introduced themselves. */
  get online(): Array<{ id: string; fingerprint: string }> {
    return [...this.agents].flatMap(([id, { online, info }]) =>
      online && info ? [{ id, fingerprint: info.fingerprint }] : [],
    );
  }

  /** Agents of which windows have come. */
  get reporting(): string[] {
    return [...this.agents].flatMap(([id, { lines }]) => (lines.size > 0 ? [id] : []));
  }

  /** Whether anything was ever heard of it. */
  knows(agent: string): boolean {
    return this.agents.has(agent);
  }

  get infos(): AgentInfo[] {
    return [...this.agents.values()].flatMap(({ info }) => (info ? [info] : []));
  }

  /** Agents and their lines by whether they are silent now; all, or those that are named. */
  hearings(nowMs: number, agents: Iterable<string> = this.agents.keys()): Hearing[] {
    return [...agents].flatMap((id) => {
      const agent = this.agents.get(id);
      return agent ? hearingsOf(agent, this.silenceMs, nowMs) : [];
    });
  }

  /** Time between two windows of a line, as it is usual; null while nothing is known. */
  intervalMs(agent: string, device: string): number | null {
    return this.agents.get(agent)?.lines.get(device)?.interval.usualMs ?? null;
  }

  private agent(id: string): Agent {
    const before = this.agents.get(id);
    const known = before ?? newAgent(id);
    this.agents.delete(id);
    this.agents.set(id, known);
    if (before) return known;
    this.ids = null;
    this.news.agents.add(known);
    if (this.agents.size > MAX_AGENTS) this.forgetAgent();
    return known;
  }

  private markAll(agent: Agent): void {
    this.news.agents.add(agent);
    for (const line of agent.lines.values()) this.news.lines.add(line);
  }

  private forgetAgent(): void {
    const agent = this.agents.values().next().value!;
    while (agent.lines.size > 0) this.forgetOldest(agent);
    this.agents.delete(agent.id);
    this.ids = null;
    this.forests -= Number(hasForest(agent.info));
    this.news.agents.delete(agent);
    this.news.goneAgents.add(agent);
  }

  /** Of the agent heard of longest ago that has any. */
  private forgetLine(): void {
    for (const agent of this.agents.values()) {
      if (agent.lines.size === 0) continue;
      this.forgetOldest(agent);
      return;
    }
  }

  private forgetOldest(agent: Agent): void {
    const line = agent.lines.values().next().value!;
    agent.lines.delete(line.device);
    this.lineCount--;
    this.news.lines.delete(line);
    this.news.goneLines.add(line);
  }
}

function hasForest(info: AgentInfo | null): boolean {
  return info?.models.some(({ kind, scope }) => kind === 'isolation_forest' && scope === 'device') ?? false;
}

function spoke(agent: Agent, nowMs: number): void {
  agent.lastSeenMs = nowMs;
  agent.live = true;
}

function newAgent(id: string): Agent {
  return {
    id,
    online: false,
    known: false,
    changedMs: 0,
    backMs: Number.NEGATIVE_INFINITY,
    info: null,
    own: null,
    endedMs: null,
    unmeasuredMs: null,
    unansweredMs: null,
    ahead: null,
    lastSeenMs: null,
    live: false,
    lines: new Map(),
    standing: null,
    dueMs: Number.POSITIVE_INFINITY,
    counts: { of: 0, watched: 0 },
  };
}
