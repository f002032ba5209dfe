/**
 * The smallest change of one feature that would have made a window normal to a model: each of its strongest reasons'
 * values is moved in steps towards what training saw in the middle, and all of these rows are scored in one run. The
 * answer is within a step of the nearest value, was scored, and found normal.
 */
import type { Feature, NormalIf, Reason } from '@lineheron/models';

export interface StrangeWindow {
  features: ReadonlyArray<number | null>;
  /** Names and units of the features. */
  names: readonly Feature[];
  /** Of its score, the strongest first. */
  reasons: readonly Reason[];
  threshold: number;
  /** One score a row. */
  score: (rows: Float32Array) => Promise<Float32Array>;
}

/** Steps on the way from what was observed to the median. */
const STEPS = 64;

/** Null when none of its reasons' features alone would have made it normal. */
export async function smallestChange(window: StrangeWindow): Promise<NormalIf | null> {
  const { features, names, threshold, score } = window;
  const ways = window.reasons.flatMap(({ feature, median, p5, p95 }) => {
    const column = names.findIndex(({ name }) => name === feature);
    const observed = features[column] ?? null;
    if (observed === null || median === null) return [];
    return [{ column, observed, median, width: Math.abs((p95 ?? 0) - (p5 ?? 0)) }];
  });
  const columns = features.length;
  const rows = new Float32Array(ways.length * STEPS * columns);
  ways.forEach(({ column, observed, median }, way) => {
    for (let step = 0; step < STEPS; step++) {
      const first = (way * STEPS + step) * columns;
      features.forEach((value, at) => {
        rows[first + at] = value ?? Number.NaN;
      });
      rows[first + column] = observed + ((median - observed) * (step + 1)) / STEPS;
    }
  });
  if (ways.length === 0) return null;
  const scores = await score(rows);
  const found = ways.flatMap(({ column, observed, width }, way) => {
    const own = scores.subarray(way * STEPS, (way + 1) * STEPS);
    const step = own.findIndex((value) => value <= threshold);
    if (step < 0) return [];
    const value = rows[(way * STEPS + step) * columns + column]!;
    return [{ column, value, observed, distance: Math.abs(observed - value) / (width || Number.MIN_VALUE) }];
  });
  const nearest = found.reduce<(typeof found)[number] | null>(
    (best, next) => (best === null || next.distance < best.distance ? next : best),
    null,
  );
  if (nearest === null) return null;
  const { name, unit } = names[nearest.column]!;
  const side = nearest.observed > nearest.value ? 'below' : 'above';
  return { detector: 'autoencoder', feature: name, unit, value: nearest.value, side };
}
