/**
 * What the page knows, and the pure functions that take in a frame or what was fetched. Frames are numbered: one that
 * does not follow is refused, and the caller asks for a snapshot. Everything is bounded: time and number of windows
 * per line, records, alerts. Nothing is changed in place, so an unchanged part keeps its identity.
 */
import type {
  Alert,
  FeedAgent,
  FeedFrame,
  FeedLine,
  FeedModel,
  FeedStatus,
  LineValues,
  MetricsView,
  RecordView,
  SnapshotFrame,
  UpdateFrame,
  WatchedLines,
  WindowView,
} from '@lineheron/models';
import { type Line, type LineKey, mergeLines } from '../line.js';
import { clockOffset } from './clock.js';
import { type ValuesByLine, valuesOf, withoutLines, withValues } from './values.js';
import { appendWindows, keepLines, type WindowsByLine } from './windows.js';

export const MAX_RECORDS = 400;
export const MAX_ALERTS = 200;

/** A record with a number of its own: two records may be alike in everything. */
export interface KeyedRecord {
  readonly key: number;
  readonly record: RecordView;
}

export interface FeedState {
  /** Number of the frame last taken in; null before the first snapshot. */
  readonly n: number | null;
  readonly status: FeedStatus | null;
  /** In order of their ids. */
  readonly agents: readonly FeedAgent[];
  readonly lines: readonly Line[];
  readonly values: ValuesByLine;
  readonly models: readonly FeedModel[];
  readonly metrics: MetricsView | null;
  /** Lines whose windows and records come completely. */
  readonly watching: readonly LineKey[];
  /** Of the watched lines, oldest first. */
  readonly windows: WindowsByLine;
  /** Newest first. */
  readonly records: readonly KeyedRecord[];
  readonly nextRecordKey: number;
  /** Open ones first, then newest first. */
  readonly alerts: readonly Alert[];
  /** The page's monotonic clock minus the collector's, ms; null before the first snapshot. */
  readonly clockOffsetMs: number | null;
}

export const EMPTY_STATE: FeedState = {
  n: null,
  status: null,
  agents: [],
  lines: [],
  values: new Map(),
  models: [],
  metrics: null,
  watching: [],
  windows: new Map(),
  records: [],
  nextRecordKey: 0,
  alerts: [],
  clockOffsetMs: null,
};

/** Returns the next state, or null when the frame does not follow and a snapshot is needed. `nowMs` is monotonic. */
export function takeFrame(state: FeedState, frame: FeedFrame, nowMs: number): FeedState | null {
  if (frame.type === 'snapshot') return fromSnapshot(state, frame, nowMs);
  if (state.n === null || frame.n !== state.n + 1) return null;
  return withUpdate(state, frame, nowMs);
}

/** What was fetched of lines that are still watched; what the feed told meanwhile is in it once. */
export function takeHistory(state: FeedState, windows: readonly WindowView[]): FeedState {
  return { ...state, windows: appendWindows(state.windows, windows, new Set(state.watching)) };
}

/** Alerts that no snapshot had room for; what the feed has told of one is newer. */
export function takeAlerts(state: FeedState, fetched: readonly Alert[]): FeedState {
  const known = new Set(state.alerts.map(({ id }) => id));
  return { ...state, alerts: sortAlerts([...state.alerts, ...fetched.filter(({ id }) => !known.has(id))]) };
}

function fromSnapshot(state: FeedState, frame: SnapshotFrame, nowMs: number): FeedState {
  const watching = watchedKeys(frame.watching);
  const watched = new Set(watching);
  return {
    n: frame.n,
    status: frame.status,
    agents: sortAgents(frame.agents),
    lines: mergeLines([], frame.lines),
    values: valuesOf(frame.lines, frame.sparks, frame.now_ms / 1000),
    models: frame.models,
    metrics: frame.metrics,
    watching,
    windows: appendWindows(keepLines(state.windows, watched), frame.windows, watched),
    ...withRecords({ ...state, records: [] }, frame.records),
    alerts: sortAlerts(frame.alerts),
    clockOffsetMs: clockOffset(state.clockOffsetMs, frame.now_ms, nowMs),
  };
}

