/**
 * How all agents and lines stand, in sum and one by one. Work goes with what changes, not with the fleet: only what
 * something was heard of, or whose time has come, is judged again, and the sums follow by the difference. A live list of
 * the worst is kept beside it.
 */
import {
  type AgentSummary,
  type DeviceView,
  LINE_STATES,
  type LineState,
  type Watching,
} from '@lineheron/models';
import {
  type Agent,
  type AgentStanding,
  agentDueMs,
  agentStanding,
  agentView,
  type Line,
  type LineStanding,
  lineDueMs,
  lineStanding,
  lineView,
  type Surroundings,
} from './agent-view.js';
import { DueQueue } from './due-queue.js';
import type { Fleet } from './fleet.js';
import { ShortList } from './short-list.js';

export interface StandingsParts {
  now: () => number;
  fleet: Fleet;
  /** The open alert of a device. */
  alertOf: (agent: string, device: string) => string | null;
  /** Without a broker nothing is known of anybody. */
  connected: () => boolean;
}

/** In the live list, which all clients of the feed are shown. */
const MAX_LISTED_LINES = 2000;
const MAX_LISTED_AGENTS = 500;

/** From bad to good: an open alert; lost from sight; not watched; watched. */
export const LINE_RANKS = 4;
/** From bad to good: does not do its work; away; at work. */
export const AGENT_RANKS = 3;

const LOST: readonly LineState[] = ['offline', 'stale', 'unknown', 'cannot_measure', 'stopped'];

export class Standings {
  readonly listedLines = new ShortList<Line>(MAX_LISTED_LINES, LINE_RANKS);
  readonly listedAgents = new ShortList<Agent>(MAX_LISTED_AGENTS, AGENT_RANKS);
  /** All lines and all agents by how bad they are. */
  readonly linesByRank = Array.from({ length: LINE_RANKS }, () => new Set<Line>());
  readonly agentsByRank = Array.from({ length: AGENT_RANKS }, () => new Set<Agent>());
  private readonly due = new DueQueue<Line | Agent>();
  private readonly states = zeros();
  private readonly missed = zeros();
  private readonly counts = { of: 0, lines: 0, agents_online: 0, agents_detecting: 0, agents: 0 };
  private connected: boolean | null = null;
  /** Hears of each line that stands otherwise. */
  onLine: (line: Line) => void = () => {};

  constructor(private readonly parts: StandingsParts) {}

  /** Judges again what may stand otherwise by now. */
  refresh(): void {
    const around = this.around();
    const { news } = this.parts.fleet;
    for (const item of this.due.take(around.nowMs)) {
      if ('device' in item) news.lines.add(item);
      else news.agents.add(item);
    }
    for (const line of news.goneLines) this.forgetLine(line);
    for (const agent of news.goneAgents) this.forgetAgent(agent);
    news.goneLines.clear();
    news.goneAgents.clear();
    for (const agent of news.agents) this.judgeAgent(agent, around);
    news.agents.clear();
    for (const line of news.lines) this.judgeLine(line, around);
    news.lines.clear();
  }

  /** The clock was set, and the fleet's memory moved with it: all is due anew. */
  clockMoved(): void {
    this.due.clear();
    this.parts.fleet.markFleet();
  }

  /** What is really watched. */
  get watching(): Watching {
    const { of, lines, agents, agents_online, agents_detecting } = this.counts;
    return {
      lines,
      of,
      states: present(this.states),
      missed: present(this.missed),
      agents_detecting,
      agents_online,
      agents,
      agents_with_problems: this.agentsByRank[0]!.size,
    };
  }

  /** What keeps agents from their work, of so many agents at most. */
  problems(most: number): Array<{ agent: string; problem: string }> {
    const found: Array<{ agent: string; problem: string }> = [];
    for (const { id, standing } of this.agentsByRank[0]!) {
      if (found.length >= most) break;
      for (const { code } of standing?.problems ?? []) found.push({ agent: id, problem: code });
    }
    return found;
  }

