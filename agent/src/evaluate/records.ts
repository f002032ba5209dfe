/**
 * Canonical JSON lines with `is_anomaly` through the whole pipeline of production: the first part, or another file of
 * what came before, trains forest and autoencoder, as far as its windows are normal; the rest is judged window by window,
 * one for each record. Alarms are those of production within the alert budget, with the lines' own thresholds of forest
 * and autoencoder, and are told as its episodes. Labels come out with the windows and go nowhere but to the count.
 */
import { budgetOfDetector } from '@lineheron/models';
import { combineTails, type Engine } from '@lineheron/native';
import { EXIT, ExitError } from '../exit-code.js';
import { MIN_TRAINING_ROWS } from '../score/fit.js';
import { stepMs, type Timeline } from './episodes.js';
import type { Verdict } from './figures.js';
import { DEFAULT_GATEWAY, Gateway, type GatewaySettings, type JudgedWindow } from './gateway.js';
import { heldEpisodes } from './held-episodes.js';
import { LineTails } from './line-tails.js';
import { trainModels, type WindowModels } from './window-models.js';

export interface RecordsJudged {
  timeline: Timeline;
  detected: Verdict[];
  /** −log10 p that the alert budget allows at the records' rate. */
  threshold: number;
  /** Lines that could not be used, by reason. */
  refused: Record<string, number>;
}

interface RecordsSettings {
  trainFraction: number;
  budget: number;
  gateway?: GatewaySettings;
}

const DAY_MS = 86_400_000;
const LINE_FEED = 10;

/** Judges the lines behind `training`, or behind their first `trainFraction`. Throws ExitError when too few can be used. */
export async function judgeRecords(
  { bytes, training }: { bytes: Buffer; training: Buffer | null },
  { trainFraction, budget, gateway: settings = DEFAULT_GATEWAY }: RecordsSettings,
  seed: number,
): Promise<RecordsJudged> {
  const gateway = new Gateway(settings, budget);
  const { engine } = gateway;
  const split = training ? 0 : bytes.indexOf(LINE_FEED, Math.floor(bytes.length * trainFraction)) + 1;
  const { windows, lessons } = gateway.push(training ?? bytes.subarray(0, split));
  if (lessons.length < MIN_TRAINING_ROWS) throw tooFew(engine, windows.length, lessons.length);
  const models = await trainModels(gateway.scoring, lessons, settings, seed);
  const judged = byDevice(
    gateway.push(bytes.subarray(split)).windows.filter(({ isAnomaly }) => isAnomaly !== null),
  );
  if (judged.length === 0)
    throw new ExitError(
      EXIT.data,
      `no record behind the training part has is_anomaly${refusals(refusedOf(engine))}`,
    );
  const timeline = timelineOf(judged);
  const rowsPerDay = DAY_MS / Math.max(1, stepMs(timeline));
  const threshold = Math.log10(Math.max(1, rowsPerDay / budget));
  const tails = new LineTails(
    models.fleet,
    settings.windowSeconds * 1000,
    budgetOfDetector('autoencoder', 'ensemble', budget),
  );
  return { timeline, detected: verdicts(judged, models, tails), threshold, refused: refusedOf(engine) };
}

function tooFew(engine: Engine, windows: number, lessons: number): ExitError {
  const { lines, records } = engine.counters();
  const why = `${lines} lines, ${records} records, ${windows - lessons} windows of alerts or planned work`;
  return new ExitError(
    EXIT.data,
    `only ${lessons} windows to learn from, ${MIN_TRAINING_ROWS} are needed: ${why}${refusals(refusedOf(engine))}`,
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

function featureRows(windows: readonly JudgedWindow[]): Float64Array {
  return Float64Array.from(windows.flatMap(({ features }) => features.map((value) => value ?? Number.NaN)));
}

/** Device after device, each in its order. */
function byDevice(windows: readonly JudgedWindow[]): JudgedWindow[] {
  const devices = new Map<string, JudgedWindow[]>();
  for (const window of windows) {
    const its = devices.get(window.device);
    if (its) its.push(window);
    else devices.set(window.device, [window]);
  }
  return [...devices.values()].flat();
}

function timelineOf(windows: readonly JudgedWindow[]): Timeline {
  return {
    labels: Uint8Array.from(windows, ({ isAnomaly }) => (isAnomaly ? 1 : 0)),
    timesMs: Float64Array.from(windows, ({ endMs }) => endMs),
    first: Uint8Array.from(windows, ({ device }, at) => (windows[at - 1]?.device === device ? 0 : 1)),
    episodesOf: (alarms) => heldEpisodes(windows, alarms),
  };
}

/** Which windows the autoencoder alone is enough for; the lines' tails learn from the normal ones. */
function rareOnes(
  windows: readonly JudgedWindow[],
  errors: Float64Array,
  suspectAbove: number,
  tails: LineTails,
): boolean[] {
  return windows.map(({ device, endMs, episode }, at) => {
    const error = errors[at]!;
    const rare = error > suspectAbove && error > tails.above(device);
    if (episode === null) tails.learn(device, endMs, error);
    return rare;
  });
}

function verdicts(windows: readonly JudgedWindow[], models: WindowModels, tails: LineTails): Verdict[] {
  const strangeness = Float64Array.from(windows, ({ baseline }) => baseline?.strangeness ?? Number.NaN);
  const forest = Float64Array.from(windows, ({ score }) => score ?? Number.NaN);
  const errors = models.autoencoder.score(featureRows(windows));
  const rare = rareOnes(windows, errors, models.suspectAbove, tails);
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