function withUpdate(state: FeedState, frame: UpdateFrame, nowMs: number): FeedState {
  const { lines = [], values = [], agents = [], windows = [], gone } = frame;
  const watching = frame.watching ? watchedKeys(frame.watching) : state.watching;
  const watched = new Set(watching);
  const kept = frame.watching ? keepLines(state.windows, watched) : state.windows;
  return {
    n: frame.n,
    status: withFields(state.status, frame.status),
    agents: mergeAgents(state.agents, agents, gone?.agents ?? []),
    lines: mergeLines(state.lines, lines, gone?.lines),
    values: withValues(
      withoutLines(state.values, gone?.lines ?? []),
      [...lines.map(lineValues), ...values],
      frame.now_ms / 1000,
    ),
    models: frame.models ? mergeModels(state.models, frame.models) : state.models,
    metrics: withFields(state.metrics, frame.metrics),
    watching,
    windows: appendWindows(kept, windows, watched),
    ...(frame.records?.length
      ? withRecords(state, frame.records)
      : { records: state.records, nextRecordKey: state.nextRecordKey }),
    alerts: frame.alerts?.length ? mergeAlerts(state.alerts, frame.alerts) : state.alerts,
    clockOffsetMs: clockOffset(state.clockOffsetMs, frame.now_ms, nowMs),
  };
}

type Changed<T> = { readonly [K in keyof T]?: T[K] | undefined };

/** JSON holds no undefined: a field that is there has a value. */
function withFields<T extends object>(known: T | null, changed: Changed<T> | undefined): T | null {
  return known && changed ? ({ ...known, ...changed } as T) : known;
}

function lineValues([number, , , , , , , , latencyMs, lossPct]: FeedLine): LineValues {
  return [number, latencyMs, lossPct];
}

/** The page never watches all. */
function watchedKeys(watched: WatchedLines): readonly LineKey[] {
  return watched === 'all' ? [] : watched;
}

const { compare } = new Intl.Collator('en', { numeric: true });

function sortAgents(agents: readonly FeedAgent[]): readonly FeedAgent[] {
  return [...agents].sort((a, b) => compare(a.id, b.id));
}

function mergeAgents(
  known: readonly FeedAgent[],
  changed: readonly FeedAgent[],
  gone: readonly string[],
): readonly FeedAgent[] {
  if (changed.length + gone.length === 0) return known;
  const byId = new Map(known.map((agent) => [agent.id, agent]));
  for (const id of gone) byId.delete(id);
  for (const agent of changed) byId.set(agent.id, agent);
  return sortAgents([...byId.values()]);
}

function mergeModels(known: readonly FeedModel[], changed: readonly FeedModel[]): readonly FeedModel[] {
  return known.map((model) => changed.find(({ name }) => name === model.name) ?? model);
}

function withRecords(
  state: Pick<FeedState, 'records' | 'nextRecordKey'>,
  arrived: readonly RecordView[],
): Pick<FeedState, 'records' | 'nextRecordKey'> {
  const kept = arrived.slice(-MAX_RECORDS);
  const keyed = kept.map((record, index) => ({ key: state.nextRecordKey + index, record })).reverse();
  return {
    records: [...keyed, ...state.records].slice(0, MAX_RECORDS),
    nextRecordKey: state.nextRecordKey + kept.length,
  };
}

function mergeAlerts(known: readonly Alert[], changed: readonly Alert[]): readonly Alert[] {
  const byId = new Map(known.map((alert) => [alert.id, alert]));
  for (const alert of changed) byId.set(alert.id, alert);
  return sortAlerts([...byId.values()]);
}

function sortAlerts(alerts: readonly Alert[]): readonly Alert[] {
  const rank = ({ status }: Alert) => (status === 'open' ? 0 : 1);
  return [...alerts]
    .sort((a, b) => rank(a) - rank(b) || Date.parse(b.opened_at) - Date.parse(a.opened_at))
    .slice(0, MAX_ALERTS);
}

/** The line's event time now: its newest window's, grown by the time that went by since it arrived. */
export function lineNowMs(windows: readonly WindowView[] | undefined, collectorNowMs: number): number | null {
  const newest = windows?.at(-1);
  if (!newest) return null;
  return Date.parse(newest.end) + Math.max(0, collectorNowMs - Date.parse(newest.received_at));
}
