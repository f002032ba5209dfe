/** Explains an autoencoder's score: the features with the largest share of the reconstruction error. Pure. */
import type { Feature, Reason } from '@lineheron/models';
import type { Quantiles } from './quantiles.js';

const MAX_REASONS = 3;

export function explainErrors(
  errors: Float32Array,
  observed: ReadonlyArray<number | null>,
  features: readonly Feature[],
  quantiles: Quantiles | null,
): Reason[] {
  const known = [...errors].map((error) => (Number.isFinite(error) && error > 0 ? error : 0));
  const total = known.reduce((sum, error) => sum + error, 0);
  if (total <= 0) return [];
  return known
    .map((error, at) => ({ at, share: error / total }))
    .filter(({ share, at }) => share > 0 && features[at] !== undefined)
    .sort((a, b) => b.share - a.share)
    .slice(0, MAX_REASONS)
    .map(({ at, share }) => ({
      feature: features[at]!.name,
      unit: features[at]!.unit,
      observed: observed[at] ?? null,
      median: quantiles?.[at]?.median ?? null,
      p5: quantiles?.[at]?.p5 ?? null,
      p95: quantiles?.[at]?.p95 ?? null,
      share,
    }));
}
