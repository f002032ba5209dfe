/** The two models that are fitted on rows, as production fits them, and their scores. Native code does all of it. */
import { Autoencoder, Forest, fitForest, trainAutoencoder } from '@lineheron/native';

/** A training set larger than this is thinned evenly: more rows take time and change little. */
export const MAX_TRAINING_ROWS = 8_192;

/** At most so many row-major rows, evenly spread. */
export function thinned(rows: Float64Array, columns: number, most = MAX_TRAINING_ROWS): Float64Array {
  const count = rows.length / columns;
  if (count <= most) return rows;
  const out = new Float64Array(most * columns);
  for (let at = 0; at < most; at += 1) {
    const row = Math.floor((at * count) / most);
    out.set(rows.subarray(row * columns, (row + 1) * columns), at * columns);
  }
  return out;
}

/** A forest fitted on `training`, then the scores of `rows`. */
export async function forestScores(
  training: Float64Array,
  rows: Float64Array,
  columns: readonly string[],
  seed: number,
): Promise<Float64Array> {
  const features = columns.map((name) => ({ name, unit: '' }));
  const fitted = await fitForest(training, { fingerprint: 'evaluate', features, seed });
  return Forest.load(fitted.bytes).score(rows);
}

/** An autoencoder trained on `training`, then the scores of `rows`. */
export async function autoencoderScores(
  training: Float64Array,
  rows: Float64Array,
  columns: number,
  seed: number,
): Promise<Float64Array> {
  const { onnx } = await trainAutoencoder(thinned(training, columns), columns, { seed });
  return Autoencoder.load(onnx).score(rows);
}
