/**
 * Canonical JSON lines with `is_anomaly` through the engine of production, at its defaults: the first part, or another
 * file of what came before, is taken as normal and trains forest and autoencoder, the rest is judged window by window,
 * one for each record. Alarms are those
 * of production within the alert budget, with the devices' own thresholds of the forest; the lines' own of the
 * autoencoder are the collector's, and are not here. Labels come out with the windows and go nowhere but to the count.
 */
import { budgetOfDetector, meanFrequency, scoreTail, thresholdForBudget } from '@lineheron/models';
import {
  Autoencoder,
  Calibration,
  combineTails,
  Engine,
  trainAutoencoder,
  type WindowResult,
} from '@lineheron/native';
import { EXIT, ExitError } from '../exit-code.js';
import { fitScope } from '../score/fit.js';
import { fleetTail, forestThreshold } from '../score/forests.js';
import { stepMs, type Timeline } from './episodes.js';
import type { Verdict } from './figures.js';
import { thinned } from './fitted.js';

export interface RecordsJudged {
  timeline: Timeline;
  detected: Verdict[];
  /** −log10 p that the alert budget allows at the records' rate. */
  threshold: number;
  /** Lines that could not be used, by reason. */
  refused: Record<string, number>;
}

const WINDOW_SECONDS = 30;
const DAY_MS = 86_400_000;
/** Later than any line, so that none is ahead of its arrival. */
const FAR_MS = Date.UTC(9000, 0, 1);
const MIN_WINDOWS = 30;
const LINE_FEED = 10;
/** Share of the training windows that a forest by itself takes as anomalous; the budget does not ask for it. */
const CONTAMINATION = 0.1;

/** Judges the lines behind `training`, or behind their first `trainFraction`. Throws ExitError when too few can be used. */
export async function judgeRecords(
  { bytes, training }: { bytes: Buffer; training: Buffer | null },
  { trainFraction, budget }: { trainFraction: number; budget: number },
  seed: number,
): Promise<RecordsJudged> {
  const engine = new Engine({ windowSeconds: WINDOW_SECONDS, hopSeconds: 0, publishRecords: 'none' });
  const split = training ? 0 : bytes.indexOf(LINE_FEED, Math.floor(bytes.length * trainFraction)) + 1;
  const lessons = windowsOf(engine, training ?? bytes.subarray(0, split));
  if (lessons.length < MIN_WINDOWS) throw tooFew(engine, lessons.length);
  const models = await train(engine, lessons, budget, seed);
  const judged = byDevice(
    windowsOf(engine, bytes.subarray(split)).filter(({ isAnomaly }) => isAnomaly !== null),
  );
  if (judged.length === 0)
    throw new ExitError(
      EXIT.data,
      `no record behind the training part has is_anomaly${refusals(refusedOf(engine))}`,
    );
  const timeline = timelineOf(judged);
  const rowsPerDay = DAY_MS / Math.max(1, stepMs(timeline));
  const threshold = Math.log10(Math.max(1, rowsPerDay / budget));
  return { timeline, detected: verdicts(judged, models), threshold, refused: refusedOf(engine) };
}

function tooFew(engine: Engine, windows: number): ExitError {
  const { lines, records } = engine.counters();
  const why = refusals(refusedOf(engine));
  return new ExitError(
    EXIT.data,
    `only ${windows} windows to learn from, ${MIN_WINDOWS} are needed: ${lines} lines, ${records} records${why}`,
  );
}

function refusedOf(engine: Engine): Record<string, number> {
  const { refused, tooLong, late } = engine.counters();
  const all = Object.entries({ ...refused, too_long: tooLong, late });
  return Object.fromEntries(all.filter(([, count]) => count > 0));
}

/** As the end of a sentence. */
export function refusals(refused: Readonly<Record<string, number>>): string {
  return Object.entries(refused)
    .map(([reason, count]) => `, ${count} ${reason}`)
    .join('');
}

