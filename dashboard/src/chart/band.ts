/** Spans of time behind the lines: alerts, and ground truth where there is any. Times in epoch seconds. Pure. */
import type { Alert, WindowView } from '@lineheron/models';
import { lineKey } from '../line.js';
import { MAX_SILENCE_S } from './data.js';

export interface Band {
  readonly kind: 'alert' | 'truth';
  readonly from: number;
  readonly to: number;
}

const seconds = (time: string) => Date.parse(time) / 1000;

/** Alerts of one line. An open one reaches to `now`, a closed one to its last suspect window. */
export function alertBands(alerts: readonly Alert[], key: string, now: number): Band[] {
  return alerts
    .filter((alert) => lineKey(alert) === key)
    .map((alert) => ({
      kind: 'alert' as const,
      from: seconds(alert.opened_at),
      to: alert.status === 'open' ? Math.max(now, seconds(alert.opened_at)) : seconds(alert.last_suspect_at),
    }));
}

/** Stretches of windows whose last record was truly anomalous. Silence ends a stretch. */
export function truthBands(windows: readonly WindowView[]): Band[] {
  const bands: { kind: 'truth'; from: number; to: number }[] = [];
  let open: (typeof bands)[number] | null = null;
  for (const window of windows) {
    const end = seconds(window.end);
    if (window.is_anomaly !== true) {
      open = null;
    } else if (open !== null && end - open.to <= MAX_SILENCE_S) {
      open.to = end;
    } else {
      open = { kind: 'truth', from: end, to: end };
      bands.push(open);
    }
  }
  return bands;
}

/** Only what lies in the range, cut to it; overlapping bands of one kind become one, so that none looks darker. */
export function visibleBands(bands: readonly Band[], from: number, to: number): Band[] {
  const inside = bands
    .filter((band) => band.to >= from && band.from <= to)
    .map((band) => ({ ...band, from: Math.max(from, band.from), to: Math.min(to, band.to) }))
    .sort((a, b) => a.kind.localeCompare(b.kind) || a.from - b.from);
  const merged: Band[] = [];
  for (const band of inside) {
    const last = merged.at(-1);
    if (last && last.kind === band.kind && band.from <= last.to) {
      merged[merged.length - 1] = { ...last, to: Math.max(last.to, band.to) };
    } else {
      merged.push(band);
    }
  }
  return merged;
}
