/** What a replay found, as it is written as JSON: the same input and settings give the same bytes. */
import type { ActiveModel, CannotAlert, DetectorName, NormalIf, Reason, Scope } from '@lineheron/models';
import type { ReadingOrder } from './survey.js';

export interface ReplayAlert {
  /** `silence`: the device had nothing to say for long. */
  kind: 'episode' | 'silence';
  device: string;
  scope: Scope;
  /** Event time of the first suspect window; of a silence, of the last window before it. */
  opened: string;
  /** Event time of the last suspect window; up to when a silence is known to have lasted. */
  last_suspect: string;
  /** When ten quiet seconds had gone by, or the device spoke again; null when the lines end before. */
  closed: string | null;
  duration_seconds: number;
  /** Who found one of its windows suspect, heard or not. */
  detectors: DetectorName[];
  /** Highest score of the forest; null where there was none yet. */
  peak_score: number | null;
  /** Of the forest when it opened; null when it could not have been heard. */
  threshold: number | null;
  /** How improbable its strangest record was to the adaptive baseline: −ln p. Null where it said nothing. */
  peak_nats: number | null;
  suspect_windows: number;
  reasons: Reason[];
  /** What would have kept it from opening, by each detector that found its first window. */
  normal_if: NormalIf[];
  summary: string;
}

export interface ReplayDevice {
  /** `*` is the gateway as a whole. */
  device: string;
  windows: number;
  /** Windows that forest or baseline had an opinion of. */
  scored: number;
  suspect: number;
  peak_score: number | null;
  peak_nats: number | null;
  alerts: number;
}

export interface ReplayModel {
  scope: Scope;
  origin: 'file' | 'trained';
  release: number | null;
  rows: number;
  /** Null when it cannot alert; then `cannot_alert` says why. */
  threshold: number | null;
  cannot_alert: CannotAlert | null;
}

export interface ReplayVariant {
  name: string;
  /** Who is heard. */
  detector: ActiveModel;
  /** False alert episodes allowed a device and day. */
  budget: number;
  models: ReplayModel[];
  /** Event time up to which the lines were only learnt from; null when nothing was trained. */
  trained_until: string | null;
  windows: number;
  scored: number;
  suspect: number;
  alerts: ReplayAlert[];
  /** Episodes of single devices, per device and day of event time that was scored: what the budget is about. */
  alerts_per_device_day: number | null;
  devices: ReplayDevice[];
}

export interface ReplayInput {
  /** In the order in which they were read. */
  files: string[];
  /** They were named newest first. */
  files_reordered: boolean;
  /** Files that were not read as they are written, and how. */
  orders: Record<string, Exclude<ReadingOrder, 'as_written'>>;
  bytes: number;
  lines: number;
  records: number;
  devices: number;
  refused: Record<string, number>;
  too_long: number;
  late: number;
  /** The same by what it probably was. */
  late_kinds: Record<string, number>;
  /** Devices' windows that began anew because their clock was set back. */
  clock_resets: number;
  /** Further in the future than the file was written: stamped by that time. */
  ahead: number;
  from: string | null;
  to: string | null;
}

/** Two variants beside each other: alerts of a kind and device that overlap in time are the same. */
export interface ReplayComparison {
  both: number;
  only: [number, number];
}

export interface ReplayResult {
  v: 1;
  input: ReplayInput;
  window_size_seconds: number;
  variants: ReplayVariant[];
  comparison: ReplayComparison | null;
}

const overlaps = (a: ReplayAlert, b: ReplayAlert) =>
  a.kind === b.kind && a.device === b.device && a.opened <= b.last_suspect && b.opened <= a.last_suspect;

/** Which alerts of the first have one of the second beside them. */
export function shared(first: readonly ReplayAlert[], second: readonly ReplayAlert[]): Set<ReplayAlert> {
  const byDevice = grouped(second);
  return new Set(
    first.filter((alert) => byDevice.get(alert.device)?.some((other) => overlaps(alert, other))),
  );
}

function grouped(alerts: readonly ReplayAlert[]): Map<string, ReplayAlert[]> {
  const groups = new Map<string, ReplayAlert[]>();
  for (const alert of alerts) {
    const group = groups.get(alert.device);
    if (group) group.push(alert);
    else groups.set(alert.device, [alert]);
  }
  return groups;
}

export function compare(variants: readonly ReplayVariant[]): ReplayComparison | null {
  const [a, b] = variants;
  if (!a || !b) return null;
  const both = shared(a.alerts, b.alerts).size;
  return { both, only: [a.alerts.length - both, b.alerts.length - shared(b.alerts, a.alerts).size] };
}
