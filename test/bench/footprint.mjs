#!/usr/bin/env node
/**
 * What the agent costs a gateway: `npm run bench:footprint`. Ten devices write one line a second each into a file; the
 * built agent tails it, scores with trained forests and reports to a real broker in this process. Options: --seconds N
 * (60), --json FILE. Memory is resident (VmRSS of the process), CPU what the kernel counted for it. Linux only.
 */
import { spawn } from 'node:child_process';
import { appendFileSync, cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Aedes } from 'aedes';
import { diskBytes, ROOT, stage } from '../../agent/packaging/stage.mjs';
import { writeResults } from './results.mjs';
import { FLAGS, pause, residentMb, until } from './running.mjs';

const AGENT = 'footprint';
const DEVICES = 10;
const WINDOW_S = 30;
const TRAINING_S = 600;
const SETTLE_S = 10;
const TICKS_PER_S = 100;

const { values: options } = parseArgs({
  options: { seconds: { type: 'string', default: '60' }, json: { type: 'string' } },
});
const seconds = Number(options.seconds);

/** A seeded generator, so that every run writes the same lines. */
function randomFrom(seed) {
  let state = seed;
  return () => {
    state = (state * 1103515245 + 12345) & 0x7fffffff;
    return state / 0x7fffffff;
  };
}

const random = randomFrom(7);

function linesAt(ms) {
  return Array.from({ length: DEVICES }, (_, device) =>
    JSON.stringify({
      timestamp: new Date(ms).toISOString(),
      device_id: `line-${device}`,
      latency_ms: 20 + 5 * random(),
      packet_loss_pct: random() < 0.02 ? 1 : 0,
      retry_count: random() < 0.1 ? 1 : 0,
      traffic_volume_mb: 1 + random(),
      connection_resets: 0,
    }),
  ).join('\n');
}

/** A broker that acknowledges every batch, and what the agent said there. */
async function startBroker() {
  const aedes = await Aedes.createBroker({ drainTimeout: 1000 });
  const server = createServer(aedes.handle);
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const broker = {
    port: server.address().port,
    windows: 0,
    scored: 0,
    trained: false,
    say: null,
    stop: null,
  };
  broker.say = (topic, value, retain = false) =>
    aedes.publish(
      {
        cmd: 'publish',
        topic: `lineheron/v1/${topic}`,
        payload: Buffer.from(JSON.stringify(value)),
        qos: 1,
        retain,
      },
      () => {},
    );
  aedes.on('publish', ({ topic, payload }, client) => {
    if (!client) return;
    if (topic.endsWith('/event') && payload.includes('"phase":"done"')) broker.trained = true;
    if (!topic.endsWith('/score')) return;
    const { boot, sequence, windows } = JSON.parse(payload.toString());
    broker.windows += windows.length;
    broker.scored += windows.filter(({ state }) => state === 'scored').length;
    broker.say(`${AGENT}/ack`, { v: 1, ranges: [{ boot, from: sequence, to: sequence }], refused: [] });
  });
  broker.stop = () => new Promise((resolve) => aedes.close(() => server.close(resolve)));
  broker.say('fleet/desired', { v: 1, detecting: true, active_model: 'ensemble' }, true);
  return broker;
}

const children = new Set();

/** A child of ours, ended with us whatever happens. */
function begun(args, spawnOptions) {
  const child = spawn(process.execPath, args, spawnOptions);
  children.add(child);
  child.once('close', () => children.delete(child));
  return child;
}

function startAgent(folder, broker, name) {
  const file = join(folder, `${name}.log`);
  const config = join(folder, `${name}.yaml`);
  const source = { type: 'tail', paths: [file], from: 'start' };
  const mqtt = { url: `mqtt://127.0.0.1:${broker.port}` };
  const rest = { agent_id: AGENT, data_dir: join(folder, name), mqtt, source, log_level: 'warn' };
  writeFileSync(config, JSON.stringify({ ...rest, window_size_seconds: WINDOW_S }));
  const main = join(folder, 'stage', 'dist', 'main.js');
  return begun([...FLAGS, main, 'run', '--config', config], { stdio: ['ignore', 'inherit', 'inherit'] });
}

async function end(child) {
  const closed = new Promise((resolve) => child.once('close', resolve));
  child.kill('SIGTERM');
  await closed;
}

/** User and system time so far, s. */
function cpuSeconds(pid) {
  const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_S;
}

