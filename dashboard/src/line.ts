/** A line is one device of one agent, or an agent's gateway as a whole. Its key, its name, what is known of it. Pure. */
import type { Alert, FeedLine, LineState, LineView } from '@lineheron/models';
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
  /** By which the feed names it. */
  readonly number: number;
  readonly key: LineKey;
  readonly agent: string;
  readonly device: string;
  readonly state: LineState;
  readonly watched: boolean;
  readonly isGateway: boolean;
  /** When it has warmed up, and when it last measured anything, ms, where that is what it lacks. */
  readonly readyMs: number | null;
  readonly measuredMs: number | null;
  readonly hasAlert: boolean;
  /** The collector's time, ms; of a line that reports it is not the last. */
  readonly lastSeenMs: number;
  /** Its event time minus the collector's, ms: delay, and how its clock differs. */
  readonly eventOffsetMs: number;
}

function toLine(row: FeedLine): Line {
  const [number, agent, device, state, watched, alert, lastSeenMs, eventOffsetMs, , , momentMs = null] = row;
  return {
    number,
    key: lineKey({ agent, device }),
    agent,
    device,
    state,
    watched,
    isGateway: device === GATEWAY_DEVICE,
    readyMs: state === 'warming_up' ? momentMs : null,
    measuredMs: state === 'cannot_measure' ? momentMs : null,
    hasAlert: alert !== null,
    lastSeenMs,
    eventOffsetMs,
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
  { kind }: Pick<Alert, 'kind'>,
  line: Pick<Line, 'eventOffsetMs'> | undefined,
  nowMs: number,
): number {
  const own = kind === 'silence' || kind === 'offline';
  return own || !line ? nowMs : nowMs + line.eventOffsetMs;
}

/**
 * The lines with those that changed and without those that are gone: agents in order of their ids, devices by name,
 * the gateway as a whole last. Lines that did not change keep their identity.
 */
export function mergeLines(
  known: readonly Line[],
  changed: readonly FeedLine[],
  gone: readonly number[] = [],
): readonly Line[] {
  if (changed.length + gone.length === 0) return known;
  const byNumber = new Map(known.map((line) => [line.number, line]));
  for (const number of gone) byNumber.delete(number);
  const size = byNumber.size;
  for (const row of changed) byNumber.set(row[0], toLine(row));
  const lines = [...byNumber.values()];
  // What replaces a line stands at its place already.
  return byNumber.size === size ? lines : lines.sort(byName);
}

/** All of them in that order, each once: of two with one number the first. */
export function joinLines(...lists: ReadonlyArray<readonly Line[]>): readonly Line[] {
  const [first = [], ...others] = lists.filter((list) => list.length > 0);
  if (others.length === 0) return first;
  const byNumber = new Map([...lists].reverse().flatMap((list) => list.map((line) => [line.number, line])));
  return [...byNumber.values()].sort(byName);
}

/** A line as the API tells of it. */
export function lineOf(view: LineView): Line {
  const { number, agent, device, state, watched, alert, latency_ms, packet_loss_pct } = view;
  const seenMs = Date.parse(view.last_seen);
  const moment = view.ready_at ?? view.measured_at;
  const row = [seenMs, Date.parse(view.end) - seenMs, latency_ms, packet_loss_pct] as const;
  const known = [number, agent, device, state, watched, alert, ...row] as const;
  return toLine(moment === undefined ? [...known] : [...known, Date.parse(moment)]);
}

const { compare } = new Intl.Collator('en', { numeric: true });

function byName(a: Line, b: Line): number {
  if (a.agent !== b.agent) return compare(a.agent, b.agent);
  if ((a.device === GATEWAY_DEVICE) !== (b.device === GATEWAY_DEVICE)) {
    return a.device === GATEWAY_DEVICE ? 1 : -1;
  }
  return compare(a.device, b.device);
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
  const kept = current.filter((key) => lines.some((line) => line.key === key));
  if (kept.length > 0) return kept.length === current.length ? current : kept;
  const first =
    lines.find(({ hasAlert }) => hasAlert) ?? lines.find((l) => l.device !== GATEWAY_DEVICE) ?? lines[0];
  return first ? [first.key] : current.length === 0 ? current : [];
}
