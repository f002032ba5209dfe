/** One way to fit a forest on windows, for the running agent and for a replay: the same rows and seed, the same forest. */
import { DEFAULT_WINDOW_SECONDS, meanFrequency, type ScoreTail, scoreTail } from '@lineheron/models';
import { type Engine, type FittedForest, Forest, fitForest } from '@lineheron/native';

/** Fewer windows than this say too little of what is normal. */
export const MIN_TRAINING_ROWS = 30;

export interface FitOptions {
  engine: Pick<Engine, 'features' | 'fingerprint'>;
  seed: number;
  /** Share of the rows taken as anomalous, 0–0.5. */
  contamination: number;
  /** Default 30. */
  windowSeconds?: number;
}

export interface FittedScope extends FittedForest {
  /** The rows, one after the other, NaN where unknown, and the forest's score of each. */
  values: Float64Array;
  scores: Float64Array;
  /** What its own windows say of rare scores: the alert budget's threshold comes from it. */
  tail: ScoreTail;
}

/** Fits on the windows' features in the engine's order; null is unknown. Off the JavaScript thread, but for the tail. */
export async function fitScope(
  rows: readonly (readonly (number | null)[])[],
  { engine, seed, contamination, windowSeconds = DEFAULT_WINDOW_SECONDS }: FitOptions,
): Promise<FittedScope> {
  const { features, fingerprint } = engine;
  const values = matrix(rows, features.length);
  const fitted = await fitForest(values, { fingerprint, features, seed, contamination });
  const scores = Forest.load(fitted.bytes).scoreBatch(values);
  const tail = scoreTail(scores, meanFrequency(values, features.length), windowSeconds);
  return { ...fitted, values, scores, tail };
}

function matrix(rows: readonly (readonly (number | null)[])[], columns: number): Float64Array {
  const values = new Float64Array(rows.length * columns).fill(Number.NaN);
  rows.forEach((features, row) => {
    features.forEach((value, column) => {
      if (value !== null) values[row * columns + column] = value;
    });
  });
  return values;
}
