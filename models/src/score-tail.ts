/**
 * What a window model may say about rare scores, from the scores of its training windows: an exponential tail above
 * their 90th percentile, carried on as far as the alert budget asks. Sliding windows overlap, so that 60 s of them are
 * nearly one sample: only whole window lengths count as rows, the tail is widened by what so few of them leave open,
 * and below thirty of them nothing is known of the tail at all. Excesses are cut at five medians, so that strangers among
 * the training windows move it little. Pure; kept as figures in a model's manifest.
 *
 * Scores can take few distinct values: a line that reports evenly has windows of two kinds. No exponential tail describes
 * them, so a threshold never lies below what more than one window in a hundred (and more than three) showed, and it lies
 * one resolution above that. The resolution is a thousandth of the score: a forest of 100 trees on 256 samples moves by
 * ln 2 ÷ (100 · c(256)) = 0.07 % when one tree decides one level sooner, and 32-bit arithmetic by less.
 *
 * Two calibrations exist, with the same tail: this one turns the budget into a threshold for what runs, from four figures
 * that every part may hold (the collector, an agent, a manifest written years ago) and with the overlap of windows in
 * them; `Calibration` in the Rust crate gives every score its probability, rank by rank below the tail, to compare and
 * combine detectors on files, where rows are taken as they come.
 */
import { DEFAULT_FEATURES } from './feature.js';

export interface ScoreTail {
  /** The 90th percentile of the training scores. */
  tail_start: number;
  /** Mean excess over it, of what is cut as said above. */
  tail_scale: number;
  /** The highest score that more than one window in a hundred, and more than three, reached. */
  tail_floor: number;
  /** Window lengths that the training windows cover, over all devices. */
  effective_rows: number;
  /** Windows a device and day. */
  windows_per_day: number;
}

const TAIL_SHARE = 0.1;
/** Scores closer than this share of themselves are taken as equal. */
export const SCORE_RESOLUTION = 0.001;
const RARE_SHARE = 0.01;
const RARE_ROWS = 3;
const CLIP_MEDIANS = 5;
/** An exponential tail cut at five medians has a mean of 1 − 1/32. */
const CLIPPED_MEAN = 32 / 31;
/** Own windows, each a window's length from the next, at which a device's threshold is half its own, half the fleet's. */
const HALF_OWN = 60;
const MIN_EFFECTIVE_ROWS = 30;
/** Own windows (an hour of 30-s ones) that set a threshold alone, where the model's training says nothing. */
const MIN_ALONE_ROWS = 120;
/** One-sided 95 % of a normal distribution: the scale's own error is about scale ÷ √(scores in the tail). */
const WIDTH = 1.645;
/** A window is put out at most once a second unless it is suspect. */
const MAX_WINDOWS_PER_SECOND = 1;
const DAY_SECONDS = 86_400;
const FREQUENCY = DEFAULT_FEATURES.findIndex(({ name }) => name === 'log_frequency');

/** `scores` of the training windows (any order); their mean `frequency` in records a second. */
export function scoreTail(scores: Iterable<number>, frequency: number, windowSeconds: number): ScoreTail {
  const sorted = Float64Array.from(scores).filter(Number.isFinite).sort();
  const first = Math.min(sorted.length - 1, Math.floor((1 - TAIL_SHARE) * sorted.length));
  const start = sorted[first] ?? 0;
  const tail = sorted.subarray(first);
  const median = (tail[tail.length >> 1] ?? start) - start;
  // Where half of the tail is one value, the rest are no strangers to it: they are how it varies.
  const limit = median > SCORE_RESOLUTION * start ? CLIP_MEDIANS * median : Number.POSITIVE_INFINITY;
  const excess = tail.reduce((sum, score) => sum + Math.min(score - start, limit), 0) * CLIPPED_MEAN;
  const perSecond = Math.min(MAX_WINDOWS_PER_SECOND, Math.max(frequency, 1 / DAY_SECONDS));
  const rare = Math.max(RARE_ROWS, Math.floor(RARE_SHARE * sorted.length));
  return {
    tail_start: start,
    tail_scale: tail.length === 0 ? 0 : excess / tail.length,
    tail_floor: Math.max(start, sorted[sorted.length - 1 - rare] ?? start),
    effective_rows: sorted.length / Math.max(1, perSecond * windowSeconds),
    windows_per_day: perSecond * DAY_SECONDS,
  };
}

