#!/usr/bin/env node
/**
 * `npm run bench:quality`: `lineheron-agent evaluate` over the labelled files of ../shared/data, by the protocols of
 * its README, beside the peers measured there (baselines.csv: means over some or all of the same files; events are
 * counted alike). Families that are not there are skipped by name. One set of defaults for all. `false/d` is at the
 * threshold of the default alert budget.
 *
 *   npm run bench:quality -- [--seeds 1] [--data FOLDER] [--family NAME,…] [--json FILE]
 */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { parseCsv } from '../../agent/dist/evaluate/csv.js';
import { evaluate } from '../../agent/dist/evaluate/evaluate.js';
import { columnsText } from '../../agent/dist/evaluate/text.js';

const FAMILIES = {
  adbench: { mode: 'table', trainFraction: 0 },
  cisco_router: { mode: 'series', trainFraction: 0.4 },
  nab: { mode: 'series', trainFraction: 0.15 },
  ripe_rtt: { mode: 'series', trainFraction: 0.2 },
  smd: { mode: 'series', trainFraction: 0 },
};
const BUDGET = 0.2;
const FIGURES = ['auc', 'ap', 'f1', 'event_recall_day', 'event_recall_week'];
const PEER_COLUMNS = ['auc_mean', 'ap_mean', 'f1_mean', 'er_1fad_mean', 'er_1faw_mean'];

const { values: options } = parseArgs({
  options: {
    seeds: { type: 'string', default: '1' },
    data: { type: 'string', default: fileURLToPath(new URL('../../../shared/data', import.meta.url)) },
    family: { type: 'string', default: Object.keys(FAMILIES).join(',') },
    json: { type: 'string' },
  },
});

const read = (folder, name) => parseCsv(name, readFileSync(join(folder, name), 'utf8'), true);

/** The family's files as jobs; `X.test.csv` learns from `X.train.csv`. Empty when there are none. */
function jobsOf(folder, mode) {
  if (!existsSync(folder)) return [];
  const names = readdirSync(folder).filter((name) => name.endsWith('.csv') && !name.endsWith('.train.csv'));
  return names.sort().map((name) => {
    const training = name.replace(/\.test\.csv$/, '.train.csv');
    return {
      name,
      mode,
      data: read(folder, name),
      training: training === name ? null : read(folder, training),
    };
  });
}

/** The peers' rows of a family; empty cells are unknown. */
function peersOf(family) {
  const path = join(options.data, 'baselines.csv');
  if (!existsSync(path)) return [];
  const [header, ...lines] = readFileSync(path, 'utf8').trim().split('\n');
  const names = header.split(',');
  const rows = lines.map((line) => Object.fromEntries(line.split(',').map((cell, at) => [names[at], cell])));
  return rows
    .filter(({ set }) => set === family)
    .map((row) => {
      const figures = PEER_COLUMNS.map((column, at) => [
        FIGURES[at],
        row[column] ? Number(row[column]) : null,
      ]);
      return { family, method: row.method, peer: true, ...Object.fromEntries(figures) };
    });
}

const known = (figures) =>
  Object.fromEntries(
    Object.entries(figures).map(([name, value]) => [name, Number.isNaN(value) ? null : value]),
  );

const deviations = (sd) =>
  Object.fromEntries(Object.entries(known(sd)).map(([name, value]) => [`${name}_sd`, value]));

async function rowsOf(family) {
  const { mode, trainFraction } = FAMILIES[family];
  const jobs = jobsOf(join(options.data, family), mode);
  if (jobs.length === 0) return null;
  const seeds = Number(options.seeds);
  const { methods } = await evaluate(jobs, { seeds, trainFraction, budget: BUDGET });
  const ours = methods.map(({ method, mean, sd }) => ({
    family,
    method: method === 'ensemble' ? 'lineheron' : method,
    peer: false,
    files: jobs.length,
    seeds,
    ...known(mean),
    ...deviations(sd),
  }));
  return [...ours, ...peersOf(family)];
}

/** Ours, our parts, chance, then the peer with the best average precision and scikit-learn's forest. */
function shown(rows) {
  const peers = rows.filter(({ peer, method }) => peer && method !== 'random' && !method.startsWith('ens-'));
  const best = [...peers].sort((a, b) => b.ap - a.ap)[0];
  const sklearn = peers.find(({ method }) => method === 'sklearn-IF');
  const named = (row, note) => (row ? [[`${row.method} (${note})`, row]] : []);
  const ours = rows.filter(({ peer }) => !peer).map((row) => [row.method, row]);
  return [...ours.reverse(), ...named(best, 'best peer by AP'), ...named(sklearn, 'peer')];
}

function tableOf(rows) {
  const cell = (value) => (value === null || value === undefined ? '–' : value.toFixed(3));
  const figures = [...FIGURES, 'false_episodes_day'];
  const table = shown(rows).map(([name, row]) => [name, ...figures.map((figure) => cell(row[figure]))]);
  return columnsText([['', 'ROC-AUC', 'AP', 'best F1', 'events 1/d', 'events 1/w', 'false/d'], ...table]);
}

const all = [];
console.log(`${cpus()[0]?.model ?? 'unknown processor'}; seeds: ${options.seeds}`);
for (const family of options.family.split(',')) {
  if (!Object.hasOwn(FAMILIES, family)) throw new Error(`there is no family "${family}"`);
  const startMs = performance.now();
  const rows = await rowsOf(family);
  if (!rows) {
    console.log(`\n${family}: skipped, no such files in ${options.data}`);
    continue;
  }
  all.push(...rows);
  const seconds = ((performance.now() - startMs) / 1000).toFixed(0);
  console.log(`\n${family}: ${rows[0].files} files, ${seconds} s\n${tableOf(rows)}`);
}
if (options.json) writeFileSync(options.json, `${JSON.stringify(all, null, 2)}\n`);
