#!/usr/bin/env node
/**
 * `npm run bench:drain`: an outage is over. A built agent with a full spool meets a built collector and its broker;
 * ten devices go on writing a line a second each into the file it tails. Prints how fast the backlog goes, how long
 * a live line takes until the collector has committed and acknowledged it, and what the agent's memory does, beside
 * the same agent with an empty spool. Ends with 1 when a goal is missed. Linux only: it reads /proc.
 *
 *   npm run bench:drain -- [--megabytes 200] [--seconds 60] [--json FILE]
 */
import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import mqtt from 'mqtt';
import { writeBacklog } from './drain-backlog.mjs';
import { writeResults } from './results.mjs';
import { FLAGS, freePort, Parts, pause, residentMb, until } from './running.mjs';

const AGENT = 'drain';
const DEVICES = 10;
const LIVE_S = 10;
const MIN_RATIO = 20;
const MAX_P99_S = 2;

const { values: options } = parseArgs({
  options: {
    megabytes: { type: 'string', default: '200' },
    seconds: { type: 'string', default: '60' },
    json: { type: 'string' },
  },
});
const seconds = Number(options.seconds);

const folder = mkdtempSync(join(tmpdir(), 'lineheron-drain-'));
const [httpPort, mqttPort] = [await freePort(), await freePort()];
const url = `mqtt://127.0.0.1:${mqttPort}`;
const parts = new Parts(folder);

const collector = () =>
  parts.begin([], 'collector', 'collector', {
    data_dir: join(folder, 'collector'),
    http: { port: httpPort },
    mqtt: { port: mqttPort },
  });

const agent = (name) =>
  parts.begin(FLAGS, 'agent', name, {
    agent_id: AGENT,
    data_dir: join(folder, name),
    mqtt: { url },
    source: { type: 'tail', paths: [join(folder, 'line.log')], from: 'end' },
    spool: { max_bytes: 1024 ** 3 },
  });

/** Ten devices, one after the other within each second; remembers when each line was written. */
class Lines {
  written = new Map();
  device = 0;
  timer = null;

  start() {
    this.timer = setInterval(() => this.write(), 1000 / DEVICES);
  }

  stop() {
    clearInterval(this.timer);
  }

  /** Lines of a device up to a time, as `device time`: its window that ends then has them all. */
  upTo(end) {
    const device = end.slice(0, end.indexOf(' ') + 1);
    return [...this.written].filter(([line]) => line.startsWith(device) && line <= end);
  }

  write() {
    const timestamp = new Date().toISOString();
    const device = `line-${this.device++ % DEVICES}`;
    const record = { timestamp, device_id: device, latency_ms: 20 + 5 * Math.random(), packet_loss_pct: 0 };
    this.written.set(`${device} ${timestamp}`, performance.now());
    appendFileSync(join(folder, 'line.log'), `${JSON.stringify(record)}\n`);
  }
}

/** Listens as a third party: what live batches carry, and which batches are acknowledged. */
class Observer {
  latencies = [];
  liveWindows = 0;
  drained = 0;
  seen;
  live = new Map();

  constructor(lines, backlog) {
    this.lines = lines;
    this.backlog = backlog;
    this.seen = new Uint8Array(backlog.batches + 1);
  }

  async start() {
    this.client = await mqtt.connectAsync(url, { clientId: 'bench' });
    this.client.on('message', (topic, payload) => {
      if (topic.endsWith('/ack')) this.acknowledged(JSON.parse(payload.toString()));
      else if (!payload.subarray(0, 14).equals(Buffer.from('{"historical":'))) this.told(payload);
    });
    await this.client.subscribeAsync([`lineheron/v1/${AGENT}/score`, `lineheron/v1/${AGENT}/ack`]);
  }

  told(payload) {
    const { boot, sequence, windows } = JSON.parse(payload.toString());
    if (boot === this.backlog.boot) return;
    const ends = windows
      .filter(({ scope }) => scope === 'device')
      .map(({ device, end }) => `${device} ${end}`);
    this.live.set(`${boot}/${sequence}`, ends);
  }

  acknowledged({ ranges }) {
    const nowMs = performance.now();
    for (const { boot, from, to } of ranges) {
      for (let sequence = from; sequence <= to; sequence++) {
        if (boot === this.backlog.boot) this.gone(sequence);
        else this.committed(`${boot}/${sequence}`, nowMs);
      }
    }
  }

  gone(sequence) {
    if (this.seen[sequence] !== 0) return;
    this.seen[sequence] = 1;
    this.drained += this.backlog.windows / this.backlog.batches;
  }

