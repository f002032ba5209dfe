/**
 * A part of `npm run bench:agent`, in a process of its own: one file through the agent's own tail, engine and
 * pipeline, with a forest in each scope that scores every line and finds none suspect, as is the rule on a good line.
 * Prints one line of JSON.
 *
 *   node agent-run.mjs FILE LINES STAGE       STAGE: read (tail alone), scores (tail, engine), batches (and pipeline)
 */
import { open, stat } from 'node:fs/promises';
import { systemClock } from '../../agent/dist/clock.js';
import { Counters } from '../../agent/dist/counters.js';
import { EventClock } from '../../agent/dist/score/device-clock.js';
import { MAX_DEVICES, Scoring } from '../../agent/dist/score/scoring.js';
import { TailSource } from '../../agent/dist/source/tail.js';
import { Engine, fitForest } from '../../native/index.js';

const [path, linesText, stage] = process.argv.slice(2);
const lines = Number(linesText);
const TRAINING_BYTES = 16 * 1024 * 1024;
const silent = { debug() {}, info() {}, warn() {}, error: console.error };

/** The first part of the file, for the forests. */
async function firstPart() {
  const file = await open(path);
  const buffer = Buffer.alloc(TRAINING_BYTES);
  const { bytesRead } = await file.read(buffer, 0, TRAINING_BYTES, 0);
  await file.close();
  return buffer.subarray(0, buffer.lastIndexOf(10, bytesRead - 1) + 1);
}

/** Scoring whose forests were fitted on what another engine made of the first part. */
async function trainedScoring(nowMs) {
  const scout = new Engine({ publishRecords: 'none' });
  const rows = { device: [], gateway: [] };
  for (const window of scout.push(await firstPart(), nowMs, true).windows) {
    if (window.state !== 'warming_up') rows[window.scope].push(window.features);
  }
  const scoring = new Scoring({
    engine: { windowSeconds: 30, channels: [], publishRecords: 'anomalous', hopSeconds: 1 },
    detection: { detecting: true, activeModel: 'ensemble', budget: 0.2, threshold: 0.95 },
    ...{ agent: 'bench', boot: '0123456789abcdef' },
    maintenance: () => [],
    clock: new EventClock(MAX_DEVICES),
    nowMs: () => nowMs,
    onWindow: () => {},
    onEngineError: (error) => {
      throw error;
    },
  });
  const { engine } = scoring;
  for (const [scope, list] of Object.entries(rows)) {
    const flat = Float64Array.from(list.flat(), (value) => value ?? Number.NaN);
    const options = { fingerprint: engine.fingerprint, features: engine.features, contamination: 0.001 };
    const { bytes } = await fitForest(flat, options);
    scoring.useForest({ scope, threshold: 0.95, metrics: {} }, bytes);
  }
  return scoring;
}

const nowMs = Date.now();
const { engine, pipeline } = await trainedScoring(nowMs);
let windows = 0;
function take(bytes) {
  if (stage === 'scores') windows += engine.push(bytes, nowMs, true).windows.length;
  if (stage !== 'batches') return;
  pipeline.push({ bytes, emit: true, position: null });
  if (pipeline.pendingBytes > 1024 * 1024) pipeline.take();
}

const source = new TailSource({
  config: { type: 'tail', paths: [path], from: 'start', max_files: 1 },
  saved: undefined,
  windowSeconds: 30,
  clock: systemClock,
  log: silent,
  counters: new Counters(),
});
const { size } = await stat(path);
const abort = new AbortController();
let bytesRead = 0;
const [startMs, startCpu] = [performance.now(), process.cpuUsage()];
for await (const { bytes } of source.chunks(abort.signal)) {
  take(bytes);
  bytesRead += bytes.length;
  if (bytesRead >= size) break;
}
const { user, system } = process.cpuUsage(startCpu);
const wallS = (performance.now() - startMs) / 1000;
const records = stage === 'read' ? lines : engine.counters().records;
if (records !== lines) throw new Error(`${records} of ${lines} lines became records`);
console.log(
  JSON.stringify({
    wallS,
    cpuS: (user + system) / 1e6,
    windows: windows + pipeline.windows,
    bytes: bytesRead,
  }),
);
abort.abort();
process.exit(0);
