/**
 * `npm run bench:native [-- --json FILE] [--rounds 5] [--seed 1] [--quick]`: our forest and engine against
 * scikit-learn, isotree and River on the same rows, round by round in turn, and one table of medians.
 *
 * Figures are taken from the host language, as a caller has them: ours from JavaScript, the peers' from Python.
 * `--quick` takes small sizes once, and the peers only where their environment stands already.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readArguments } from './arguments.mjs';
import { makeRows, writeRows } from './data.mjs';
import { describe, peersReady, providePeers, residentBytes, startOurs, startPeers } from './environment.mjs';
import { plan } from './plan.mjs';
import { printTable, summarize, writeJson } from './report.mjs';

const SMALL = 10_000;
const LARGE = 1_000_000;

/** Writes the rows of each width to a folder of this run. */
function makeFiles(folder, quick, seed) {
  const files = {};
  for (const columns of quick ? [15] : [15, 19]) {
    files[columns] = { small: join(folder, `small-${columns}`), large: join(folder, `large-${columns}`) };
    const rows = makeRows(quick ? 2 * SMALL : LARGE, columns, seed);
    writeRows(files[columns].large, rows);
    writeRows(files[columns].small, rows.subarray(0, (quick ? SMALL / 5 : SMALL) * columns));
  }
  return files;
}

/** One round: every figure by us and by each of its peers, one after the other. */
async function measureRound(figures, ours, peers, values) {
  for (const figure of figures) {
    const own = await ours.ask(figure.ours);
    if (own !== null) values.get(figure).own.push(own);
    for (const job of peers ? figure.peers : []) {
      const list = values.get(figure).peers;
      list.set(job.peer, [...(list.get(job.peer) ?? []), await peers.ask(job)]);
    }
  }
}

/** Bytes a device's window takes, from the difference between two sizes of fleet. */
function measureWindows(quick, rounds, baseline) {
  const [few, many] = quick ? [200, 1200] : [4000, 14_000];
  const own = [];
  for (let round = 0; round < Math.min(rounds, 3); round += 1) {
    own.push((residentBytes(many, baseline) - residentBytes(few, baseline)) / (many - few));
  }
  const name = baseline ? 'window_bytes_with_baseline' : 'window_bytes';
  return { name, unit: 'bytes', own, peers: new Map() };
}

async function main() {
  const { json, quick, rounds, seed } = readArguments();
  if (!quick) providePeers();
  const folder = mkdtempSync(join(tmpdir(), 'lineheron-bench-'));
  const ours = startOurs();
  const peers = peersReady() ? startPeers() : null;
  try {
    const head = describe(seed, peers ? await peers.ask({ job: 'versions' }) : {});
    const figures = plan(makeFiles(folder, quick, seed), quick, seed);
    const values = new Map(figures.map((figure) => [figure, { own: [], peers: new Map() }]));
    for (let round = 0; round < rounds; round += 1) {
      console.error(`round ${round + 1} of ${rounds}`);
      await measureRound(figures, ours, peers, values);
    }
    const measured = figures.map((figure) => ({ ...figure, ...values.get(figure) }));
    const windows = [false, true].map((baseline) => measureWindows(quick, rounds, baseline));
    const entries = summarize([...measured, ...windows]);
    printTable(head, entries);
    if (json) writeJson(json, entries);
  } finally {
    ours.close();
    peers?.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

await main().catch((error) => {
  console.error(`bench:native: ${error.message}`);
  process.exitCode = 1;
});
