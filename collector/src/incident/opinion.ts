/** What each detector and the active model say of one window. Pure; the one place that knows what a model means. */
import type { ActiveModel } from '@lineheron/models';

export interface Opinion {
  /** The edge's isolation forest suspects it. */
  forest: boolean;
  /** The autoencoder suspects it; null when it did not review it. */
  autoencoder: boolean | null;
}

/** Whether the active model finds the window anomalous. */
export function isAnomalous(model: ActiveModel, { forest, autoencoder }: Opinion): boolean {
  if (model === 'isolation_forest') return forest;
  if (model === 'autoencoder') return autoencoder === true;
  return forest || autoencoder === true;
}

/** Whether the autoencoder alone may open an alert. */
export function autoencoderOpens(model: ActiveModel): boolean {
  return model !== 'isolation_forest';
}
