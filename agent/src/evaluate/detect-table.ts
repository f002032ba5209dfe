/**
 * Every detector on a table of independent rows: fitted on the whole table and then asked about it, without labels.
 * Each score becomes −log10 of its tail probability among all rows; the ensemble is their sum.
 */
import { Calibration, marginalScores } from '@lineheron/native';
import type { Detected } from './detect-series.js';
import { autoencoderScores, forestScores } from './fitted.js';

/** The detectors' opinions of all rows. Throws when there are fewer than twenty. */
export async function detectTable(
  columns: readonly string[],
  rows: Float64Array,
  seed: number,
): Promise<Detected[]> {
  const raw: [string, Float64Array][] = [
    ['marginal', marginalScores(rows, columns.length)],
    ['isolation_forest', await forestScores(rows, rows, columns, seed)],
    ['autoencoder', await autoencoderScores(rows, rows, columns.length, seed)],
  ];
  const detected = raw.map(([method, scores]) => ({ method, scores, tails: tailsOf(scores) }));
  const sum = new Float64Array(rows.length / columns.length).map((_, row) =>
    detected.reduce((total, { tails }) => total + tails[row]!, 0),
  );
  return [...detected, { method: 'ensemble', scores: sum, tails: tailsOf(sum) }];
}

function tailsOf(scores: Float64Array): Float64Array {
  return Calibration.fit(scores).tails(scores);
}
