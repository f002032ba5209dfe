/** A line is one device of one agent, or an agent's gateway as a whole. Its key, its name, what is known of it. */
import type { AgentView, Alert, LineState, StatusView } from '@lineheron/models';
import { GATEWAY_DEVICE } from '@lineheron/models';

/** `<agent>/<device>`; neither part can hold a slash. */
export type LineKey = string;

export function lineKey(of: { readonly agent: string; readonly device: string }): LineKey {
  return `${of.agent}/${of.device}`;
}

export function deviceName(device: string): string {
  return device === GATEWAY_DEVICE ? 'whole gateway' : device;
}

/** Lines a user can look at side by side: as many as there are series colours. */
export const MAX_SELECTED = 4;

export interface Line {
  readonly key: LineKey;
  readonly agent: string;
  readonly device: string;
  readonly online: boolean;
  readonly state: LineState;
  readonly watched: boolean;
  readonly isGateway: boolean;
  /** When it has warmed up, and when it last measured anything, where that is what it lacks. */
  readonly readyAt: string | null;
  readonly measuredAt: string | null;
  /** Event time of its newest window, and when that came. */
  readonly end: string;
  readonly lastSeen: string;
  readonly alert: Alert | null;
  readonly hasAlert: boolean;
}

function toLine(agent: AgentView, device: AgentView['devices'][number], open: Map<string, Alert>): Line {
  const key = lineKey({ agent: agent.id, device: device.device });
  const alert = open.get(key) ?? null;
  return {
    key,
    agent: agent.id,
    device: device.device,
    online: agent.online,
    state: device.state,
    watched: device.watched,
    isGateway: device.scope === 'gateway',
    readyAt: device.ready_at ?? null,
    measuredAt: device.measured_at ?? null,
    end: device.end,
    lastSeen: device.last_seen,
    alert,
    hasAlert: alert !== null || device.alert !== null,
  };
}

/** `current` when its last values are what it is like now, as the collector judges it. */
export function freshness(line: Pick<Line, 'state'>): 'current' | 'silent' | 'offline' | 'unknown' {
  if (line.state === 'stale') return 'silent';
  return line.state === 'offline' || line.state === 'unknown' ? line.state : 'current';
}

/**
 * The time now as an alert's own times go: those of a detector are the line's event time, whose clock may be wrong; those of a
 * silence are the collector's.
 */
export function alertNowMs(
  alert: Pick<Alert, 'kind'>,
  line: Pick<Line, 'end' | 'lastSeen'> | undefined,
  nowMs: number,
): number {
  const own = alert.kind === 'silence' || alert.kind === 'offline';
  if (own || !line) return nowMs;
  return Date.parse(line.end) + Math.max(0, nowMs - Date.parse(line.lastSeen));
}

/** Every line, agents in order of their ids, devices by name, the gateway as a whole last. */
export function linesOf(status: StatusView | null, alerts: readonly Alert[]): readonly Line[] {
  if (status === null) return [];
  const open = new Map(alerts.filter(({ status }) => status === 'open').map((a) => [lineKey(a), a]));
  const agents = [...status.agents].sort((a, b) => a.id.localeCompare(b.id, 'en', { numeric: true }));
  return agents.flatMap((agent) =>
    [...agent.devices].sort(byDevice).map((device) => toLine(agent, device, open)),
  );
}

function byDevice(a: { device: string }, b: { device: string }): number {
  if ((a.device === GATEWAY_DEVICE) !== (b.device === GATEWAY_DEVICE)) {
    return a.device === GATEWAY_DEVICE ? 1 : -1;
  }
  return a.device.localeCompare(b.device, 'en', { numeric: true });
}

/** A click chooses one line; `additive` adds it to the chosen ones or takes it away, the oldest giving way. */
export function nextSelection(
  current: readonly LineKey[],
  key: LineKey,
  additive: boolean,
): readonly LineKey[] {
  if (!additive) return [key];
  if (current.includes(key)) return current.length > 1 ? current.filter((other) => other !== key) : current;
  return [...current, key].slice(-MAX_SELECTED);
}

/** The chosen lines that still exist; when none does, a line in alert, else the first device. */
export function settleSelection(current: readonly LineKey[], lines: readonly Line[]): readonly LineKey[] {
  const known = new Set(lines.map(({ key }) => key));
  const kept = current.filter((key) => known.has(key));
  if (kept.length > 0) return kept.length === current.length ? current : kept;
  const first =
    lines.find(({ hasAlert }) => hasAlert) ?? lines.find((l) => l.device !== GATEWAY_DEVICE) ?? lines[0];
  return first ? [first.key] : current.length === 0 ? current : [];
}
