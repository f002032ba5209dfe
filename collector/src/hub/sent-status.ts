/**
 * What the feed's clients were told of status, agents, lines, models and metrics, and what differs from it now. The
 * same for all clients, since each begins with a snapshot of the present.
 */
import type {
  AgentView,
  FeedAgent,
  FeedLine,
  FeedModel,
  FeedStatus,
  MetricsView,
  ModelView,
  StatusView,
  UpdateFrame,
} from '@lineheron/models';
import { type LineBoard, lineKey } from './line-board.js';
import { feedModel } from './model-summary.js';

type Changes = Pick<UpdateFrame, 'status' | 'agents' | 'lines' | 'gone' | 'models' | 'metrics'>;
type Device = AgentView['devices'][number];

interface ToldLine {
  number: number;
  /** What is told at once when it changes. */
  standing: string;
}

export class SentStatus {
  private readonly top = new Map<string, string>();
  private readonly agents = new Map<string, FeedAgent>();
  private readonly lines = new Map<string, ToldLine>();
  private readonly models = new Map<string, string>();
  private readonly metrics = new Map<string, string>();

  constructor(private readonly board: LineBoard) {}

  /** What has changed in status, agents and lines; from now on it counts as told. */
  status({ agents, uptime_seconds, ...status }: StatusView): Changes {
    const changed = changedFields(this.top, status);
    return {
      ...(changed ? { status: changed } : {}),
      ...this.changedAgents(agents),
    };
  }

  figures(models: readonly ModelView[], metrics: MetricsView): Changes {
    const views = models.map(feedModel);
    const changed = changedFields(this.models, Object.fromEntries(views.map((view) => [view.name, view])));
    const figures = changedFields(this.metrics, metrics);
    return {
      ...(changed ? { models: Object.values(changed) as FeedModel[] } : {}),
      ...(figures ? { metrics: figures } : {}),
    };
  }

  private changedAgents(views: readonly AgentView[]): Changes {
    const agents: FeedAgent[] = [];
    const lines: FeedLine[] = [];
    const present = new Set<string>();
    for (const view of views) {
      const agent = feedAgent(view);
      if (!isSameAgent(this.agents.get(view.id), agent)) agents.push(agent);
      this.agents.set(view.id, agent);
      for (const device of view.devices) {
        const key = lineKey(view.id, device.device);
        present.add(key);
        const number = this.board.number(key);
        const standing = standingOf(device);
        const told = this.lines.get(key);
        if (told?.number === number && told.standing === standing) continue;
        this.lines.set(key, { number, standing });
        lines.push(feedLine(view.id, device, this.board));
      }
    }
    const gone = this.forgotten(new Set(views.map(({ id }) => id)), present);
    return {
      ...(agents.length > 0 ? { agents } : {}),
      ...(lines.length > 0 ? { lines } : {}),
      ...(gone ? { gone } : {}),
    };
  }

  private forgotten(agents: ReadonlySet<string>, lines: ReadonlySet<string>): Changes['gone'] {
    const goneAgents = [...this.agents.keys()].filter((id) => !agents.has(id));
    const goneLines = [...this.lines].filter(([key]) => !lines.has(key));
    for (const id of goneAgents) this.agents.delete(id);
    for (const [key] of goneLines) {
      this.lines.delete(key);
      this.board.forget(key);
    }
    if (goneAgents.length + goneLines.length === 0) return undefined;
    return { agents: goneAgents, lines: goneLines.map(([, { number }]) => number) };
  }
}

export function feedStatus({ agents, uptime_seconds, ...status }: StatusView): FeedStatus {
  return status;
}

export function feedAgent({ devices, models, spool, counters, ...agent }: AgentView): FeedAgent {
  const forest = models.find(({ kind, scope }) => kind === 'isolation_forest' && scope === 'device');
  return forest?.cannot_alert ? { ...agent, cannot_alert: forest.cannot_alert } : agent;
}

export function feedLine(agent: string, line: Device, board: LineBoard): FeedLine {
  const { device, state, watched, alert } = line;
  const number = board.number(lineKey(agent, device));
  const seenMs = Date.parse(line.last_seen);
  const offsetMs = Date.parse(line.end) - seenMs;
  const moment = line.ready_at ?? line.measured_at;
  const row: FeedLine = [
    number,
    agent,
    device,
    state,
    watched,
    alert,
    seenMs,
    offsetMs,
    ...board.values(number),
  ];
  if (moment !== undefined) row.push(Date.parse(moment));
  return row;
}

function standingOf({ state, watched, alert, ready_at, measured_at }: Device): string {
  return `${state} ${watched} ${alert} ${ready_at} ${measured_at}`;
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