async function bareNodeMb(flags, code) {
  const child = begun([...flags, '--input-type=module', '-e', `${code}; setInterval(() => {}, 1000)`], {
    cwd: join(ROOT, 'agent'),
    stdio: 'ignore',
  });
  await pause(3_000);
  const mb = residentMb(child.pid);
  await end(child);
  return mb;
}

async function steady(folder, broker) {
  const file = join(folder, 'steady.log');
  const startMs = Date.now();
  for (let second = TRAINING_S; second > 0; second--)
    appendFileSync(file, `${linesAt(startMs - second * 1000)}\n`);
  const agent = startAgent(folder, broker, 'steady');
  await until('the past', () => broker.windows > 0.9 * TRAINING_S * DEVICES);
  broker.say(`${AGENT}/command`, {
    v: 1,
    type: 'train',
    request_id: 'footprint',
    duration_seconds: 0,
    use_history: true,
  });
  await until('the training', () => broker.trained);
  const write = setInterval(() => appendFileSync(file, `${linesAt(Date.now())}\n`), 1000);
  await pause(SETTLE_S * 1000);
  const [cpuBefore, beganMs] = [cpuSeconds(agent.pid), performance.now()];
  await pause(seconds * 1000);
  const cpu = (100 * (cpuSeconds(agent.pid) - cpuBefore)) / ((performance.now() - beganMs) / 1000);
  const memory = residentMb(agent.pid);
  clearInterval(write);
  await end(agent);
  return { cpu, memory };
}

/** From the start of the process to the first score, with forests at hand and a full window's lines in the file. */
async function firstScore(folder, broker) {
  for (const name of ['models', 'desired.json']) {
    cpSync(join(folder, 'steady', name), join(folder, 'first', name), { recursive: true });
  }
  const nowMs = Date.now();
  for (let second = WINDOW_S + 2; second > 0; second--)
    appendFileSync(join(folder, 'first.log'), `${linesAt(nowMs - second * 1000)}\n`);
  const before = broker.scored;
  const beganMs = performance.now();
  const agent = startAgent(folder, broker, 'first');
  await until('the first score', () => broker.scored > before);
  const took = (performance.now() - beganMs) / 1000;
  const cpu = cpuSeconds(agent.pid);
  await end(agent);
  return { took, cpu };
}

const folder = mkdtempSync(join(tmpdir(), 'lineheron-footprint-'));
const broker = await startBroker();
try {
  const packages = await stage(join(folder, 'stage'));
  const install = diskBytes(join(folder, 'stage')) / 1e6;
  const bare = await bareNodeMb([], '');
  const flagged = await bareNodeMb(FLAGS, '');
  const parts = await bareNodeMb(FLAGS, "await import('mqtt'); await import('@lineheron/native')");
  const { cpu, memory } = await steady(folder, broker);
  const first = await firstScore(folder, broker);
  const results = [
    { name: 'agent_cpu', value: Number(cpu.toFixed(2)), unit: '%', limit: 1 },
    { name: 'agent_resident', value: Number(memory.toFixed(1)), unit: 'MB', limit: 65 },
    { name: 'bare_node_resident', value: Number(bare.toFixed(1)), unit: 'MB' },
    { name: 'bare_node_with_flags_resident', value: Number(flagged.toFixed(1)), unit: 'MB' },
    { name: 'node_with_mqtt_and_addon_resident', value: Number(parts.toFixed(1)), unit: 'MB' },
    {
      name: 'install_size',
      value: Number(install.toFixed(1)),
      unit: 'MB',
      limit: 40,
      packages: packages.length,
    },
    { name: 'start_to_first_score', value: Number(first.took.toFixed(2)), unit: 's', limit: 1 },
    { name: 'start_to_first_score_cpu', value: Number(first.cpu.toFixed(2)), unit: 's' },
  ];
  for (const { name, value, unit, limit } of results) {
    const judged = limit === undefined ? '' : value <= limit ? `  ≤ ${limit}` : `  OVER ${limit}`;
    console.log(`${name.padEnd(36)} ${String(value).padStart(7)} ${unit}${judged}`);
  }
  console.log(
    `${DEVICES} devices × 1 line/s for ${seconds} s, Node ${process.version}, flags ${FLAGS.join(' ')}`,
  );
  if (options.json) writeResults(options.json, results);
} finally {
  for (const child of children) child.kill('SIGKILL');
  await broker.stop();
  rmSync(folder, { recursive: true, force: true });
}