  /** By `<agent>/<device>`; undefined when it is not known. */
  lineOf(key: string): Line | undefined {
    const slash = key.indexOf('/');
    return this.parts.fleet.get(key.slice(0, slash))?.lines.get(key.slice(slash + 1));
  }

  agent(agent: Agent): AgentSummary {
    return agentView(agent, agent.standing ?? agentStanding(agent, this.around()));
  }

  line(line: Line): DeviceView {
    return lineView(line, line.standing ?? lineStanding(line, this.around()));
  }

  private around(): Surroundings {
    const { now, fleet, alertOf, connected } = this.parts;
    const isConnected = connected();
    if (isConnected !== this.connected) fleet.markFleet();
    this.connected = isConnected;
    return { nowMs: now(), connected: isConnected, wanted: fleet.wanted, alertOf };
  }

  private judgeAgent(agent: Agent, around: Surroundings): void {
    const before = agent.standing;
    const next = agentStanding(agent, around);
    agent.standing = next;
    this.due.add(agent, agentDueMs(agent, around));
    this.countAgent(before, -1);
    this.countAgent(next, 1);
    const rank = agentRank(next);
    if (before) this.agentsByRank[agentRank(before)]!.delete(agent);
    this.agentsByRank[rank]!.add(agent);
    this.listedAgents.note(agent, rank);
  }

  private judgeLine(line: Line, around: Surroundings): void {
    const before = line.standing;
    const next = lineStanding(line, around);
    this.due.add(line, lineDueMs(line, around.nowMs));
    if (before && isSame(before, next)) return;
    line.standing = next;
    this.countLine(line, before, -1);
    this.countLine(line, next, 1);
    const rank = lineRank(next);
    if (before) this.linesByRank[lineRank(before)]!.delete(line);
    this.linesByRank[rank]!.add(line);
    this.listedLines.note(line, rank);
    this.onLine(line);
  }

  private forgetLine(line: Line): void {
    if (line.standing) this.linesByRank[lineRank(line.standing)]!.delete(line);
    this.countLine(line, line.standing, -1);
    this.listedLines.forget(line);
    line.dueMs = Number.NEGATIVE_INFINITY;
  }

  private forgetAgent(agent: Agent): void {
    if (agent.standing) this.agentsByRank[agentRank(agent.standing)]!.delete(agent);
    this.countAgent(agent.standing, -1);
    this.listedAgents.forget(agent);
    agent.dueMs = Number.NEGATIVE_INFINITY;
  }

  private countAgent(standing: AgentStanding | null, by: 1 | -1): void {
    if (!standing) return;
    this.counts.agents += by;
    if (standing.online) this.counts.agents_online += by;
    if (standing.detecting) this.counts.agents_detecting += by;
  }

  /** Lines are devices; the gateways as a whole are left out. */
  private countLine({ agent, scope }: Line, standing: LineStanding | null, by: 1 | -1): void {
    if (!standing || scope !== 'device') return;
    const { state, watched } = standing;
    this.counts.of += by;
    agent.counts.of += by;
    this.states[state] += by;
    if (watched) {
      this.counts.lines += by;
      agent.counts.watched += by;
    } else this.missed[state] += by;
  }
}

export function lineRank({ alert, watched, state }: LineStanding): number {
  if (alert !== null) return 0;
  if (watched) return 3;
  return LOST.includes(state) ? 1 : 2;
}

export function agentRank({ online, problems }: AgentStanding): number {
  if (problems.length > 0) return 0;
  return online ? 2 : 1;
}

function isSame(a: LineStanding, b: LineStanding): boolean {
  return a.state === b.state && a.watched === b.watched && a.alert === b.alert && a.momentMs === b.momentMs;
}

function zeros(): Record<LineState, number> {
  return Object.fromEntries(LINE_STATES.map((state) => [state, 0])) as Record<LineState, number>;
}

/** Those that are not 0. */
function present(counts: Record<LineState, number>): Partial<Record<LineState, number>> {
  return Object.fromEntries(Object.entries(counts).filter(([, count]) => count > 0));
}