  committed(key, nowMs) {
    for (const end of this.live.get(key) ?? []) {
      this.liveWindows += 1;
      for (const [line, writtenMs] of this.lines.upTo(end)) {
        this.latencies.push((nowMs - writtenMs) / 1000);
        this.lines.written.delete(line);
      }
    }
    this.live.delete(key);
  }
}

const quantile = (values, q) =>
  [...values].sort((a, b) => a - b)[Math.min(values.length - 1, Math.floor(q * values.length))];

/** The same agent without any backlog. */
async function withoutBacklog() {
  const hub = collector();
  await until('the collector', () => hub.ready);
  const part = agent('empty');
  await until('the agent', () => part.ready);
  await pause(LIVE_S * 1000);
  const mb = residentMb(part.child.pid);
  await parts.end(part);
  await parts.end(hub);
  return mb;
}

async function drain(backlog, lines) {
  const part = agent('full');
  await until('the agent', () => part.ready);
  await pause(3_000);
  const before = residentMb(part.child.pid);
  const hub = collector();
  await until('the collector', () => hub.ready);
  const observer = new Observer(lines, backlog);
  await observer.start();
  await until('the first of the backlog', () => observer.drained > 0);
  const first = { drained: observer.drained, live: observer.liveWindows, ms: performance.now() };
  observer.latencies.length = 0;
  let most = 0;
  // What was written before the connection came about is late because of the outage, not because of the backlog.
  const sinceMs = first.ms;
  for (const [end, ms] of lines.written) if (ms < sinceMs) lines.written.delete(end);
  while (performance.now() - sinceMs < seconds * 1000 && observer.drained < backlog.windows - 1) {
    await pause(200);
    most = Math.max(most, residentMb(part.child.pid));
  }
  const tookS = (performance.now() - first.ms) / 1000;
  const drained = observer.drained - first.drained;
  // A line that nobody has acknowledged is not left out: it is as late as it is old.
  const open = [...lines.written.values()].map((ms) => (performance.now() - ms) / 1000);
  const waiting = open.filter((late) => late > MAX_P99_S);
  const latencies = [...observer.latencies, ...waiting];
  await observer.client.endAsync(true);
  await parts.end(part);
  await parts.end(hub);
  return { before, most, tookS, drained, latencies };
}

try {
  writeFileSync(join(folder, 'line.log'), '');
  const maxBytes = Number(options.megabytes) * 1e6;
  const backlog = await writeBacklog({ folder: join(folder, 'full', 'spool'), agent: AGENT, maxBytes });
  const { hours, windows, batches, bytes } = backlog;
  console.log(
    `backlog: ${windows} windows of ${DEVICES} devices over ${hours.toFixed(1)} h, ${batches} batches, ` +
      `${(bytes / 1e6).toFixed(0)} MB; ${cpus()[0]?.model ?? 'unknown CPU'}, Node ${process.versions.node}`,
  );
  const lines = new Lines();
  lines.start();
  const empty = await withoutBacklog();
  const { before, most, tookS, drained, latencies } = await drain(backlog, lines);
  lines.stop();
  const rate = drained / tookS;
  const results = [
    { name: 'drained', value: Math.round(drained), unit: 'windows' },
    { name: 'drain_rate', value: Math.round(rate), unit: 'windows/s' },
    { name: 'drain_ratio', value: Math.round(rate / DEVICES), unit: '×', least: MIN_RATIO },
    { name: 'live_lines', value: latencies.length, unit: 'lines' },
    { name: 'live_p50', value: Number(quantile(latencies, 0.5)?.toFixed(2)), unit: 's' },
    { name: 'live_p99', value: Number(quantile(latencies, 0.99)?.toFixed(2)), unit: 's', most: MAX_P99_S },
    { name: 'agent_resident_no_backlog', value: Number(empty.toFixed(1)), unit: 'MB' },
    { name: 'agent_resident_before', value: Number(before.toFixed(1)), unit: 'MB' },
    { name: 'agent_resident_draining', value: Number(most.toFixed(1)), unit: 'MB' },
  ];
  console.log(
    `drained for ${tookS.toFixed(0)} s; drain_ratio: × live rate; agent_resident_draining: at most`,
  );
  for (const { name, value, unit, least, most: bound } of results) {
    const good = !(value < least) && !(value > bound);
    if (!good) process.exitCode = 1;
    const judged = least === undefined && bound === undefined ? '' : good ? '  good' : '  NOT GOOD ENOUGH';
    console.log(`${name.padEnd(28)} ${String(value).padStart(9)} ${unit}${judged}`);
  }
  if (options.json) writeResults(options.json, results);
} finally {
  parts.kill();
  rmSync(folder, { recursive: true, force: true });
}
