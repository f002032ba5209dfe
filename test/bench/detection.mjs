#!/usr/bin/env node
/**
 * `npm run bench:detection`: what each detector and the ensemble find on simulated lines, at default settings, in
 * simulated time. For each seed a gateway with four devices warms up for a window's length, is trained on 60 s, then
 * watched. The generator, engine, pipeline, trainers, thresholds and counting are those of production; nothing is
 * tuned to a seed. By itself a window model has its classic threshold; in the ensemble what the alert budget allows.
 * `base` are the generator's lines, for which the goals are; the others are less kind (harder-lines.mjs).
 *
 *   npm run bench:detection -- [--seeds 20] [--hours 6] [--strength 1,0.3] [--training 60] [--json FILE]
 *     [--lines base,tails,daily,regimes,correlated,all]
 */
import { writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { budgetOfDetector, scoreTail, thresholdForBudget } from '@lineheron/models';
import { Autoencoder, trainAutoencoder } from '@lineheron/native';
import { EventClock } from '../../agent/dist/score/device-clock.js';
import { Forests } from '../../agent/dist/score/forests.js';
import { MAX_DEVICES, Scoring } from '../../agent/dist/score/scoring.js';
import { Generator } from '../../agent/dist/source/generator.js';
import { QualityTracker } from '../../collector/dist/quality/quality-tracker.js';
import { harderLines, LINES } from './harder-lines.mjs';

const DEVICES = ['modem-1', 'modem-2', 'modem-3', 'modem-4'];
const FAULTS = ['latency_spike', 'packet_loss', 'error_storm', 'traffic_anomaly'];
const MODELS = ['isolation_forest', 'adaptive_baseline', 'autoencoder', 'ensemble'];
const WINDOW_S = 30;
const FOUND_WITHIN_S = 10;
/** Simulated seconds a chunk of lines. */
const CHUNK_S = 60;
const BUDGET = 0.2;
const DETECTION = { detecting: true, activeModel: 'ensemble', budget: BUDGET, threshold: null };
const START_MS = Date.UTC(2026, 0, 5, 8);

const { values: options } = parseArgs({
  options: {
    seeds: { type: 'string', default: '20' },
    hours: { type: 'string', default: '6' },
    strength: { type: 'string', default: '1,0.3' },
    training: { type: 'string', default: '60' },
    lines: { type: 'string', default: LINES.join(',') },
    json: { type: 'string' },
  },
});

const log = { debug() {}, info() {}, warn() {}, error: (...args) => console.error(...args) };

/** A model store that keeps nothing: the forest goes straight into use. */
const noStore = {
  save: async (draft, payload) => ({ ...draft, release: 1, sha256: '', size_bytes: payload.length }),
};

/** One gateway: simulated seconds in, its device windows out. */
class Gateway {
  constructor({ lines, strength }, seed, faults) {
    this.harder = harderLines(lines, seed);
    this.generator = new Generator({
      devices: DEVICES,
      seed,
      anomalies: 'episodes',
      anomalyProbability: 0.05,
      strength,
      ...(faults ? { faults } : {}),
    });
    this.second = 0;
    this.scored = [];
    this.lessons = [];
    this.scoring = new Scoring({
      engine: { windowSeconds: WINDOW_S, channels: [], publishRecords: 'none', hopSeconds: 1 },
      detection: { ...DETECTION, detecting: false },
      ...{ agent: 'bench', boot: '0123456789abcdef' },
      maintenance: () => [],
      clock: new EventClock(MAX_DEVICES),
      nowMs: () => START_MS + this.second * 1000,
      onWindow: (scope, endMs, features) => scope === 'device' && this.lessons.push({ endMs, features }),
      onScored: ({ wire }) => wire.scope === 'device' && this.scored.push(wire),
      onEngineError: (error) => {
        throw error;
      },
    });
  }

  /** The windows of the next `seconds`, in their order. */
  next(seconds) {
    let lines = '';
    for (let end = this.second + seconds; this.second < end; this.second++) {
      const timeMs = START_MS + this.second * 1000;
      for (const record of this.harder(this.generator.at(timeMs), timeMs))
        lines += `${JSON.stringify(record)}\n`;
    }
    this.scoring.pipeline.push({ bytes: Buffer.from(lines), emit: true, position: null });
    this.scoring.pipeline.take();
    const { scored } = this;
    this.scored = [];
    return scored;
  }

  /** Trains both window models on the normal windows of the next `seconds`, at default settings. */
  async train(seconds) {
    const { engine } = this.scoring;
    this.lessons = [];
    this.next(seconds);
    const { lessons } = this;
    const forests = new Forests({
      scoring: this.scoring,
      store: noStore,
      agent: 'bench',
      contamination: 0.1,
      seed: 1,
      nowMs: () => START_MS,
      monotonicMs: () => performance.now(),
      log,
    });
    const fitted = await forests.fit('device', lessons);
    await forests.install(fitted);
    this.forestThreshold = fitted.draft.threshold;
    const rows = Float64Array.from(
      lessons.flatMap(({ features }) => features.map((value) => value ?? Number.NaN)),
    );
    const columns = engine.features.length;
    const trained = await trainAutoencoder(rows, columns, { seed: 1, fingerprint: engine.fingerprint });
    this.autoencoder = Autoencoder.load(trained.onnx);
    this.threshold = trained.threshold;
    const tail = scoreTail(trained.scores, 1, WINDOW_S);
    this.rareAbove =
      thresholdForBudget(tail, budgetOfDetector('autoencoder', 'ensemble', BUDGET)) ??
      Number.POSITIVE_INFINITY;
    this.scoring.setDetection(DETECTION);
    this.lessons = { push() {} };
  }

  /** All opinions of the windows of the next `seconds`. */
  judge(seconds) {
    const windows = this.next(seconds);
    const rows = Float64Array.from(
      windows.flatMap(({ features }) => features.map((value) => value ?? Number.NaN)),
    );
    const scores = this.autoencoder.score(rows);
    return windows.map((window, index) => {
      const rare = scores[index] > this.rareAbove;
      return {
        line: window.device,
        endMs: Date.parse(window.end),
        truth: window.is_anomaly ?? null,
        windowMs: WINDOW_S * 1000,
        isolation_forest: (window.score ?? 0) > this.forestThreshold,
        adaptive_baseline: window.detectors.includes('adaptive_baseline'),
        autoencoder: scores[index] > this.threshold,
        ensemble: window.suspect || rare,
      };
    });
  }
}

async function trained(task, seed, faults) {
  const gateway = new Gateway(task, seed, faults);
  gateway.next(WINDOW_S);
  await gateway.train(task.training);
  return gateway;
}

/** A detector's opinion as the tracker takes one. */
const opinionOf = ({ line, endMs, truth, windowMs, ...found }, model) => ({
  line,
  endMs,
  truth,
  windowMs,
  forest: found[model],
  baseline: null,
  autoencoder: null,
  anomalous: found[model],
});

/** Random faults for hours: the usual quality figures. */
async function watch(task, seed) {
  const gateway = await trained(task, seed);
  const trackers = MODELS.map(() => new QualityTracker(0));
  for (let second = 0; second < hours * 3600; second += CHUNK_S) {
    for (const window of gateway.judge(CHUNK_S)) {
      for (const [index, model] of MODELS.entries()) trackers[index].add(opinionOf(window, model));
    }
  }
  return Object.fromEntries(MODELS.map((model, index) => [model, trackers[index].view().isolation_forest]));
}

/** One fault of each kind on an otherwise healthy gateway: which detectors suspect its device within ten seconds. */
async function findFaults(task, seed) {
  const { strength, training } = task;
  const startS = WINDOW_S + training + 60;
  const faults = FAULTS.map((type, index) => {
    const startMs = START_MS + (startS + index * 120) * 1000;
    return { device: DEVICES[index], type, strength, startMs, endMs: startMs + 30_000 };
  });
  const gateway = await trained(task, seed, faults);
  const found = Object.fromEntries(MODELS.map((model) => [model, new Set()]));
  const endS = startS + faults.length * 120;
  for (const window of gateway.judge(endS - gateway.second)) {
    const fault = faults.find(
      ({ device, startMs }) =>
        device === window.line && window.endMs >= startMs && window.endMs < startMs + FOUND_WITHIN_S * 1000,
    );
    if (fault) for (const model of MODELS) if (window[model]) found[model].add(fault.type);
  }
  return found;
}

const median = (values) => {
  const known = values.filter((value) => value !== null).sort((a, b) => a - b);
  return known.length === 0 ? null : known[Math.floor(known.length / 2)];
};

async function summarise(task) {
  const views = [];
  const faults = [];
  for (let seed = 1; seed <= seeds; seed++) {
    views.push(await watch(task, seed));
    faults.push(await findFaults(task, seed));
  }
  return MODELS.map((model) => {
    const sum = (part, name) => views.reduce((total, view) => total + view[model][part][name], 0);
    const alerts = sum('episodes', 'alerts');
    const wrong = sum('episodes', 'false_alerts');
    const [hits, misses] = [sum('records', 'true_positives'), sum('records', 'false_negatives')];
    return {
      lines: task.lines,
      strength: task.strength,
      training_s: task.training,
      model,
      episode_recall: sum('episodes', 'found') / sum('episodes', 'true_episodes'),
      episode_precision: alerts === 0 ? null : (alerts - wrong) / alerts,
      false_episodes_per_gateway_hour: wrong / (seeds * hours),
      delay_p50_s: median(views.map((view) => view[model].episodes.delay_p50_s)),
      record_precision: hits === 0 ? null : hits / (hits + sum('records', 'false_positives')),
      record_recall: hits / (hits + misses),
      faults_found_within_10_s:
        faults.reduce((total, found) => total + found[model].size, 0) / (seeds * FAULTS.length),
    };
  });
}

const numbers = (text) => text.split(',').map(Number);
const seeds = Number(options.seeds);
const hours = Number(options.hours);
console.log(
  `${cpus()[0]?.model ?? 'unknown CPU'}, Node ${process.versions.node}; ${seeds} seeds × ${hours} h`,
);
const rows = [];
for (const lines of options.lines.split(',')) {
  if (!LINES.includes(lines)) throw new Error(`there are no lines "${lines}", only ${LINES.join(', ')}`);
  for (const strength of numbers(options.strength))
    for (const training of numbers(options.training))
      rows.push(...(await summarise({ lines, strength, training })));
}
console.table(
  rows.map((row) =>
    Object.fromEntries(
      Object.entries(row).map(([name, value]) => [
        name,
        typeof value === 'number' ? Number(value.toFixed(3)) : value,
      ]),
    ),
  ),
);
if (options.json) writeFileSync(options.json, `${JSON.stringify(rows, null, 2)}\n`);
