/**
 * How fast the collector gives its second opinion, through its own code: a model trained, kept and loaded as there,
 * then `score_*` by its Autoencoder (rows to scores and errors) and `review_*` by its Reviewer (windows as they come
 * from the network to opinions, reasons of the suspect ones included).
 */
import { DEFAULT_FEATURES } from '@lineheron/models';
import { ModelStore, ProfileFiles } from '@lineheron/models/persist';
import { Autoencoder } from '../../collector/dist/detect/autoencoder.js';
import { AutoencoderTrainer } from '../../collector/dist/detect/autoencoder-trainer.js';
import { QuantileFiles } from '../../collector/dist/detect/quantiles.js';
import { Reviewer } from '../../collector/dist/detect/reviewer.js';
import { COLUMNS, makeRows } from './autoencoder-rows.mjs';

const BATCH = 1024;
const FINGERPRINT = '0123456789abcdef';

async function startReviewer(folder, seed) {
  const models = new ModelStore(folder);
  const files = { models, quantiles: new QuantileFiles(folder), profiles: new ProfileFiles(folder) };
  const onProblem = (message) => console.error(message);
  const reviewer = new Reviewer({ ...files, featuresOf: () => DEFAULT_FEATURES, onProblem });
  const use = (manifest, payload) => reviewer.use(manifest, payload);
  const options = { ...files, seed, thresholdPercentile: 99, windowSeconds: 30, now: Date.now, use };
  const rows = Float32Array.from(makeRows(2000, seed));
  const history = { columns: COLUMNS, rows, agents: ['gw-1'], counts: [2000], oldestMs: 0, newestMs: 1 };
  const request = { scope: 'device', fingerprint: FINGERPRINT, gathered: [], history, epochs: 5 };
  await new AutoencoderTrainer(options).fit(request);
  const { manifest, payload } = await models.load('autoencoder', 'device', FINGERPRINT);
  return { reviewer, model: await Autoencoder.load(manifest, payload, null) };
}

/** Mean ms of one call out of `calls`. */
async function meanMs(calls, work) {
  const startMs = performance.now();
  for (let call = 0; call < calls; call += 1) await work();
  return (performance.now() - startMs) / calls;
}

export async function measureScoring(folder, { seed, rounds, quick }) {
  const { reviewer, model } = await startReviewer(folder, seed);
  const rows = Float32Array.from(makeRows(BATCH, seed + 1));
  const windows = Array.from({ length: BATCH }, (_, row) => ({
    agent: 'gw-1',
    scope: 'device',
    fingerprint: FINGERPRINT,
    state: 'scored',
    features: [...rows.subarray(row * COLUMNS, (row + 1) * COLUMNS)],
  }));
  const works = [
    ['score_batch_1024', BATCH, () => model.score(rows)],
    ['score_one', 1, () => model.score(rows.subarray(0, COLUMNS))],
    ['review_batch_1024', BATCH, () => reviewer.review(windows)],
    ['review_one', 1, () => reviewer.review(windows.slice(0, 1))],
  ];
  const entries = works.map(([name, size]) => ({
    name,
    unit: size > 1 ? 'windows/s' : 'µs',
    own: [],
    peers: new Map(),
  }));
  for (let round = 0; round < 3 * rounds; round += 1) {
    for (const [at, [, size, work]] of works.entries()) {
      const ms = await meanMs(quick ? 20 : 200, work);
      entries[at].own.push(size > 1 ? (size * 1000) / ms : 1000 * ms);
    }
  }
  await model.release();
  await reviewer.stop();
  return entries;
}
