#!/usr/bin/env node
/**
 * `npm run bench:detection`: what the three models find on simulated lines, at default settings, in simulated time.
 * For each seed a gateway with four devices warms up, is trained on 60 s (and, to compare, on 15 min), then watched.
 * The same generator, engine, trainer, ONNX session and counting as in production; nothing is tuned to a seed.
 *
 *   npm run bench:detection -- [--seeds 5] [--hours 2] [--json FILE]
 */
import { writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { Engine, fitForest, trainAutoencoder } from '@lineheron/native';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { Generator } from '../../agent/dist/source/generator.js';
import { QualityTracker } from '../../collector/dist/quality/quality-tracker.js';

const DEVICES = ['modem-1', 'modem-2', 'modem-3', 'modem-4'];
const FAULTS = ['latency_spike', 'packet_loss', 'error_storm', 'traffic_anomaly'];
const MODELS = ['isolation_forest', 'autoencoder', 'ensemble'];
const WARM_UP_S = 30;
const FOUND_WITHIN_S = 10;
const START_MS = Date.UTC(2026, 0, 5, 8);

const { values: options } = parseArgs({
  options: {
    seeds: { type: 'string', default: '5' },
    hours: { type: 'string', default: '2' },
    json: { type: 'string' },
  },
});

/** One gateway: records of one second in, its device windows out. */
class Gateway {
  constructor(seed, faults) {
    this.generator = new Generator({
      devices: DEVICES,
      seed,
      anomalies: 'episodes',
      anomalyProbability: 0.05,
      strength: 1,
      ...(faults ? { faults } : {}),
    });
    this.engine = new Engine({ publishRecords: 'none' });
    this.second = 0;
  }

  next() {
    const timeMs = START_MS + this.second++ * 1000;
    const lines = this.generator.at(timeMs).map((record) => `${JSON.stringify(record)}\n`);
    return this.engine
      .push(Buffer.from(lines.join('')), timeMs, true)
      .windows.filter(({ scope }) => scope === 'device');
  }

  /** Trains both detectors on the windows of the next `seconds`, at default settings. */
  async train(seconds) {
    const { features, fingerprint } = this.engine;
    const windows = Array.from({ length: seconds }, () => this.next()).flat();
    const rows = Float64Array.from(
      windows.flatMap((window) => window.features.map((value) => value ?? Number.NaN)),
    );
    const forest = await fitForest(rows, { fingerprint, features, seed: 1 });
    const autoencoder = await trainAutoencoder(rows, features.length, { seed: 1, fingerprint });
    this.engine.setForest('device', forest.bytes);
    this.engine.setThreshold('device', forest.threshold);
    this.engine.setDetecting(true);
    this.session = await InferenceSession.create(autoencoder.onnx, { intraOpNumThreads: 1 });
    this.threshold = autoencoder.threshold;
  }

  /** Both opinions of each of the next second's windows. */
  async judge() {
    const windows = this.next();
    const columns = this.engine.features.length;
    const rows = Float32Array.from(
      windows.flatMap((window) => window.features.map((value) => value ?? Number.NaN)),
    );
    const { score } = await this.session.run({
      features: new Tensor('float32', rows, [windows.length, columns]),
    });
    return windows.map((window, index) => ({
      line: window.device,
      endMs: window.endMs,
      truth: window.isAnomaly,
      windowMs: 30_000,
      forest: window.suspect,
      autoencoder: score.data[index] > this.threshold,
      anomalous: window.suspect || score.data[index] > this.threshold,
    }));
  }
}

async function trained(seed, trainingSeconds, faults) {
  const gateway = new Gateway(seed, faults);
  for (let second = 0; second < WARM_UP_S; second++) gateway.next();
  await gateway.train(trainingSeconds);
  return gateway;
}

/** Random faults for hours: the usual quality figures. */
async function watch(seed, trainingSeconds, hours) {
  const gateway = await trained(seed, trainingSeconds);
  const tracker = new QualityTracker(0);
  for (let second = 0; second < hours * 3600; second++) {
    for (const window of await gateway.judge()) tracker.add(window);
  }
  return tracker.view();
}

/** One fault of each kind on an otherwise healthy gateway: which models suspect its device within ten seconds. */
async function findFaults(seed, trainingSeconds) {
  const startS = WARM_UP_S + trainingSeconds + 60;
  const faults = FAULTS.map((type, index) => {
    const startMs = START_MS + (startS + index * 120) * 1000;
    return { device: DEVICES[index], type, strength: 1, startMs, endMs: startMs + 30_000 };
  });
  const gateway = await trained(seed, trainingSeconds, faults);
  const found = Object.fromEntries(MODELS.map((model) => [model, new Set()]));
  const endS = startS + faults.length * 120;
  while (gateway.second < endS) {
    for (const window of await gateway.judge()) {
      const fault = faults.find(
        ({ device, startMs }) =>
          device === window.line && window.endMs >= startMs && window.endMs < startMs + FOUND_WITHIN_S * 1000,
      );
      if (!fault) continue;
      if (window.forest) found.isolation_forest.add(fault.type);
      if (window.autoencoder) found.autoencoder.add(fault.type);
      if (window.anomalous) found.ensemble.add(fault.type);
    }
  }
  return found;
}

const median = (values) => {
  const known = values.filter((value) => value !== null).sort((a, b) => a - b);
  return known.length === 0 ? null : known[Math.floor(known.length / 2)];
};

async function summarise(trainingSeconds, seeds, hours) {
  const views = [];
  const faults = [];
  for (let seed = 1; seed <= seeds; seed++) {
    views.push(await watch(seed, trainingSeconds, hours));
    faults.push(await findFaults(seed, trainingSeconds));
  }
  return MODELS.map((model) => {
    const pick = (part, name) => median(views.map((view) => view[model][part][name]));
    return {
      training_s: trainingSeconds,
      model,
      faults_found_within_10_s:
        faults.reduce((sum, found) => sum + found[model].size, 0) / (seeds * FAULTS.length),
      record_precision: pick('records', 'precision'),
      record_recall: pick('records', 'recall'),
      record_f1: pick('records', 'f1'),
      episode_precision: pick('episodes', 'precision'),
      episode_recall: pick('episodes', 'recall'),
      false_alerts_per_device_hour: pick('episodes', 'false_alerts_per_device_hour'),
      delay_p50_s: pick('episodes', 'delay_p50_s'),
    };
  });
}

const seeds = Number(options.seeds);
const hours = Number(options.hours);
console.log(
  `${cpus()[0]?.model ?? 'unknown CPU'}, Node ${process.versions.node}; ${seeds} seeds × ${hours} h, medians over seeds`,
);
const rows = [...(await summarise(60, seeds, hours)), ...(await summarise(900, seeds, hours))];
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
