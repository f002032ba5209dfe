/** What each detector and the active model say of one window. Pure; the one place that knows what a model means. */
import type { ActiveModel } from '@lineheron/models';

export interface Opinion {
  /** The edge's isolation forest suspects it. */
  forest: boolean;
  /** The edge's adaptive baseline does. */
  baseline: boolean;
  /** The autoencoder suspects it; null when it did not review it. */
  autoencoder: boolean | null;
  /** It finds it rarer than the alert budget allows; as `autoencoder` when absent. */
  rare?: boolean;
}

/** Whether the active model finds the window anomalous. */
export function isAnomalous(model: ActiveModel, { forest, baseline, autoencoder, rare }: Opinion): boolean {
  if (model === 'isolation_forest') return forest;
  if (model === 'adaptive_baseline') return baseline;
  if (model === 'autoencoder') return autoencoder === true;
  return forest || baseline || (rare ?? autoencoder === true);
}

/** Whether the autoencoder's opinion alone may open an alert: in the ensemble only of what is rare enough. */
export function autoencoderOpens(
  model: ActiveModel,
  opinion: { suspect: boolean; rare?: boolean } | null,
): boolean {
  if (opinion === null || !opinion.suspect) return false;
  return model === 'autoencoder' || (model === 'ensemble' && (opinion.rare ?? true));
}
