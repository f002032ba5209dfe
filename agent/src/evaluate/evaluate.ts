/**
 * Labelled files through every detector and the ensemble, beside chance and permanent alarm. Labels are only read to
 * count what was found; fits, thresholds and choices are made without them, by one set of defaults for every file.
 */
import { EXIT, ExitError } from '../exit-code.js';
import type { Labelled } from './csv.js';
import { type Detected, detectSeries } from './detect-series.js';
import { detectTable } from './detect-table.js';
import { stepMs, type Timeline } from './episodes.js';
import { combined, type Figures, figuresOf, mean, standardDeviation, type Verdict } from './figures.js';
import type { GatewaySettings } from './gateway.js';
import { judgeRecords } from './records.js';

export type Mode = 'records' | 'series' | 'table';

interface RowsJob {
  name: string;
  mode: 'series' | 'table';
  data: Labelled;
  /** Rows to learn from that are not in `data`; null: the first part of it. */
  training: Labelled | null;
}

/** One file as it is to be judged. */
export type Job = RowsJob | { name: string; mode: 'records'; bytes: Buffer; training: Buffer | null };

export interface Settings {
  seeds: number;
  /** Of the rows, where no training file is given, 0–1; the rest is judged. Tables learn from all. */
  trainFraction: number;
  /** False alert episodes per device and day. */
  budget: number;
  /** How records are judged; default as an agent with nothing configured. */
  gateway?: GatewaySettings;
}

/** What is judged of one file: its rows in time, and every detector's scores and alarms. */
export interface Judged {
  timeline: Timeline;
  hasTime: boolean;
  detected: readonly Verdict[];
  /** −log10 p from which on a row alarms; chance keeps to it too. */
  threshold: number;
  /** Lines of records that could not be used, by reason. */
  refused?: Record<string, number>;
}

export interface MethodResult {
  method: string;
  mean: Figures;
  /** Over seeds. */
  sd: Figures;
}

export interface EvaluationResult {
  v: 1;
  seeds: number;
  files: {
    name: string;
    mode: Mode;
    rows: number;
    anomalous: number;
    refused?: Record<string, number>;
    methods: MethodResult[];
  }[];
  /** Means over the files. */
  methods: MethodResult[];
}

/** In a table there are no days: the highest tenth alarms, as a forest's default contamination has it. */
const TABLE_THRESHOLD = 1;
const DAY_MS = 86_400_000;

/** Runs it. Throws ExitError when a file cannot be judged. */
export async function evaluate(jobs: readonly Job[], settings: Settings): Promise<EvaluationResult> {
  // By seed, by file, by method.
  const all: Map<string, Figures>[][] = [];
  const files: Omit<EvaluationResult['files'][number], 'methods'>[] = [];
  for (let seed = 1; seed <= settings.seeds; seed += 1) {
    const bySeed: Map<string, Figures>[] = [];
    for (const job of jobs) {
      const judged = await judge(job, settings, seed);
      const figures = new Map<string, Figures>();
      for (const verdict of withChance(judged, seed))
        figures.set(verdict.method, figuresOf(verdict, judged.timeline, judged.hasTime));
      bySeed.push(figures);
      if (seed === 1) files.push(summary(job, judged));
    }
    all.push(bySeed);
  }
  const perFile = files.map((file, at) => ({ ...file, methods: results(all.map((seed) => [seed[at]!])) }));
  return { v: 1, seeds: settings.seeds, files: perFile, methods: results(all) };
}

function summary({ name, mode }: Job, { timeline: { labels }, refused }: Judged) {
  let anomalous = 0;
  for (let row = 0; row < labels.length; row += 1) anomalous += labels[row] === 1 ? 1 : 0;
  return { name, mode, rows: labels.length, anomalous, ...(refused ? { refused } : {}) };
}

/** Means over files within a seed, then mean and spread over seeds. */
function results(bySeed: readonly (readonly Map<string, Figures>[])[]): MethodResult[] {
  const methods = [...new Set(bySeed.flat().flatMap((figures) => [...figures.keys()]))];
  return methods.map((method) => {
    const means = bySeed.map((files) => {
      const found = files.map((figures) => figures.get(method)).filter((figures) => figures !== undefined);
      return combined(found, mean);
    });
    return { method, mean: combined(means, mean), sd: combined(means, standardDeviation) };
  });
}

