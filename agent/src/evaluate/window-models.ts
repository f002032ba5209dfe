/** The two models that learn from a gateway's windows, trained as in production and put into use with its thresholds. */
import { meanFrequency, type ScoreTail, scoreTail } from '@lineheron/models';
import { Autoencoder, Calibration, trainAutoencoder } from '@lineheron/native';
import { useLearned } from '../replay/learned.js';
import { fitScope } from '../score/fit.js';
import type { Scoring } from '../score/scoring.js';
import { thinned } from './fitted.js';
import type { Features, GatewaySettings } from './gateway.js';

export interface WindowModels {
  autoencoder: Autoencoder;
  /** Only above it the autoencoder suspects a window at all. */
  suspectAbove: number;
  /** What the autoencoder's scores of the training windows say of rare ones. */
  fleet: ScoreTail;
  forestFit: Calibration;
  autoencoderFit: Calibration;
}

/** Trains both on what may be learnt; the forest goes into the engine. */
export async function trainModels(
  scoring: Scoring,
  lessons: readonly Features[],
  { contamination }: Pick<GatewaySettings, 'contamination'>,
  seed: number,
): Promise<WindowModels> {
  const { engine, windowSeconds } = scoring;
  const { features, fingerprint } = engine;
  const columns = features.length;
  const { bytes, threshold, tail, values, scores } = await fitScope(lessons, {
    ...{ engine, seed, contamination, windowSeconds },
  });
  const forest = { scope: 'device', payload: bytes, threshold, metrics: { ...tail } } as const;
  const learned = [{ ...forest, rows: lessons.length, release: null }];
  useLearned(scoring, learned, 'evaluate');
  const trained = await trainAutoencoder(thinned(values, columns), columns, { seed, fingerprint });
  const autoencoder = Autoencoder.load(trained.onnx);
  const errors = autoencoder.score(values);
  return {
    autoencoder,
    suspectAbove: trained.threshold,
    fleet: scoreTail(errors, meanFrequency(values, columns), windowSeconds),
    forestFit: Calibration.fit(scores),
    autoencoderFit: Calibration.fit(errors),
  };
}