/** Mean records a second of row-major feature rows; what is unknown is left out. */
export function meanFrequency(rows: ArrayLike<number>, columns: number): number {
  let [sum, count] = [0, 0];
  for (let at = FREQUENCY; at < rows.length; at += columns) {
    const value = rows[at]!;
    if (!Number.isFinite(value)) continue;
    sum += value;
    count += 1;
  }
  return count === 0 ? 0 : sum / count;
}

type Metrics = Readonly<Record<string, number>>;

/** What the scores between the tail's start and the threshold are multiples of: `of` independent windows widen it. */
const widening = (of: number) => 1 + WIDTH / Math.sqrt(TAIL_SHARE * of);
/** −ln of the part of the tail that the budget allows. */
const allowance = (windowsPerDay: number, budget: number) =>
  Math.log(TAIL_SHARE / Math.min(TAIL_SHARE, budget / windowsPerDay));
const above = (score: number) => score + SCORE_RESOLUTION * Math.abs(score);

/**
 * The score that normal windows exceed `budget` times per device per day, by a manifest's `metrics`; null when the
 * training windows say too little of their tail, or nothing is known of them.
 */
export function thresholdForBudget(metrics: Metrics, budget: number): number | null {
  const { tail_start, tail_scale, effective_rows, windows_per_day } = metrics;
  if (tail_start === undefined || tail_scale === undefined || windows_per_day === undefined) return null;
  if (effective_rows === undefined || effective_rows < MIN_EFFECTIVE_ROWS) return null;
  const { tail_floor = tail_start } = metrics;
  const rare = tail_start + tail_scale * widening(effective_rows) * allowance(windows_per_day, budget);
  return above(Math.max(rare, tail_floor));
}

/**
 * A device's own threshold: by its own tail as far as that is known, by the fleet's (the model's) before and beside it.
 * Null when neither says anything. `own` is of independent windows.
 */
export function thresholdForDevice(own: ScoreTail, fleet: Metrics, budget: number): number | null {
  const [ofFleet, ofOwn] = [thresholdForBudget(fleet, budget), thresholdForBudget({ ...own }, budget)];
  if (ofOwn === null) return ofFleet;
  if (ofFleet === null) return own.effective_rows < MIN_ALONE_ROWS ? null : ofOwn;
  const weight = own.effective_rows / (own.effective_rows + HALF_OWN);
  return Math.max(weight * ofOwn + (1 - weight) * ofFleet, above(own.tail_floor));
}

/** Why a model cannot alert within a budget. */
export interface CannotAlert {
  /** Independent windows that it was trained on. */
  windows: number;
  /** As many would do; null when none would, as widely as its scores are spread. */
  needed: number | null;
}

/** Null when a model can alert: when the budget's threshold is known, and below the `highest` score that there is. */
export function whyCannotAlert(metrics: Metrics, budget: number, highest: number): CannotAlert | null {
  const threshold = thresholdForBudget(metrics, budget);
  if (threshold !== null && threshold < highest) return null;
  const { tail_start, tail_scale, effective_rows = 0, windows_per_day } = metrics;
  const windows = Math.floor(effective_rows);
  if (tail_start === undefined || tail_scale === undefined || windows_per_day === undefined)
    return { windows, needed: MIN_EFFECTIVE_ROWS };
  const narrowest = tail_scale * allowance(windows_per_day, budget);
  const room = highest / (1 + SCORE_RESOLUTION) - tail_start;
  if (narrowest >= room) return { windows, needed: null };
  const enough = (WIDTH * narrowest) ** 2 / (TAIL_SHARE * (room - narrowest) ** 2);
  return { windows, needed: Math.max(MIN_EFFECTIVE_ROWS, Math.floor(enough) + 1) };
}

/** The same in words, behind the name of a model. */
export function cannotAlertText({ windows, needed }: CannotAlert): string {
  const count = `${windows} independent ${windows === 1 ? 'window' : 'windows'}`;
  if (needed === null) return `cannot alert within this budget: its scores of ${count} are spread too widely`;
  return `cannot alert yet: ${count}, ${needed} needed for this budget`;
}
