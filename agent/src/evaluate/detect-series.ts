/**
 * Every detector on one series: levels and models learn from the training rows alone, which are taken as normal, then
 * all rows are scored in their order. The window models see each column beside statistics of its last ten samples.
 * Each score becomes −log10 of a tail probability by its own training scores; the ensemble sums the squares, of
 * frozen models only as much as their training rows support. Labels are not at hand here.
 */
import { Baseline, Calibration, combineTails, TwoSpeed } from '@lineheron/native';
import { EXIT, ExitError } from '../exit-code.js';
import { autoencoderScores, forestScores } from './fitted.js';
import { windowColumns, windowRows } from './window-rows.js';

/** Rows in their order; the first `training` of them are learnt from. */
export interface Series {
  columns: readonly string[];
  rows: Float64Array;
  timesMs: Float64Array;
  training: number;
}

/** One detector on the rows after the training ones: raw scores, and −log10 p for the operating threshold. */
export interface Detected {
  method: string;
  scores: Float64Array;
  tails: Float64Array;
}

/** Fewest rows to learn from: a calibration needs as many scores. */
export const MIN_TRAINING = 20;
const FIRST_ROWS = 20;
/** Span of the exponential smoothing of window models and baseline. */
const SPAN = 19;
const TINY = 1e-6;

/** Exponentially weighted mean; NaN leaves it as it is. */
export function smoothed(scores: Float64Array, span = SPAN): Float64Array {
  const rate = 2 / (span + 1);
  let state = Number.NaN;
  return scores.map((score) => {
    if (Number.isNaN(state)) state = score;
    else if (!Number.isNaN(score)) state += rate * (score - state);
    return state;
  });
}

/** The detectors' opinions. Throws ExitError when there are too few rows to learn from. */
export async function detectSeries(series: Series, seed: number): Promise<Detected[]> {
  const { columns, rows, timesMs, training } = series;
  if (training < MIN_TRAINING) {
    throw new ExitError(EXIT.data, `only ${training} rows to learn from, ${MIN_TRAINING} are needed`);
  }
  const { slow, fast } = levels(rows, columns.length, training);
  const nats = new Baseline(columns.map(() => 'gauge')).push(rows, timesMs);
  const wide = windowRows(rows, columns.length);
  const names = windowColumns(columns);
  const learnt = wide.subarray(0, training * names.length);
  const forest = smoothed(await forestScores(learnt, wide, names, seed));
  const errors = await autoencoderScores(learnt, wide, names.length, seed);
  const autoencoder = smoothed(errors.map((error) => Math.log(error + TINY)));
  const [slowFit, fastFit] = [fit(slow, training), fit(fast, training)];
  const [forestFit, autoencoderFit] = [fit(forest, training), fit(autoencoder, training)];
  const twoSpeed = combineTails([slowFit.tails(slow), fastFit.tails(fast)]);
  const ensemble = combineTails([
    slowFit.tails(slow),
    fastFit.tails(fast),
    autoencoderFit.trusted(autoencoder),
    forestFit.trusted(forest),
  ]);
  const judged = (method: string, scores: Float64Array): Detected => {
    const tails = fit(scores, training).tails(scores);
    return { method, scores: scores.slice(training), tails: tails.slice(training) };
  };
  // Its surprise already is a probability, in nats; only the ranking is smoothed.
  const own = {
    scores: smoothed(nats).slice(training),
    tails: nats.slice(training).map((n) => n / Math.LN10),
  };
  return [
    { method: 'adaptive_baseline', ...own },
    judged('two_speed', twoSpeed),
    judged('isolation_forest', forest),
    judged('autoencoder', autoencoder),
    judged('ensemble', ensemble),
  ];
}

function levels(rows: Float64Array, columns: number, training: number) {
  const first = Math.min(FIRST_ROWS, Math.floor(training / 2));
  return new TwoSpeed(columns, rows.subarray(0, first * columns)).push(rows);
}

/** What the training rows say is normal. */
function fit(scores: Float64Array, training: number): Calibration {
  return Calibration.fit(scores.subarray(0, training));
}
