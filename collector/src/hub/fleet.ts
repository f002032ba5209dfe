/**
 * What is known of every agent and its devices: online or not, its last info, when each line was last heard. In
 * memory only: agents say it all again when they connect. Bounded in agents and devices; who was heard of longest ago
 * goes first.
 */
import {
  type AgentInfo,
  type AgentView,
  type Feature,
  type LineState,
  MIN_STALE_MS,
  type Scope,
  STALE_INTERVALS,
  type WindowState,
} from '@lineheron/models';

interface Line {
  device: string;
  scope: Scope;
  state: WindowState;
  lastSeenMs: number;
  endMs: number;
  /** Smoothed time between its windows; null after the first. */
  intervalMs: number | null;
}

interface Agent {
  online: boolean;
  info: AgentInfo | null;
  lastSeenMs: number | null;
  lines: Map<string, Line>;
}

const MAX_AGENTS = 10_000;
const MAX_LINES = 10_000;

export class Fleet {
  private readonly agents = new Map<string, Agent>();
  /** Some agent's adaptive baseline has seen enough of a line to judge it. */
  baselineReady = false;

  setOnline(agent: string, online: boolean, nowMs: number): void {
    const known = this.agent(agent);
    known.online = online;
    if (online) known.lastSeenMs = nowMs;
  }

  setInfo(agent: string, info: AgentInfo, nowMs: number): void {
    const known = this.agent(agent);
    known.info = info;
    known.lastSeenMs = nowMs;
  }

  seen(
    agent: string,
    line: { device: string; scope: Scope; state: WindowState; endMs: number },
    nowMs: number,
  ): void {
    const known = this.agent(agent);
    known.lastSeenMs = nowMs;
    const before = known.lines.get(line.device);
    known.lines.delete(line.device);
    known.lines.set(line.device, {
      device: line.device,
      scope: line.scope,
      state: line.state,
      lastSeenMs: nowMs,
      endMs: Math.max(line.endMs, before?.endMs ?? Number.NEGATIVE_INFINITY),
      intervalMs: smoothed(before, line.endMs),
    });
    if (known.lines.size > MAX_LINES) known.lines.delete(known.lines.keys().next().value!);
  }

  info(agent: string): AgentInfo | null {
    return this.agents.get(agent)?.info ?? null;
  }

  features(agent: string): readonly Feature[] | undefined {
    return this.agents.get(agent)?.info?.features;
  }

  /** Agents that are online and have introduced themselves. */
  get online(): Array<{ id: string; fingerprint: string }> {
    return [...this.agents].flatMap(([id, { online, info }]) =>
      online && info ? [{ id, fingerprint: info.fingerprint }] : [],
    );
  }

  get infos(): AgentInfo[] {
    return [...this.agents.values()].flatMap(({ info }) => (info ? [info] : []));
  }

  /** `alertOf` gives the open alert of a device. */
  views(alertOf: (agent: string, device: string) => string | null, nowMs: number): AgentView[] {
    return [...this.agents]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([id, agent]) => agentView(id, agent, alertOf, nowMs));
  }

  private agent(id: string): Agent {
    const known = this.agents.get(id) ?? { online: false, info: null, lastSeenMs: null, lines: new Map() };
    this.agents.delete(id);
    this.agents.set(id, known);
    if (this.agents.size > MAX_AGENTS) this.agents.delete(this.agents.keys().next().value!);
    return known;
  }
}

/** Weight of the newest interval. */
const SMOOTHING = 0.1;

function smoothed(before: Line | undefined, endMs: number): number | null {
  if (!before) return null;
  const interval = Math.max(0, endMs - before.endMs);
  const known = before.intervalMs;
  return known === null ? interval : known + SMOOTHING * (interval - known);
}

function stateOf({ state, lastSeenMs, intervalMs }: Line, nowMs: number): LineState {
  if (intervalMs === null) return state;
  const staleMs = Math.max(MIN_STALE_MS, STALE_INTERVALS * intervalMs);
  return nowMs - lastSeenMs >= staleMs ? 'stale' : state;
}

const iso = (ms: number) => new Date(ms).toISOString();

function agentView(
  id: string,
  { online, info, lastSeenMs, lines }: Agent,
  alertOf: (agent: string, device: string) => string | null,
  nowMs: number,
): AgentView {
  return {
    id,
    online,
    version: info?.version ?? '',
    boot: info?.boot ?? '',
    source: info?.source ?? { type: '', detail: '', phase: '' },
    fingerprint: info?.fingerprint ?? '',
    last_seen: lastSeenMs === null ? null : iso(lastSeenMs),
    models: info?.models ?? [],
    spool: info?.spool ?? { batches: 0, bytes: 0 },
    counters: info?.counters ?? {},
    labels: info?.labels ?? {},
    devices: [...lines.values()]
      .sort((a, b) => (a.device < b.device ? -1 : 1))
      .map((line) => ({
        device: line.device,
        scope: line.scope,
        state: online ? stateOf(line, nowMs) : 'offline',
        last_seen: iso(line.lastSeenMs),
        end: iso(line.endMs),
        alert: alertOf(id, line.device),
      })),
  };
}
