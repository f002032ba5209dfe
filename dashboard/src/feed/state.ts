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
  LinesFrame,
  LineValues,
  LineView,
  MetricsView,
  RecordView,
  SnapshotFrame,
  UpdateFrame,
  WatchedLines,
  WindowView,
} from '@lineheron/models';
import { type Line, type LineKey, lineKey, lineOf, mergeLines } from '../line.js';
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
  /** In order of their ids; of a large fleet the worst, as of its lines. */
  readonly agents: readonly FeedAgent[];
  readonly lines: readonly Line[];
  /** How the watched lines stand, where the list does not show them. */
  readonly watchedLines: readonly Line[];
  /** Lines that Find found and the list does not show, as they stood then. */
  readonly found: readonly Line[];
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
  watchedLines: [],
  found: [],
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
  if (state.n === null) return null;
  if (frame.type === 'lines') return withWatched(state, frame, nowMs);
  return frame.n === state.n + 1 ? withUpdate(state, frame, nowMs) : null;
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

/** What Find found beyond the list; `at` is the collector's time, epoch seconds. */
export function takeFound(state: FeedState, views: readonly LineView[], at: number): FeedState {
  const listed = new Set(state.lines.map(({ number }) => number));
  const others = views.filter(({ number }) => !listed.has(number));
  const values = others.map(
    ({ number, latency_ms, packet_loss_pct }): LineValues => [number, latency_ms, packet_loss_pct],
  );
  return { ...state, found: others.map(lineOf), values: withValues(state.values, values, at) };
}

/** The page follows all topics, so that all is there. */
function fromSnapshot(state: FeedState, frame: SnapshotFrame, nowMs: number): FeedState {
  const { agents = [], lines = [], sparks = [], models = [], records = [], alerts = [] } = frame;
  return {
    ...state,
    n: frame.n,
    status: frame.status ?? null,
    agents: sortAgents(agents),
    lines: mergeLines([], lines),
    watchedLines: [],
    values: valuesOf(lines, sparks, frame.now_ms / 1000),
    models,
    metrics: frame.metrics ?? null,
    ...withRecords({ ...state, records: [] }, records),
    alerts: sortAlerts(alerts),
    clockOffsetMs: clockOffset(state.clockOffsetMs, frame.now_ms, nowMs),
  };
}

function withUpdate(state: FeedState, frame: UpdateFrame, nowMs: number): FeedState {
  const { lines = [], values = [], agents = [], gone } = frame;
  const watched = new Set(state.watching);
  // What is watched comes completely in frames of its own.
  const records = (frame.records ?? []).filter((record) => !watched.has(lineKey(record)));
  const list = mergeLines(state.lines, lines, gone?.lines);
  return {
    ...state,
    n: frame.n,
    status: withFields(state.status, frame.status),
    agents: mergeAgents(state.agents, agents, gone?.agents ?? []),
    lines: list,
    watchedLines: unlisted(keptOnGone(state, gone?.lines ?? []), lines),
    values: withValues(
      withoutLines(state.values, gone?.lines ?? []),
      [...lines.map(lineValues), ...values],
      frame.now_ms / 1000,
    ),
    models: frame.models ? mergeModels(state.models, frame.models) : state.models,
    metrics: withFields(state.metrics, frame.metrics),
    ...(records.length > 0 ? withRecords(state, records) : {}),
    alerts: frame.alerts?.length ? mergeAlerts(state.alerts, frame.alerts) : state.alerts,
    clockOffsetMs: clockOffset(state.clockOffsetMs, frame.now_ms, nowMs),
  };
}

function withWatched(state: FeedState, frame: LinesFrame, nowMs: number): FeedState {
  const { windows = [], records = [], lines = [] } = frame;
  const watching = frame.watching ? watchedKeys(frame.watching) : state.watching;
  const watched = new Set(watching);
  const kept = frame.watching ? keepLines(state.windows, watched) : state.windows;
  const known = state.watchedLines.filter(({ key }) => watched.has(key));
  const listed = new Set(state.lines.map(({ number }) => number));
  const others = lines.filter(([number]) => !listed.has(number));
  return {
    ...state,
    watching,
    watchedLines: frame.watching || others.length > 0 ? mergeLines(known, others) : state.watchedLines,
    values: withValues(state.values, others.map(lineValues), frame.now_ms / 1000),
    windows: appendWindows(kept, windows, watched),
    ...(records.length > 0 ? withRecords(state, records) : {}),
    clockOffsetMs: clockOffset(state.clockOffsetMs, frame.now_ms, nowMs),
  };
}

/** A watched line that the list shows no more is still known. */
function keptOnGone({ lines, watchedLines, watching }: FeedState, gone: readonly number[]): readonly Line[] {
  if (gone.length === 0) return watchedLines;
  const numbers = new Set(gone);
  const kept = lines.filter(({ number, key }) => numbers.has(number) && watching.includes(key));
  return kept.length > 0 ? [...watchedLines, ...kept] : watchedLines;
}

function unlisted(watched: readonly Line[], listed: readonly FeedLine[]): readonly Line[] {
  if (watched.length === 0 || listed.length === 0) return watched;
  const numbers = new Set(listed.map(([number]) => number));
  return watched.filter(({ number }) => !numbers.has(number));
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
