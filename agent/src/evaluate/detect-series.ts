/**
 * Every detector on one series: the adaptive baseline goes through all rows as it does in the engine; the window models
 * learn from the training rows alone, which are taken as normal, and see each column beside statistics of its last ten
 * samples. A window model's score becomes −log10 of a tail probability by its own training scores, and counts as much as
 * the training rows support; the ensemble ranks by the sum of squares, an autoencoder's tail counting three times: a
 * model that no longer learns is not moved by faults. Nothing is smoothed here: a window has its past in it, and what
 * lingers after a fault ranks above the next one. What alarms is learnt on from row to row, as thresholds of devices are
 * in production, and counts episodes as the budget does; the baseline alarms by its surprise. Labels are not at hand here.
 */
import { Baseline, Calibration, combineTails, runningTails } from '@lineheron/native';
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
/** What an autoencoder's tail counts; from two and a half to three the figures stay. */
const AUTOENCODER_PART = 3;
const TINY = 1e-6;

/** The detectors' opinions. Throws ExitError when there are too few rows to learn from. */
export async function detectSeries(series: Series, seed: number): Promise<Detected[]> {
  const { columns, rows, timesMs, training } = series;
  if (training < MIN_TRAINING) {
    throw new ExitError(EXIT.data, `only ${training} rows to learn from, ${MIN_TRAINING} are needed`);
  }
  const { nats, strangeness } = new Baseline(columns.map(() => 'gauge')).push(rows, timesMs);
  const wide = windowRows(rows, columns.length);
  const names = windowColumns(columns);
  const learnt = wide.subarray(0, training * names.length);
  const forest = await forestScores(learnt, wide, names, seed);
  const errors = await autoencoderScores(learnt, wide, names.length, seed);
  const autoencoder = errors.map((error) => Math.log(error + TINY));
  const [forestFit, autoencoderFit] = [fit(forest, training), fit(autoencoder, training)];
  const ensemble = combineTails([
    strangeness.map((n) => n / Math.LN10),
    autoencoderFit.trusted(autoencoder).map((tail) => AUTOENCODER_PART * tail),
    forestFit.trusted(forest),
  ]);
  const judged = (method: string, scores: Float64Array, tails: Float64Array): Detected => {
    return { method, scores: scores.slice(training), tails: runningTails(tails).slice(training) };
  };
  // Ranked by its strangeness; it alarms by its surprise, which is a probability, in nats.
  const own = {
    scores: strangeness.slice(training),
    tails: nats.slice(training).map((n) => n / Math.LN10),
  };
  return [
    { method: 'adaptive_baseline', ...own },
    judged('isolation_forest', forest, forestFit.tails(forest)),
    judged('autoencoder', autoencoder, autoencoderFit.tails(autoencoder)),
    judged('ensemble', ensemble, ensemble.map(Math.sqrt)),
  ];
}

/** What the training rows say is normal. */
function fit(scores: Float64Array, training: number): Calibration {
  return Calibration.fit(scores.subarray(0, training));
}
