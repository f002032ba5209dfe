#!/usr/bin/env node
/**
 * `npm run bench:ingest`: what the built collector takes, with its own broker and its durable store, from gateways in
 * the agent's wire form (batches of 50 windows). How many windows a second while all is calm, while every window is
 * suspect (without records, and with the record beside each that agents publish by default), and while its autoencoder
 * reviews each; how soon it acknowledges at half of the calm rate; and what happens when twice as much is offered as it
 * can take: half of that live, the rest backlog of an outage. Each figure is the median of the rounds, beside a plain
 * loop in the same run. Ends with 1 when a goal is missed. Linux only: it reads /proc.
 *
 *   npm run bench:ingest -- [--rounds 3] [--seconds 8] [--gateways 12] [--fleet 100] [--json FILE]
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { plainRate } from './ingest-machine.mjs';
import { writeResults } from './results.mjs';
import { freePort, Parts, residentMb, until } from './running.mjs';

const DEVICES = 10;
const PLAIN_S = 2;
const TRAINING_S = 3;
/** A process that has just begun runs code that nobody has optimised yet. */
const WARM_UP_S = 6;

const { values: options } = parseArgs({
  options: {
    rounds: { type: 'string', default: '3' },
    seconds: { type: 'string', default: '8' },
    gateways: { type: 'string', default: '12' },
    fleet: { type: 'string', default: '100' },
    json: { type: 'string' },
  },
});
const seconds = Number(options.seconds);
const folder = mkdtempSync(join(tmpdir(), 'lineheron-ingest-'));
const parts = new Parts(folder);

/** The load, in a process of its own. */
class Load {
  child = fork(join(import.meta.dirname, 'ingest-load.mjs'));

  async order(order, details = {}) {
    this.child.send({ order, ...details });
    const [answer] = await Promise.race([
      once(this.child, 'message'),
      once(this.child, 'exit').then(([code]) => {
        throw new Error(`the load ended with code ${code}`);
      }),
    ]);
    return answer;
  }

  kill() {
    this.child.kill('SIGKILL');
  }
}

async function begin(name, count) {
  const [httpPort, mqttPort] = [await freePort(), await freePort()];
  const hub = parts.begin([], 'collector', name, {
    data_dir: join(folder, name),
    http: { port: httpPort },
    mqtt: { port: mqttPort },
  });
  await until('the collector', () => hub.ready);
  const load = new Load();
  await load.order('connect', { url: `mqtt://127.0.0.1:${mqttPort}`, count, devices: DEVICES });
  let most = 0;
  const watch = setInterval(() => {
    if (hub.child.exitCode === null) most = Math.max(most, residentMb(hub.child.pid));
  }, 200);
  await load.order('closed', { kind: 'calm', seconds: Math.min(WARM_UP_S, seconds) });
  const end = async () => {
    clearInterval(watch);
    await load.order('disconnect');
    load.kill();
    await parts.end(hub);
    rmSync(join(folder, name), { recursive: true, force: true });
    return most;
  };
  return { load, url: `http://127.0.0.1:${httpPort}`, end };
}

async function post(url, path, body) {
  const headers = { 'content-type': 'application/json' };
  const answer = await fetch(url + path, { method: 'POST', headers, body: JSON.stringify(body) });
  if (!answer.ok) throw new Error(`${path}: ${await answer.text()}`);
}

/** Trains the autoencoders on a few seconds of calm windows. */
async function train({ load, url }) {
  await post(url, '/train', { duration_seconds: TRAINING_S, epochs: 5 });
  await load.order('open', { kind: 'calm', seconds: TRAINING_S, live: 2000, backlog: 0 });
  const ended = async () => {
    const { training } = await (await fetch(`${url}/status`)).json();
    if (training?.state === 'failed') throw new Error(`the training failed: ${training.message}`);
    return training?.state === 'done';
  };
  await until('the training', ended);
  await post(url, '/start', {});
}

