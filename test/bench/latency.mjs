#!/usr/bin/env node
/**
 * `npm run bench:latency`: how long it takes from a faulty line in a file until the agent's suspicion is on MQTT, and
 * until the collector's verdict is. A built agent tails a file of twenty devices, a built collector has trained its
 * autoencoder on them; then one device after the other writes one line that is plainly wrong. Ends with 1 when one of
 * them takes longer than asked for (1 s, 2 s) or is not found.
 *
 *   npm run bench:latency -- [--faults 20] [--warm 45] [--json FILE]
 */
import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import mqtt from 'mqtt';
import { writeResults } from './results.mjs';
import { FLAGS, freePort, Parts, pause, until } from './running.mjs';

const AGENT = 'latency';
const MAX_SUSPECT_MS = 1000;
const MAX_VERDICT_MS = 2000;
/** Between two faults. */
const GAP_MS = 700;

const { values: options } = parseArgs({
  options: {
    faults: { type: 'string', default: '20' },
    warm: { type: 'string', default: '45' },
    json: { type: 'string' },
  },
});
const devices = Array.from({ length: Number(options.faults) }, (_, index) => `line-${index}`);

const folder = mkdtempSync(join(tmpdir(), 'lineheron-latency-'));
const file = join(folder, 'line.log');
const [httpPort, mqttPort] = [await freePort(), await freePort()];
const url = `mqtt://127.0.0.1:${mqttPort}`;
const parts = new Parts(folder);

function write(device, fault) {
  const record = {
    timestamp: new Date().toISOString(),
    device_id: device,
    latency_ms: fault ? 900 : 20 + 5 * Math.random(),
    packet_loss_pct: fault ? 60 : Math.random() * 0.5,
    retry_count: fault ? 9 : 0,
    traffic_volume_mb: 5 + Math.random(),
    connection_resets: 0,
  };
  appendFileSync(file, `${JSON.stringify(record)}\n`);
}

/** Writes a line a second of every device until it is stopped. */
function writing() {
  let next = 0;
  return setInterval(() => write(devices[next++ % devices.length], false), 1000 / devices.length);
}

async function post(path, body) {
  const answer = await fetch(`http://127.0.0.1:${httpPort}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  const said = await answer.json();
  if (!answer.ok) throw new Error(`${path}: ${said.detail ?? answer.status}`);
  return said;
}

/** Trains on what was heard so far and begins to detect, as a person would. */
async function trainAndStart() {
  let training = await post('/train?wait=true', { duration_seconds: 0, use_history: true });
  while (training.finished_at === null) {
    await pause(500);
    training = await (await fetch(`http://127.0.0.1:${httpPort}/api/v1/trainings/${training.id}`)).json();
  }
  const { state, message } = training;
  if (state !== 'done') throw new Error(`the training ended ${state}: ${message}`);
  await post('/start', {});
  // Until every agent does.
  await pause(1000);
}

/** When each device's suspicion and first verdict by both came, ms on our clock. */
async function listen() {
  const heard = { anomaly: new Map(), verdict: new Map() };
  const client = await mqtt.connectAsync(url, { clientId: 'bench' });
  client.on('message', (topic, payload) => {
    const nowMs = performance.now();
    const message = JSON.parse(payload.toString());
    const kind = topic.endsWith('/anomaly') ? 'anomaly' : 'verdict';
    const counts = kind === 'anomaly' ? message.phase === 'opened' : message.verdict !== 'unreviewed';
    if (counts && !heard[kind].has(message.device)) heard[kind].set(message.device, nowMs);
  });
  await client.subscribeAsync([`lineheron/v1/${AGENT}/anomaly`, `lineheron/v1/${AGENT}/verdict`]);
  return { heard, client };
}

const median = (values) => [...values].sort((a, b) => a - b)[values.length >> 1];

function figures(name, delays, most) {
  const worst = Math.max(...delays);
  if (!(worst <= most) || delays.length < devices.length) process.exitCode = 1;
  return [
    { name: `${name}_found`, value: delays.length, unit: `of ${devices.length}` },
    { name: `${name}_median`, value: Math.round(median(delays)), unit: 'ms' },
    { name: `${name}_worst`, value: Math.round(worst), unit: 'ms' },
  ];
}

try {
  writeFileSync(file, '');
  const hub = parts.begin([], 'collector', 'collector', {
    data_dir: join(folder, 'collector'),
    http: { port: httpPort },
    mqtt: { port: mqttPort },
  });
  await until('the collector', () => hub.ready);
  const edge = parts.begin(FLAGS, 'agent', 'agent', {
    agent_id: AGENT,
    data_dir: join(folder, 'agent'),
    mqtt: { url },
    source: { type: 'tail', paths: [file], from: 'end' },
  });
  await until('the agent', () => edge.ready);
  const timer = writing();
  await pause(Number(options.warm) * 1000);
  await trainAndStart();
  const { heard, client } = await listen();
  const written = new Map();
  for (const device of devices) {
    written.set(device, performance.now());
    write(device, true);
    await pause(GAP_MS);
  }
  await pause(2 * MAX_VERDICT_MS);
  clearInterval(timer);
  const delays = (kind) =>
    devices.filter((name) => heard[kind].has(name)).map((name) => heard[kind].get(name) - written.get(name));
  const results = [
    ...figures('suspect', delays('anomaly'), MAX_SUSPECT_MS),
    ...figures('verdict', delays('verdict'), MAX_VERDICT_MS),
  ];
  console.log(`${cpus()[0]?.model ?? 'unknown processor'}, Node ${process.versions.node}`);
  for (const { name, value, unit } of results)
    console.log(`${name.padEnd(18)} ${String(value).padStart(6)} ${unit}`);
  if (options.json) writeResults(options.json, results);
  await client.endAsync(true);
  await parts.end(edge);
  await parts.end(hub);
} finally {
  parts.kill();
  rmSync(folder, { recursive: true, force: true });
}
