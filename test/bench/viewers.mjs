#!/usr/bin/env node
/**
 * `npm run bench:viewers`: what it costs that many look. A built collector takes a window and a record a second of each
 * line over MQTT, while clients follow its feed from a process of their own: one in ten like the page, the others sums,
 * alerts and one line, and some that stop reading. How late a watched window comes, counted from its arrival at the
 * collector, what the collector grows by, whether ingest goes on as before, and what clients cost that come and go. Ends
 * with 1 when a goal is missed at 1,000 clients. Linux only: it reads /proc.
 *
 *   npm run bench:viewers -- [--clients 1000] [--frozen 100] [--rate 2200] [--seconds 40] [--json FILE]
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { PageFleet } from './page-fleet.mjs';
import { writeResults } from './results.mjs';
import { freePort, Parts, pause, residentMb, until } from './running.mjs';

const RECONNECTS_PER_SECOND = 50;
/** A kernel's clock tick, in seconds. */
const TICK_S = 0.01;

const { values: options } = parseArgs({
  options: {
    clients: { type: 'string', default: '1000' },
    frozen: { type: 'string', default: '100' },
    rate: { type: 'string', default: '2200' },
    seconds: { type: 'string', default: '40' },
    json: { type: 'string' },
  },
});
const [clients, frozen, lines] = [options.clients, options.frozen, options.rate].map(Number);
const ms = Number(options.seconds) * 1000;
const folder = mkdtempSync(join(tmpdir(), 'lineheron-viewers-'));
const parts = new Parts(folder);
const viewers = fork(join(import.meta.dirname, 'viewers-clients.mjs'));

async function order(name, details) {
  viewers.send({ order: name, ...details });
  const ended = once(viewers, 'exit').then(([code]) => {
    throw new Error(`the viewers ended with code ${code}`);
  });
  const [answer] = await Promise.race([once(viewers, 'message'), ended]);
  return answer;
}

/** Processor time of a process's main thread, s. */
function mainThreadS(pid) {
  const fields = readFileSync(`/proc/${pid}/task/${pid}/stat`, 'utf8').split(') ')[1].split(' ');
  return (Number(fields[11]) + Number(fields[12])) * TICK_S;
}

const get = async (port, path, accept = 'application/json') =>
  fetch(`http://127.0.0.1:${port}${path}`, { headers: { accept } });

/** Share of the main thread, %, and windows stored a second, while the work lasts. */
async function watch({ pid, port }, work) {
  const stored = async () => (await (await get(port, '/metrics')).json()).totals.windows;
  const [startMs, cpuS, windows] = [performance.now(), mainThreadS(pid), await stored()];
  const answer = await work();
  const seconds = (performance.now() - startMs) / 1000;
  return {
    answer,
    busy: (100 * (mainThreadS(pid) - cpuS)) / seconds,
    rate: ((await stored()) - windows) / seconds,
  };
}

async function frozenDropped(port) {
  const text = await (await get(port, '/metrics', 'text/plain')).text();
  return Number(/^lineheron_feed_clients_frozen_total (\d+)/m.exec(text)?.[1] ?? Number.NaN);
}

async function measure() {
  const [port, mqttPort] = [await freePort(), await freePort()];
  const hub = parts.begin([], 'collector', 'collector', {
    data_dir: join(folder, 'data'),
    http: { port },
    mqtt: { port: mqttPort },
  });
  await until('the collector', () => hub.ready);
  const { pid } = hub.child;
  const fleet = new PageFleet(`mqtt://127.0.0.1:${mqttPort}`, lines);
  await fleet.start();
  await until('all lines', async () => (await (await get(port, '/status')).json()).watching.of === lines);
  await pause(ms / 4);
  const alone = await watch({ pid, port }, () => pause(ms / 2));
  const beforeMb = residentMb(pid);
  await order('connect', { port, clients, frozen, lines });
  const looked = await watch({ pid, port }, () => order('measure', { ms }));
  const growth = residentMb(pid) - beforeMb;
  const dropped = await frozenDropped(port);
  const again = { port, perSecond: RECONNECTS_PER_SECOND, ms: ms / 4 };
  const reconnecting = await watch({ pid, port }, () => order('reconnect', again));
  await fleet.stop();
  await parts.end(hub);
  return { alone, looked, growth, dropped, reconnecting };
}

const round = (value, digits = 1) => Number(value.toFixed(digits));

function figures({ alone, looked, growth, dropped, reconnecting }) {
  const goals = clients >= 1000;
  const bound = (limits) => (goals ? limits : {});
  const { p50, p99, received, alive } = looked.answer;
  return [
    { name: 'viewers_p50_ms', value: p50, unit: 'ms' },
    { name: 'viewers_p99_ms', value: p99, unit: 'ms', ...bound({ most: 250 }) },
    { name: 'viewers_received', value: received, unit: 'windows' },
    { name: 'viewers_alive', value: alive, unit: 'clients', ...bound({ least: clients - frozen }) },
    { name: 'viewers_growth_mb', value: round(growth), unit: 'MB', ...bound({ most: 100 }) },
    {
      name: 'viewers_ingest_ratio',
      value: round(looked.rate / alone.rate, 3),
      unit: '×',
      ...bound({ least: 0.98 }),
    },
    { name: 'viewers_ingest_rate', value: Math.round(looked.rate), unit: '/s' },
    { name: 'frozen_dropped', value: dropped, unit: 'clients', ...bound({ least: frozen }) },
    { name: 'main_thread_alone', value: round(alone.busy), unit: '%' },
    { name: 'main_thread_viewers', value: round(looked.busy), unit: '%' },
    {
      name: 'main_thread_reconnecting',
      value: round(reconnecting.busy - looked.busy),
      unit: '%',
      ...bound({ most: 25 }),
    },
  ];
}

try {
  console.log(`${cpus()[0]?.model ?? 'unknown processor'}, Node ${process.versions.node}`);
  const results = figures(await measure());
  for (const { name, value, unit, most, least } of results) {
    const missed = value > most || value < least || value === null;
    if (missed) process.exitCode = 1;
    const goal = most === undefined ? `at least ${least}` : `at most ${most}`;
    const judged =
      most === undefined && least === undefined ? '' : missed ? `  NOT GOOD ENOUGH (${goal})` : '  good';
    console.log(`${name.padEnd(26)} ${String(value).padStart(8)} ${unit}${judged}`);
  }
  if (options.json) writeResults(options.json, results);
} finally {
  viewers.kill('SIGKILL');
  parts.kill();
  rmSync(folder, { recursive: true, force: true });
}