async function measureRates(round) {
  const hub = await begin(`rates-${round}`, Number(options.gateways));
  const rate = async (kind) => (await hub.load.order('closed', { kind, seconds })).rate;
  const calm = await rate('calm');
  const suspect = await rate('suspect');
  const recorded = await rate('recorded');
  const half = await hub.load.order('open', { kind: 'calm', seconds, live: calm / 2, backlog: 0 });
  await train(hub);
  const reviewed = await rate('calm');
  return { calm, suspect, recorded, reviewed, p50: half.p50, p99: half.p99, rss: await hub.end() };
}

async function measureOverload(round) {
  const hub = await begin(`overload-${round}`, Number(options.fleet));
  const { rate } = await hub.load.order('closed', { kind: 'calm', seconds });
  const offer = { live: rate / 2, backlog: 1.5 * rate };
  const over = await hub.load.order('open', { kind: 'calm', seconds: 2 * seconds, ...offer });
  return { saturation: rate, goodput: over.rate / rate, over, rss: await hub.end() };
}

const median = (values) => [...values].sort((a, b) => a - b)[values.length >> 1];
const rounded = (value, digits = 0) => Number(value.toFixed(digits));

function figures(rounds) {
  const middle = (read) => median(rounds.map(read));
  const plain = rounded(middle(({ plain }) => plain));
  const rate = (name, read) => {
    const value = rounded(middle(read));
    return { name, value, unit: 'windows/s', peer: 'plain', peer_value: plain, ratio: value / plain };
  };
  const ms = (name, read, more = {}) => ({ name, value: middle(read), unit: 'ms', ...more });
  const share = (name, read, more) => ({ name, value: rounded(middle(read), 2), unit: '×', ...more });
  return [
    { name: 'plain', value: plain, unit: 'windows/s' },
    rate('ingest_calm', ({ rates }) => rates.calm),
    { ...rate('ingest_reviewed', ({ rates }) => rates.reviewed), least: 20_000 },
    rate('ingest_all_suspect', ({ rates }) => rates.suspect),
    rate('ingest_suspect_records', ({ rates }) => rates.recorded),
    share('suspect_of_calm', ({ rates }) => rates.suspect / rates.calm, { least: 0.8 }),
    ms('ack_p50_ms', ({ rates }) => rates.p50),
    ms('ack_p99_ms', ({ rates }) => rates.p99),
    rate('overload_saturation', ({ overload }) => overload.saturation),
    share('overload_goodput', ({ overload }) => overload.goodput, { least: 0.95 }),
    ms('overload_live_p99_ms', ({ overload }) => overload.over.p99, { most: 2000 }),
    {
      name: 'overload_dropped',
      value: middle(({ overload }) => overload.over.unanswered),
      unit: 'batches',
      most: 0,
    },
    {
      name: 'rss_mb',
      value: rounded(middle(({ rates, overload }) => Math.max(rates.rss, overload.rss))),
      unit: 'MB',
    },
  ];
}

try {
  console.log(`${cpus()[0]?.model ?? 'unknown processor'}, Node ${process.versions.node}`);
  const rounds = [];
  for (let round = 1; round <= Number(options.rounds); round++) {
    const plain = plainRate(folder, PLAIN_S);
    const [rates, overload] = [await measureRates(round), await measureOverload(round)];
    rounds.push({ plain, rates, overload });
  }
  const results = figures(rounds);
  for (const { name, value, unit, ratio, least, most } of results) {
    const missed = value < least || value > most;
    if (missed) process.exitCode = 1;
    const bound = least === undefined ? `at most ${most}` : `at least ${least}`;
    const judged = least === most ? '' : missed ? `  NOT GOOD ENOUGH (${bound})` : '  good';
    const beside = ratio === undefined ? '' : `  ${ratio.toFixed(2)} × plain`;
    console.log(`${name.padEnd(22)} ${String(value).padStart(8)} ${unit}${beside}${judged}`);
  }
  if (options.json) writeResults(options.json, results);
} finally {
  parts.kill();
  rmSync(folder, { recursive: true, force: true });
}
