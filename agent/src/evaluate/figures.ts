/** A detector's figures on one file, and their mean and spread over files and seeds. Pure. */
import { days, delaysMs, eventRecall, falseEpisodes, type Timeline } from './episodes.js';
import { confusion, ranking } from './ranking.js';

export const FIGURES = [
  'auc',
  'ap',
  'f1',
  'precision_at_threshold',
  'recall_at_threshold',
  'f1_at_threshold',
  'event_recall_day',
  'event_recall_week',
  'delay_p50_s',
  'delay_p90_s',
  'false_episodes_day',
] as const;

/** NaN where a figure has no meaning: event figures of independent rows, delays when nothing is found. */
export type Figures = Record<(typeof FIGURES)[number], number>;

/** What a detector said of the rows that are judged. */
export interface Verdict {
  method: string;
  /** Higher is stranger; what is ranked. */
  scores: Float64Array;
  /** At its operating threshold, chosen without labels. */
  alarms: readonly boolean[];
}

const quantile = (ascending: readonly number[], share: number) =>
  ascending[Math.min(ascending.length - 1, Math.floor(share * ascending.length))] ?? Number.NaN;

/** `hasTime` is false for rows that are independent. */
export function figuresOf({ scores, alarms }: Verdict, timeline: Timeline, hasTime: boolean): Figures {
  const { auc, averagePrecision, bestF1 } = ranking(scores, timeline.labels);
  const { precision, recall, f1 } = confusion(alarms, timeline.labels);
  const delays = hasTime ? delaysMs(timeline, alarms) : [];
  const inTime = (figure: () => number) => (hasTime ? figure() : Number.NaN);
  return {
    auc,
    ap: averagePrecision,
    f1: bestF1,
    precision_at_threshold: precision,
    recall_at_threshold: recall,
    f1_at_threshold: f1,
    event_recall_day: inTime(() => eventRecall(timeline, scores, 1)),
    event_recall_week: inTime(() => eventRecall(timeline, scores, 1 / 7)),
    delay_p50_s: quantile(delays, 0.5) / 1000,
    delay_p90_s: quantile(delays, 0.9) / 1000,
    false_episodes_day: inTime(() => falseEpisodes(timeline, alarms) / days(timeline)),
  };
}

const known = (values: readonly number[]) => values.filter((value) => !Number.isNaN(value));

export function mean(values: readonly number[]): number {
  const found = known(values);
  return found.length === 0 ? Number.NaN : found.reduce((sum, value) => sum + value, 0) / found.length;
}

/** Of a sample; 0 for fewer than two values. */
export function standardDeviation(values: readonly number[]): number {
  const [found, middle] = [known(values), mean(values)];
  if (found.length < 2) return 0;
  return Math.sqrt(found.reduce((sum, value) => sum + (value - middle) ** 2, 0) / (found.length - 1));
}

/** Figure by figure, over what is known. */
export function combined(all: readonly Figures[], how: (values: readonly number[]) => number): Figures {
  const entries = FIGURES.map((figure) => [figure, how(all.map((figures) => figures[figure]))]);
  return Object.fromEntries(entries) as Figures;
}
