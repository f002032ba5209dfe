/**
 * How far what comes now lies from what a model was trained on: the population stability index, feature by feature,
 *   PSI = Σ (q − p) · ln(q / p)
 * over the bins that the training's deciles make, p being their shares in training and q their shares now. Deciles that
 * fall together (a counter that is mostly 0) make one bin, and what is unknown has one of its own. PSI rather than a
 * Kolmogorov–Smirnov distance: it needs ten counters a feature instead of samples, and sees ties and unknown values.
 *
 * 0.25 is the usual mark of a major shift. Without any shift the PSI of N and M independent rows is about
 * (1/N + 1/M) · χ² with one degree less than there are bins, so that much is added to the mark: few rows can only show
 * large shifts. Pure.
 */

/** Of one feature: upper edges of the bins but the last, ascending; then the share of each bin, unknown ones last. */
export interface Bins {
  edges: number[];
  shares: number[];
}

export interface Shift {
  feature: number;
  psi: number;
  /** What this few rows must exceed to be told from chance. */
  bound: number;
}

const MAJOR_SHIFT = 0.25;
/** Deviations of a normal variable beyond which chance is left out: one in 4,300 a feature. */
const SURE = 3.5;

/** Bin edges of a column by its deciles. */
export function decileEdges(column: ArrayLike<number>): number[] {
  const sorted = Float64Array.from(column).filter(Number.isFinite).sort();
  const edges: number[] = [];
  for (let decile = 1; decile < 10 && sorted.length > 0; decile++) {
    const edge = sorted[Math.floor((decile * (sorted.length - 1)) / 10)]!;
    if (edge !== edges.at(-1)) edges.push(edge);
  }
  return edges;
}

/** The bin of a value: the first whose edge it does not exceed; the last one when it is unknown. */
export function binOf(edges: readonly number[], value: number | null): number {
  if (value === null || !Number.isFinite(value)) return edges.length + 1;
  let bin = 0;
  while (bin < edges.length && value > edges[bin]!) bin++;
  return bin;
}

/** Shares of a column's values by bin. */
export function binShares(edges: readonly number[], column: ArrayLike<number>): number[] {
  const counts = new Array<number>(edges.length + 2).fill(0);
  for (let at = 0; at < column.length; at++) counts[binOf(edges, column[at]!)]!++;
  return counts.map((count) => count / Math.max(1, column.length));
}

/**
 * The feature that exceeds its bound the most, or comes nearest to it. `counts` are of independent rows by feature and
 * bin, `trained` the independent rows behind the shares.
 */
export function largestShift(
  bins: readonly Bins[],
  counts: readonly (readonly number[])[],
  trained: number,
): Shift | null {
  let worst: Shift | null = null;
  bins.forEach(({ shares }, feature) => {
    const own = counts[feature] ?? [];
    const rows = own.reduce((sum, count) => sum + count, 0);
    // Half a row in every bin: an empty one is not impossible.
    const now = (bin: number) => ((own[bin] ?? 0) + 0.5) / (rows + 0.5 * shares.length);
    const then = (share: number) => (share * trained + 0.5) / (trained + 0.5 * shares.length);
    const used = shares.filter((share, bin) => share > 0 || (own[bin] ?? 0) > 0).length;
    if (used < 2 || rows === 0) return;
    const psi = shares.reduce((sum, share, bin) => {
      if (share === 0 && (own[bin] ?? 0) === 0) return sum;
      return sum + (now(bin) - then(share)) * Math.log(now(bin) / then(share));
    }, 0);
    const bound = MAJOR_SHIFT + chiSquare(used - 1) * (1 / rows + 1 / trained);
    if (worst === null || psi / bound > worst.psi / worst.bound) worst = { feature, psi, bound };
  });
  return worst;
}

/** Upper quantile of χ² at SURE deviations, after Wilson and Hilferty (1931). */
function chiSquare(freedom: number): number {
  const part = 2 / (9 * freedom);
  return freedom * (1 - part + SURE * Math.sqrt(part)) ** 3;
}
