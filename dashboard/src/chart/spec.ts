/** The charts: what each draws, in which unit, on which scale. Data, not code: a new chart is a new entry. */
import type { WindowView } from '@lineheron/models';

export interface ChartSpec {
  readonly id: string;
  readonly title: string;
  /** Said beside the title; may be empty. */
  readonly note: string;
  /** Written along the axis. */
  readonly axis: string;
  /** Written after a value. */
  readonly unit: string;
  readonly scale: 'linear' | 'log';
  /** The axis always reaches at least from here … */
  readonly softMin: number;
  /** … to here, so that calm lines look calm. */
  readonly softMax: number;
  readonly hardMin: number;
  readonly hardMax: number;
  /** A value that gets a dashed line across, and its name. */
  readonly reference: { readonly value: number; readonly label: string } | null;
  readonly pick: (window: WindowView) => number | null;
}

type Detector = 'isolation_forest' | 'adaptive_baseline' | 'autoencoder';

/** Score over its own threshold: 1 is the threshold, whatever the model's scale. */
export function normalisedScore(window: WindowView, detector: Detector): number | null {
  const { score, threshold } = window[detector];
  if (score === null || threshold === null || threshold <= 0) return null;
  return score / threshold;
}

/** Below this a log axis shows no more: it could not show 0. */
const LOG_FLOOR = 0.01;

const AT_THRESHOLD = { value: 1, label: 'threshold' } as const;

/** A score that runs over magnitudes: over its threshold, on a log axis. */
function logScore(detector: Detector): Omit<ChartSpec, 'id' | 'title'> {
  return {
    note: 'score ÷ its threshold, log',
    axis: 'score (1 = threshold)',
    unit: '×',
    scale: 'log',
    softMin: 0.1,
    softMax: 10,
    hardMin: LOG_FLOOR,
    hardMax: Number.POSITIVE_INFINITY,
    reference: AT_THRESHOLD,
    pick: (window) => {
      const value = normalisedScore(window, detector);
      return value === null ? null : Math.max(LOG_FLOOR, value);
    },
  };
}

export const CHARTS: readonly ChartSpec[] = [
  {
    id: 'latency',
    title: 'Latency',
    note: '',
    axis: 'ms',
    unit: 'ms',
    scale: 'linear',
    softMin: 0,
    softMax: 50,
    hardMin: 0,
    hardMax: Number.POSITIVE_INFINITY,
    reference: null,
    pick: (window) => window.latency_ms,
  },
  {
    id: 'loss',
    title: 'Packet loss',
    note: '',
    axis: '%',
    unit: '%',
    scale: 'linear',
    softMin: 0,
    softMax: 5,
    hardMin: 0,
    hardMax: 100,
    reference: null,
    pick: (window) => window.packet_loss_pct,
  },
  {
    id: 'adaptive-baseline',
    title: 'Adaptive baseline',
    ...logScore('adaptive_baseline'),
  },
  {
    id: 'isolation-forest',
    title: 'Isolation forest',
    note: 'score ÷ its threshold',
    axis: 'score (1 = threshold)',
    unit: '×',
    scale: 'linear',
    softMin: 0.6,
    softMax: 1.4,
    hardMin: 0,
    hardMax: Number.POSITIVE_INFINITY,
    reference: AT_THRESHOLD,
    pick: (window) => normalisedScore(window, 'isolation_forest'),
  },
  {
    id: 'autoencoder',
    title: 'Autoencoder',
    ...logScore('autoencoder'),
  },
];
