/**
 * What the feed's clients were told of status, models, metrics and the live list, and what differs from it now. The same
 * for all clients, since each begins with a snapshot of the present.
 */
import {
  type AgentSummary,
  type FeedAgent,
  type FeedLine,
  type FeedModel,
  type FeedStatus,
  MAX_FEED_PROBLEMS,
  type MetricsView,
  type ModelView,
  type UpdateFrame,
} from '@lineheron/models';
import type { Agent, Line } from './agent-view.js';
import type { LineBoard } from './line-board.js';
import { feedModel } from './model-summary.js';
import type { Standings } from './standings.js';

export type ListChanges = Pick<UpdateFrame, 'agents' | 'lines' | 'gone'>;
export type FleetChanges = Pick<UpdateFrame, 'status' | 'models' | 'metrics'>;

export class SentStatus {
  private readonly top = new Map<string, string>();
  private readonly agents = new Map<Agent, FeedAgent>();
  private readonly models = new Map<string, string>();
  private readonly metrics = new Map<string, string>();

  constructor(
    private readonly standings: Standings,
    private readonly board: LineBoard,
  ) {}

  /** What has changed; from now on it counts as told. */
  status(status: FeedStatus): FleetChanges {
    const changed = changedFields(this.top, status);
    return changed ? { status: changed } : {};
  }

  figures(models: readonly ModelView[], metrics: MetricsView): FleetChanges {
    const views = models.map(feedModel);
    const changed = changedFields(this.models, Object.fromEntries(views.map((view) => [view.name, view])));
    const figures = changedFields(this.metrics, metrics);
    return {
      ...(changed ? { models: Object.values(changed) as FeedModel[] } : {}),
      ...(figures ? { metrics: figures } : {}),
    };
  }

  list(): ListChanges {
    const { listedAgents, listedLines } = this.standings;
    const [ofAgents, ofLines] = [listedAgents.take(), listedLines.take()];
    for (const agent of ofAgents.gone) this.agents.delete(agent);
    const agents = ofAgents.changed.flatMap((agent) => this.news(agent));
    for (const { key } of ofLines.changed) this.board.list(key, true);
    for (const { key } of ofLines.gone) this.board.list(key, false);
    const lines = ofLines.changed.map((line) => feedLine(line, this.board));
    const gone = {
      agents: ofAgents.gone.map(({ id }) => id),
      lines: ofLines.gone.map(({ key }) => this.board.number(key)),
    };
    return {
      ...(agents.length > 0 ? { agents } : {}),
      ...(lines.length > 0 ? { lines } : {}),
      ...(gone.agents.length + gone.lines.length > 0 ? { gone } : {}),
    };
  }

  private news(agent: Agent): FeedAgent[] {
    const view = feedAgent(this.standings.agent(agent));
    const isOld = isSameAgent(this.agents.get(agent), view);
    this.agents.set(agent, view);
    return isOld ? [] : [view];
  }
}

export function feedAgent({ models, spool, counters, labels, lines, ...agent }: AgentSummary): FeedAgent {
  const forest = models.find(({ kind, scope }) => kind === 'isolation_forest' && scope === 'device');
  const problems = agent.problems.slice(0, MAX_FEED_PROBLEMS);
  return { ...agent, problems, ...(forest?.cannot_alert ? { cannot_alert: forest.cannot_alert } : {}) };
}

/** A line that was judged. */
export function feedLine(
  { agent, device, key, standing, lastSeenMs, endMs }: Line,
  board: LineBoard,
): FeedLine {
  const { state, watched, alert, momentMs } = standing!;
  const number = board.number(key);
  const values = board.values(number);
  const row: FeedLine = [
    number,
    agent.id,
    device,
    state,
    watched,
    alert,
    lastSeenMs,
    endMs - lastSeenMs,
    ...values,
  ];
  if (momentMs !== null) row.push(momentMs);
  return row;
}

/** When it was last heard is told with whatever else changes: of an agent that goes offline it is its last word. */
function isSameAgent(told: FeedAgent | undefined, now: FeedAgent): boolean {
  if (!told) return false;
  return (Object.keys(now) as Array<keyof FeedAgent>).every(
    (name) => name === 'last_seen' || isSame(told[name], now[name]),
  );
}

/** Parts of an agent's last info are the same objects until its next one. */
function isSame(a: unknown, b: unknown): boolean {
  return a === b || (typeof a === 'object' && JSON.stringify(a) === JSON.stringify(b));
}

/** The fields whose JSON is another than what is kept, which becomes what it is now; null when there are none. */
function changedFields<T extends object>(kept: Map<string, string>, fields: T): Partial<T> | null {
  const changed = Object.entries(fields).filter(([name, value]) => {
    const text = JSON.stringify(value) ?? '';
    const isNew = kept.get(name) !== text;
    kept.set(name, text);
    return isNew;
  });
  return changed.length === 0 ? null : (Object.fromEntries(changed) as Partial<T>);
}
