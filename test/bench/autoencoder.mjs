#!/usr/bin/env node
/**
 * `npm run bench:autoencoder [-- --json FILE] [--rounds 5] [--seed 1] [--quick]`: our trainer against PyTorch on the
 * same network, rows and steps, turn about; our file's scores against Python's ONNX Runtime; and how many windows a
 * second the collector's own code scores.
 *
 * Both sides train 50 epochs in batches of 32 on all rows, without early stopping or trimming, on one thread, and times
 * of training are the processor's, which other load disturbs least. Ours has everything from JavaScript's rows to the
 * file: standardising, judging every epoch, final scores; PyTorch's has its steps only. `--quick` takes few rows, and the peers only where their environment stands already.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Autoencoder, trainAutoencoder } from '@lineheron/native';
import { readArguments } from '../../native/bench/arguments.mjs';
import { describe } from '../../native/bench/environment.mjs';
import { PythonEnvironment, Side } from '../../native/bench/python.mjs';
import { printTable, summarize, writeJson } from '../../native/bench/report.mjs';
import { COLUMNS, makeRows, writeRows } from './autoencoder-rows.mjs';
import { measureScoring } from './autoencoder-scoring.mjs';

const FOLDER = dirname(fileURLToPath(import.meta.url));
const EPOCHS = 50;
const SAME = { epochs: EPOCHS, patience: 10_000, validationFraction: 0, trimFraction: 0 };
const STEPS = { batch_size: 32, learning_rate: 0.005, epochs: EPOCHS };

const figure = (name, unit) => ({ name, unit, own: [], peers: new Map() });

function addPeer(entry, peer, value) {
  entry.peers.set(peer, [...(entry.peers.get(peer) ?? []), value]);
}

/** Processor time since a reading, of all threads, in µs. */
function processorUs(since) {
  const { user, system } = process.cpuUsage(since);
  return user + system;
}

/** Time and loss of both sides on `count` rows, round by round in turn, and of ours with every default. */
async function measureTraining(folder, count, { rounds, seed }, peers) {
  const [time, loss] = [figure(`train_${count}`, 'µs'), figure(`loss_${count}`, 'mse')];
  const usual = figure(`train_${count}_by_default`, 'µs');
  const rows = makeRows(count, seed);
  const file = join(folder, `rows-${count}`);
  writeRows(file, rows);
  for (let round = 0; round < rounds; round += 1) {
    console.error(`${count} rows, round ${round + 1} of ${rounds}`);
    const start = process.cpuUsage();
    const trained = await trainAutoencoder(rows, COLUMNS, { ...SAME, seed: seed + round });
    time.own.push(processorUs(start));
    loss.own.push(trained.trainingLoss);
    const again = process.cpuUsage();
    await trainAutoencoder(rows, COLUMNS, { seed: seed + round });
    usual.own.push(processorUs(again));
    if (!peers) continue;
    const sizes = Autoencoder.load(trained.onnx).info.layers;
    const theirs = await peers.ask({
      job: 'train',
      file,
      columns: COLUMNS,
      sizes,
      ...STEPS,
      seed: seed + round,
    });
    addPeer(time, 'PyTorch', 1000 * theirs.ms);
    addPeer(loss, 'PyTorch', theirs.loss);
  }
  return [time, loss, usual];
}

/** Largest difference between our scores and ONNX Runtime's of our file, as a share of a score above 1. */
async function measureDifference(folder, count, seed, peers) {
  const entry = figure('onnx_score_difference', 'at most');
  const rows = makeRows(count, seed + 1000);
  // Unknown and wild values are scored, too.
  for (let at = 0; at < rows.length; at += 11) rows[at] = at % 5 === 0 ? 1e6 : Number.NaN;
  const trained = await trainAutoencoder(rows, COLUMNS, { seed });
  const [file, onnx] = [join(folder, 'rows-scored'), join(folder, 'model.onnx')];
  writeRows(file, rows);
  writeFileSync(onnx, trained.onnx);
  const theirs = await peers.ask({ job: 'score', file, columns: COLUMNS, onnx });
  const differences = theirs.map((score, row) => Math.abs(score - trained.scores[row]) / Math.max(1, score));
  entry.own.push(differences.reduce((largest, value) => Math.max(largest, value), 0));
  return [entry];
}

async function measure(folder, settings, peers) {
  const counts = settings.quick ? [500] : [2000, 20_000];
  const entries = [];
  for (const count of counts) entries.push(...(await measureTraining(folder, count, settings, peers)));
  if (peers) entries.push(...(await measureDifference(folder, counts[0], settings.seed, peers)));
  entries.push(...(await measureScoring(join(folder, 'models'), settings)));
  return summarize(entries);
}

async function main() {
  const settings = readArguments();
  const note = 'once; some hundred MB, or several GB with CUDA, are downloaded';
  const environment = new PythonEnvironment(FOLDER, 'autoencoder-requirements.txt', note);
  if (!settings.quick) environment.provide();
  const folder = mkdtempSync(join(tmpdir(), 'lineheron-bench-'));
  const peers = environment.ready() ? new Side(environment.python, [join(FOLDER, 'autoencoder.py')]) : null;
  try {
    const head = describe(settings.seed, peers ? await peers.ask({ job: 'versions' }) : {});
    const entries = await measure(folder, settings, peers);
    printTable(head, entries);
    if (settings.json) writeJson(settings.json, entries);
  } finally {
    peers?.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

await main().catch((error) => {
  console.error(`bench:autoencoder: ${error.message}`);
  process.exitCode = 1;
});