/** The devices' full windows in these lines. */
function windowsOf(engine: Engine, bytes: Buffer): WindowResult[] {
  const last =
    bytes.at(-1) === LINE_FEED || bytes.length === 0 ? bytes : Buffer.concat([bytes, Buffer.of(LINE_FEED)]);
  const windows: WindowResult[] = [];
  for (let rest = last; rest.length > 0; ) {
    const pushed = engine.push(rest, FAR_MS, true);
    for (const window of pushed.windows)
      if (window.scope === 'device' && window.state !== 'warming_up') windows.push(window);
    if (pushed.consumedBytes === 0) break;
    rest = rest.subarray(pushed.consumedBytes);
  }
  return windows;
}

function featureRows(windows: readonly WindowResult[]): Float64Array {
  return Float64Array.from(windows.flatMap(({ features }) => features.map((value) => value ?? Number.NaN)));
}

interface Models {
  autoencoder: Autoencoder;
  forestFit: Calibration;
  autoencoderFit: Calibration;
  /** The score above which it is heard within the budget. */
  autoencoderAbove: number;
}

/** Trains both window models as production does and puts the forest into the engine, with the thresholds that it has there. */
async function train(
  engine: Engine,
  lessons: readonly WindowResult[],
  budget: number,
  seed: number,
): Promise<Models> {
  const { features, fingerprint } = engine;
  const columns = features.length;
  const plan = { engine, seed, contamination: CONTAMINATION, windowSeconds: WINDOW_SECONDS };
  const fitted = await fitScope(
    lessons.map((window) => window.features),
    plan,
  );
  const { onnx } = await trainAutoencoder(thinned(fitted.values, columns), columns, { seed, fingerprint });
  const autoencoder = Autoencoder.load(onnx);
  const errors = autoencoder.score(fitted.values);
  const model = { scope: 'device', threshold: fitted.threshold, metrics: { ...fitted.tail } } as const;
  engine.setForest('device', fitted.bytes);
  engine.setThreshold('device', forestThreshold(model, 'ensemble', budget));
  engine.setFleetTail(fleetTail(model, 'ensemble', budget));
  engine.setActive('ensemble');
  engine.setBudget(budgetOfDetector('adaptive_baseline', 'ensemble', budget));
  engine.setDetecting(true);
  const tail = scoreTail(errors, meanFrequency(fitted.values, columns), WINDOW_SECONDS);
  return {
    autoencoder,
    forestFit: Calibration.fit(fitted.scores),
    autoencoderFit: Calibration.fit(errors),
    autoencoderAbove:
      thresholdForBudget({ ...tail }, budgetOfDetector('autoencoder', 'ensemble', budget)) ??
      Number.POSITIVE_INFINITY,
  };
}

/** Device after device, each in its order. */
function byDevice(windows: readonly WindowResult[]): WindowResult[] {
  const devices = new Map<string, WindowResult[]>();
  for (const window of windows) {
    const its = devices.get(window.device);
    if (its) its.push(window);
    else devices.set(window.device, [window]);
  }
  return [...devices.values()].flat();
}

function timelineOf(windows: readonly WindowResult[]): Timeline {
  return {
    labels: Uint8Array.from(windows, ({ isAnomaly }) => (isAnomaly ? 1 : 0)),
    timesMs: Float64Array.from(windows, ({ endMs }) => endMs),
    first: Uint8Array.from(windows, ({ device }, at) => (windows[at - 1]?.device === device ? 0 : 1)),
  };
}

function verdicts(windows: readonly WindowResult[], models: Models): Verdict[] {
  const strangeness = Float64Array.from(windows, ({ baseline }) => baseline?.strangeness ?? Number.NaN);
  const forest = Float64Array.from(windows, ({ score }) => score ?? Number.NaN);
  const errors = models.autoencoder.score(featureRows(windows));
  const rare = Array.from(errors, (error) => error > models.autoencoderAbove);
  const own = strangeness.map((value) => value / Math.LN10);
  return [
    {
      method: 'adaptive_baseline',
      scores: strangeness,
      alarms: windows.map(({ baseline }) => baseline?.suspect === true),
    },
    { method: 'isolation_forest', scores: forest, alarms: windows.map(({ forestSuspect }) => forestSuspect) },
    { method: 'autoencoder', scores: errors, alarms: rare },
    {
      method: 'ensemble',
      scores: combineTails([own, models.forestFit.trusted(forest), models.autoencoderFit.trusted(errors)]),
      alarms: windows.map(({ suspect }, at) => suspect || rare[at] === true),
    },
  ];
}
