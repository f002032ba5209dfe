/**
 * What the page knows, and the pure function that takes in one frame. Frames are numbered: one that does not follow
 * is refused, and the caller asks for a snapshot. Everything is bounded: time and number of windows per line, lines,
 * records, alerts. Nothing is changed in place, so an unchanged part keeps its identity.
 */
import type {
  Alert,
  FeedFrame,
  MetricsView,
  ModelView,
  RecordView,
  SnapshotFrame,
  StatusView,
  UpdateFrame,
  WindowView,
} from '@lineheron/models';
import type { LineKey } from '../line.js';
import { clockOffset } from './clock.js';
import { appendWindows, MAX_LINES } from './windows.js';

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
  readonly status: StatusView | null;
  readonly models: readonly ModelView[];
  readonly metrics: MetricsView | null;
  /** Per line, oldest first. */
  readonly windows: ReadonlyMap<LineKey, readonly WindowView[]>;
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
  models: [],
  metrics: null,
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

function fromSnapshot(state: FeedState, frame: SnapshotFrame, nowMs: number): FeedState {
  return {
    n: frame.n,
    status: frame.status,
    models: frame.models,
    metrics: frame.metrics,
    windows: keepKnown(appendWindows(new Map(), frame.windows)),
    ...withRecords({ ...state, records: [] }, frame.records),
    alerts: sortAlerts(frame.alerts),
    clockOffsetMs: clockOffset(state.clockOffsetMs, frame.now_ms, nowMs),
  };
}

function withUpdate(state: FeedState, frame: UpdateFrame, nowMs: number): FeedState {
  return {
    n: frame.n,
    status: frame.status ?? state.status,
    models: frame.models ?? state.models,
    metrics: frame.metrics ?? state.metrics,
    windows: frame.windows?.length ? keepKnown(appendWindows(state.windows, frame.windows)) : state.windows,
    ...(frame.records?.length
      ? withRecords(state, frame.records)
      : { records: state.records, nextRecordKey: state.nextRecordKey }),
    alerts: frame.alerts?.length ? mergeAlerts(state.alerts, frame.alerts) : state.alerts,
    clockOffsetMs: clockOffset(state.clockOffsetMs, frame.now_ms, nowMs),
  };
}

/** The lines that spoke least lately give way when there are too many. */
function keepKnown(windows: ReadonlyMap<LineKey, readonly WindowView[]>): typeof windows {
  if (windows.size <= MAX_LINES) return windows;
  const newest = (list: readonly WindowView[]) => Date.parse(list.at(-1)?.received_at ?? '') || 0;
  const sorted = [...windows].sort(([, a], [, b]) => newest(b) - newest(a));
  return new Map(sorted.slice(0, MAX_LINES));
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