async function judge(job: Job, settings: Settings, seed: number): Promise<Judged> {
  try {
    if (job.mode === 'records') return { ...(await judgeRecords(job, settings, seed)), hasTime: true };
    return job.mode === 'table' ? await judgeTable(job, seed) : await judgeSeries(job, settings, seed);
  } catch (error) {
    const code = error instanceof ExitError ? error.code : EXIT.data;
    throw new ExitError(code, `${job.name}: ${error instanceof Error ? error.message : String(error)}`);
  }
}

async function judgeTable({ data }: RowsJob, seed: number): Promise<Judged> {
  const detected = await detectTable(data.columns, data.rows, seed);
  const timesMs = new Float64Array(data.count);
  const timeline = { labels: data.labels, timesMs, first: new Uint8Array(data.count) };
  return {
    timeline,
    hasTime: false,
    detected: alarming(detected, TABLE_THRESHOLD),
    threshold: TABLE_THRESHOLD,
  };
}

async function judgeSeries(job: RowsJob, settings: Settings, seed: number): Promise<Judged> {
  const { rows, timesMs, training } = joined(job, settings.trainFraction);
  const detected = await detectSeries({ columns: job.data.columns, rows, timesMs, training }, seed);
  const judged = timesMs.length - training;
  const labels = job.data.labels.slice(job.data.count - judged);
  const timeline = {
    labels,
    timesMs: timesMs.slice(training),
    first: Uint8Array.from(labels, (_, row) => (row === 0 ? 1 : 0)),
  };
  const rowsPerDay = DAY_MS / Math.max(1, stepMs(timeline));
  const threshold = Math.log10(Math.max(1, rowsPerDay / settings.budget));
  return { timeline, hasTime: true, detected: alarming(detected, threshold), threshold };
}

function alarming(detected: readonly Detected[], threshold: number): Verdict[] {
  return detected.map(({ method, scores, tails }) => ({
    method,
    scores,
    alarms: Array.from(tails, (tail) => tail >= threshold),
  }));
}

/** Training rows, then those to judge. */
function joined({ data, training }: RowsJob, fraction: number) {
  const timesMs = data.timesMs ?? Float64Array.from(data.labels, (_, row) => row * 1000);
  if (!training) return { rows: data.rows, timesMs, training: Math.floor(data.count * fraction) };
  if (training.columns.join() !== data.columns.join())
    throw new ExitError(EXIT.data, `its columns are not those of ${training.name}`);
  const rows = concat(training.rows, data.rows);
  const step = stepMs({ labels: data.labels, timesMs, first: [] });
  const startMs = (timesMs[0] ?? 0) - training.count * step;
  const before = training.timesMs ?? Float64Array.from(training.labels, (_, row) => startMs + row * step);
  return { rows, timesMs: concat(before, timesMs), training: training.count };
}

function concat(before: Float64Array, after: Float64Array): Float64Array {
  const all = new Float64Array(before.length + after.length);
  all.set(before);
  all.set(after, before.length);
  return all;
}

/** The detectors, then chance at the same threshold and permanent alarm. */
function withChance({ detected, threshold, timeline }: Judged, seed: number): Verdict[] {
  const random = generator(seed);
  const chance = new Float64Array(timeline.labels.length).map(() => -Math.log10(1 - random()));
  const constant = new Float64Array(chance.length);
  return [
    ...detected,
    ...alarming([{ method: 'random', scores: chance, tails: chance }], threshold),
    { method: 'always_alarm', scores: constant, alarms: Array.from(constant, () => true) },
  ];
}

/** Uniform in [0, 1) by seed (Steele, Lea, Flood 2014, SplitMix in 32 bits). */
function generator(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x9e3779b9) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 16), 0x21f0aaad);
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
    return ((mixed ^ (mixed >>> 15)) >>> 0) / 4_294_967_296;
  };
}
