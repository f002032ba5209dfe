/**
 * Our side of the benchmark, in a process of its own: reads jobs as JSON lines, answers each with
 * `{"value": …}` in the job's unit, or `{"value": null}` for what this version cannot do.
 */
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { Engine, Forest, fitForest } from '../index.js';
import { makeLines } from './data.mjs';

const TREES = 100;
const SAMPLE_SIZE = 256;
const CHUNK_BYTES = 65_536;
/** Far above the score of any window of these lines. */
const NEVER = 0.95;
const rowsByFile = new Map();
const forests = new Map();
const engines = new Map();

function rowsOf(file) {
  if (!rowsByFile.has(file)) {
    const bytes = readFileSync(file);
    const rows = new Float64Array(bytes.byteLength / 8);
    new Uint8Array(rows.buffer).set(bytes);
    rowsByFile.set(file, rows);
  }
  return rowsByFile.get(file);
}

function options(columns, seed) {
  const features = Array.from({ length: columns }, (_, index) => ({ name: `f${index}`, unit: '' }));
  return { fingerprint: '0123456789abcdef', features, trees: TREES, sampleSize: SAMPLE_SIZE, seed };
}

async function forestOf({ fitFile, columns, seed }) {
  const key = `${fitFile} ${columns}`;
  if (!forests.has(key)) {
    const fitted = await fitForest(rowsOf(fitFile), { ...options(columns, seed), contamination: 0.1 });
    forests.set(key, { forest: Forest.load(fitted.bytes), threshold: fitted.threshold });
  }
  return forests.get(key);
}

/** Microseconds a call over so many calls, each with the next of the rows. */
function timeCalls(rows, columns, calls, call) {
  const views = [];
  for (let start = 0; start < Math.min(rows.length, 1000 * columns); start += columns) {
    views.push(rows.subarray(start, start + columns));
  }
  for (let index = 0; index < calls / 10; index += 1) call(views[index % views.length]);
  const start = performance.now();
  for (let index = 0; index < calls; index += 1) call(views[index % views.length]);
  return ((performance.now() - start) * 1000) / calls;
}

async function scoreRow(job) {
  const { forest } = await forestOf(job);
  const one = forest.scoreOne ? (row) => forest.scoreOne(row) : (row) => forest.score(row)[0];
  return timeCalls(rowsOf(job.fitFile), job.columns, job.calls, one);
}

/** Seconds a call: one that is not counted, then the mean of so many. */
async function timeRuns(calls, run) {
  await run();
  const start = performance.now();
  for (let call = 0; call < calls; call += 1) await run();
  return (performance.now() - start) / 1000 / calls;
}

async function scoreBatch(job) {
  const { forest } = await forestOf(job);
  const rows = rowsOf(job.file);
  if (job.threads > 1 && !forest.scoreBatch) return null;
  const options = { threads: job.threads };
  const count = rows.length / job.columns;
  const seconds = await timeRuns(job.calls, async () => {
    const scores = await (forest.scoreBatch?.(rows, options) ?? forest.score(rows));
    if (scores.length !== count) throw new Error('a score is missing');
  });
  return count / seconds;
}

async function fit(job) {
  const rows = rowsOf(job.file);
  return (await timeRuns(job.calls, () => fitForest(rows, options(job.columns, job.seed)))) * 1e6;
}

/** Explains the rows that stand out, as the engine does. */
async function reasons(job) {
  const { forest, threshold } = await forestOf(job);
  const rows = rowsOf(job.fitFile);
  const scores = forest.score(rows);
  const suspect = [];
  for (let row = 0; row < scores.length; row += 1) {
    if (scores[row] > threshold) suspect.push(...rows.subarray(row * job.columns, (row + 1) * job.columns));
  }
  return timeCalls(Float64Array.from(suspect), job.columns, job.calls, (row) => forest.explain(row));
}

/** Pushes all lines in chunks as a source reads them; returns the windows that were put out. */
function pushAll(engine, lines, keep) {
  const windows = [];
  for (let start = 0; start < lines.length; ) {
    const chunk = lines.subarray(start, start + CHUNK_BYTES);
    const result = engine.push(chunk, 4e12, true);
    if (keep) windows.push(...result.windows);
    start += result.consumedBytes;
  }
  return windows;
}

/**
 * An engine whose windows are full and that scores with forests fitted on its own windows. Nothing is suspect, as on
 * a line that is well: windows are put out once a second, and the forest explains none.
 */
async function warmEngine({ devices, perSecond, baseline, seed }) {
  const key = `${devices} ${perSecond} ${baseline}`;
  const known = engines.get(key);
  if (known) return known;
  const engine = new Engine({ baseline });
  const warm = 70 * devices * perSecond;
  const windows = pushAll(engine, makeLines({ devices, perSecond, count: warm, seed }), true);
  for (const scope of ['device', 'gateway']) {
    const ready = windows.filter((window) => window.scope === scope && window.state !== 'warming_up');
    const rows = Float64Array.from(ready.flatMap(({ features }) => features.map((value) => value ?? NaN)));
    const { fingerprint, features } = engine;
    const fitted = await fitForest(rows, { fingerprint, features, seed });
    engine.setForest(scope, fitted.bytes);
    engine.setThreshold(scope, NEVER);
  }
  engine.setDetecting(true);
  const made = { engine, from: warm };
  engines.set(key, made);
  return made;
}

async function lines(job) {
  const warm = await warmEngine(job);
  const text = makeLines({ ...job, from: warm.from });
  warm.from += job.count;
  const before = warm.engine.counters().records;
  const start = performance.now();
  pushAll(warm.engine, text, false);
  const seconds = (performance.now() - start) / 1000;
  const records = warm.engine.counters().records - before;
  if (records !== job.count) throw new Error(`${records} of ${job.count} lines were taken`);
  return records / seconds;
}

const JOBS = { score_row: scoreRow, score_batch: scoreBatch, fit, reasons, lines };

for await (const line of createInterface({ input: process.stdin })) {
  const job = JSON.parse(line);
  const value = await JOBS[job.job](job);
  process.stdout.write(`${JSON.stringify({ value })}\n`);
}
