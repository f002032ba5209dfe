#!/usr/bin/env node
/**
 * `npm run bench:page`: what it costs to look at a fleet. A built collector takes a window and a record a second for
 * each line over MQTT. A bare WebSocket client that looks at one line, and the real page in Chromium, are measured on
 * the wire; of the page also what blocks it and how soon Find answers; of the collector what many viewers cost. Ends
 * with 1 when a goal is missed at 1,000 lines.
 *
 *   npm run bench:page -- [--lines 17,1000] [--seconds 60] [--viewers 50] [--pictures FOLDER] [--json FILE]
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { WebSocket } from 'ws';
import { measurePage } from './page-browser.mjs';
import { lineKey, PageFleet } from './page-fleet.mjs';
import { Wire } from './page-wire.mjs';
import { writeResults } from './results.mjs';
import { freePort, Parts, pause, until } from './running.mjs';

const MAX_FIRST_FRAME_KB = 150;
const MAX_RATE_KB = 20;
const MAX_BLOCKED_MS = 50;
/** So long lines report before anybody looks. */
const WARM_MS = 5_000;
/** A kernel's clock tick, in seconds. */
const TICK_S = 0.01;

const { values: options } = parseArgs({
  options: {
    lines: { type: 'string', default: '17,1000' },
    seconds: { type: 'string', default: '60' },
    viewers: { type: 'string', default: '50' },
    pictures: { type: 'string' },
    json: { type: 'string' },
  },
});
const seconds = Number(options.seconds);
const folder = mkdtempSync(join(tmpdir(), 'lineheron-page-'));
const parts = new Parts(folder);

const cpuS = (pid) => {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ');
  return (Number(fields[11]) + Number(fields[12])) * TICK_S;
};

/** Connects and resolves to the socket with its first frame. */
async function look(port, line) {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/ws?lines=${encodeURIComponent(line)}`);
  const first = await new Promise((resolve, reject) => {
    socket.once('message', resolve);
    socket.once('error', reject);
  });
  return { socket, first };
}

async function measureFeed(port, line) {
  const wire = new Wire(port);
  const own = await wire.start();
  const { socket, first } = await look(own, line);
  const firstFrame = wire.bytes;
  const rate = (await wire.during(() => pause(seconds * 1000))) / seconds;
  socket.terminate();
  wire.stop();
  return { firstFrame, plain: first.length, rate };
}

/** Share of one core that the collector uses, without and with viewers. */
async function measureViewers(port, pid, lines) {
  const share = async () => {
    const before = cpuS(pid);
    await pause((seconds * 1000) / 4);
    return (cpuS(pid) - before) / (seconds / 4);
  };
  const alone = await share();
  const viewers = await Promise.all(
    Array.from({ length: Number(options.viewers) }, (_, at) => look(port, lineKey(at % lines))),
  );
  const watched = await share();
  for (const { socket } of viewers) socket.terminate();
  return { alone, watched };
}

async function measure(lines) {
  const [httpPort, mqttPort] = [await freePort(), await freePort()];
  const hub = parts.begin([], 'collector', `collector-${lines}`, {
    data_dir: join(folder, String(lines)),
    http: { port: httpPort },
    mqtt: { port: mqttPort },
  });
  await until('the collector', () => hub.ready);
  const fleet = new PageFleet(`mqtt://127.0.0.1:${mqttPort}`, lines);
  await fleet.start();
  const reporting = async () => {
    const answer = await fetch(`http://127.0.0.1:${httpPort}/status`);
    return (await answer.json()).watching.of === lines;
  };
  await until('all lines', reporting);
  await pause(WARM_MS);
  const feed = await measureFeed(httpPort, lineKey(0));
  const viewers = await measureViewers(httpPort, hub.child.pid, lines);
  const wire = new Wire(httpPort);
  const url = `http://127.0.0.1:${await wire.start()}`;
  const picture = options.pictures && join(options.pictures, `page-${lines}.png`);
  const page = await measurePage({ url, wire, seconds, picture });
  wire.stop();
  await fleet.stop();
  await parts.end(hub);
  return figures(lines, feed, viewers, page);
}

const kb = (bytes) => Number((bytes / 1000).toFixed(1));
const percent = (share) => Number((share * 100).toFixed(1));

function figures(lines, feed, viewers, page) {
  const goals = lines >= 1000;
  const bound = (most) => (goals ? { most } : {});
  const name = (what) => `${what}_${lines}`;
  const of = (what, value, unit, more = {}) => ({ name: name(what), value, unit, ...more });
  const ofFeed = [
    of('feed_first_frame', kb(feed.firstFrame), 'kB', bound(MAX_FIRST_FRAME_KB)),
    of('feed_first_frame_plain', kb(feed.plain), 'kB'),
    of('feed_rate', kb(feed.rate), 'kB/s', bound(MAX_RATE_KB)),
    of('collector_cpu', percent(viewers.alone), '%'),
    of(`collector_cpu_${options.viewers}_viewers`, percent(viewers.watched), '%'),
  ];
  if (page === null) return ofFeed;
  const { tasks } = page;
  return [
    ...ofFeed,
    of('page_load', kb(page.load), 'kB'),
    of('page_rate', kb(page.rate), 'kB/s', bound(MAX_RATE_KB)),
    of('page_rows', page.rendered, 'rows'),
    of('page_busy', percent(page.busy), '%'),
    of('page_long_tasks', Number(((tasks.length * 60) / seconds).toFixed(1)), '/min'),
    of('page_longest_task', Math.round(Math.max(0, ...tasks)), 'ms'),
    of('page_longest_task_cpu', Math.round(page.cpuMs), 'ms', bound(MAX_BLOCKED_MS)),
    of('page_find', Math.round(page.find), 'ms', bound(MAX_BLOCKED_MS)),
  ];
}

try {
  console.log(`${cpus()[0]?.model ?? 'unknown processor'}, Node ${process.versions.node}`);
  const results = [];
  for (const lines of options.lines.split(',').map(Number)) {
    for (const figure of await measure(lines)) {
      const { name, value, unit, most } = figure;
      const missed = value > most;
      if (missed) process.exitCode = 1;
      const judged = most === undefined ? '' : missed ? `  NOT GOOD ENOUGH (at most ${most})` : '  good';
      console.log(`${name.padEnd(34)} ${String(value).padStart(8)} ${unit}${judged}`);
      results.push(figure);
    }
  }
  if (options.json) writeResults(options.json, results);
} finally {
  parts.kill();
  rmSync(folder, { recursive: true, force: true });
}
