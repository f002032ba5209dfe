#!/usr/bin/env node
/**
 * `npm run bench:demo`: what `npm start` costs once it is built. Starts it twice on ports and in a folder of its own
 * and prints how long it takes to be ready and to detect, what it uses of a core and of memory, and how long it takes
 * to end. Linux only: it reads /proc.
 *
 *   npm run bench:demo -- [--seconds 60] [--json FILE]
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { writeResults } from './results.mjs';

const LAUNCHER = fileURLToPath(new URL('../../collector/demo/start.mjs', import.meta.url));
const TICKS_PER_SECOND = 100;
const DEADLINE_S = 180;

const { values: options } = parseArgs({
  options: { seconds: { type: 'string', default: '60' }, json: { type: 'string' } },
});

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** Seconds of processor time and resident megabytes of each part, by process id. */
function usage(folder, launcherPid) {
  const parts = readdirSync('/proc').flatMap((pid) => {
    if (!/^\d+$/.test(pid)) return [];
    try {
      const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8');
      if (!command.includes(folder) && Number(pid) !== launcherPid) return [];
      const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ');
      const resident = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
      const name = /([\w-]+)\.yaml/.exec(command)?.[1] ?? 'launcher';
      return [
        { name, cpuS: (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND, mb: resident[1] / 1024 },
      ];
    } catch {
      return []; // It has just ended.
    }
  });
  return { cpuS: parts.reduce((sum, part) => sum + part.cpuS, 0), parts };
}

const folder = mkdtempSync(join(tmpdir(), 'lineheron-bench-demo-'));
const environment = {
  ...process.env,
  LINEHERON_HTTP_PORT: String(await freePort()),
  LINEHERON_MQTT_PORT: String(await freePort()),
  LINEHERON_STATE_DIR: folder,
};
const url = `http://127.0.0.1:${environment.LINEHERON_HTTP_PORT}`;

async function secondsUntil(startedAt, question) {
  while (performance.now() - startedAt < DEADLINE_S * 1000) {
    if (await question().catch(() => false)) return (performance.now() - startedAt) / 1000;
    await pause(50);
  }
  throw new Error(`not there after ${DEADLINE_S} s`);
}

/** One life of the demo: starts it, lets `during` look at it, interrupts it. */
async function live(during) {
  const startedAt = performance.now();
  const child = spawn(process.execPath, [LAUNCHER], { stdio: 'ignore', env: environment });
  const closed = once(child, 'close');
  try {
    const readyS = await secondsUntil(startedAt, async () => (await fetch(`${url}/readyz`)).ok);
    const detectingS = await secondsUntil(
      startedAt,
      async () => (await (await fetch(`${url}/status`)).json()).detecting,
    );
    const seen = await during(child.pid);
    const interruptedAt = performance.now();
    child.kill('SIGINT');
    await closed;
    return { readyS, detectingS, stopS: (performance.now() - interruptedAt) / 1000, ...seen };
  } finally {
    child.kill('SIGKILL');
  }
}

try {
  const seconds = Number(options.seconds);
  const first = await live(async (pid) => {
    await pause(5000);
    const before = usage(folder, pid);
    await pause(seconds * 1000);
    const after = usage(folder, pid);
    return { corePct: (100 * (after.cpuS - before.cpuS)) / seconds, parts: after.parts };
  });
  const second = await live(async () => ({}));
  const rows = [
    { name: 'first_start_detecting', value: first.detectingS, unit: 's' },
    { name: 'second_start_ready', value: second.readyS, unit: 's' },
    { name: 'second_start_detecting', value: second.detectingS, unit: 's' },
    { name: 'stop', value: Math.max(first.stopS, second.stopS), unit: 's' },
    { name: 'all_parts_of_one_core', value: first.corePct, unit: '%' },
    ...first.parts.map(({ name, mb }) => ({ name: `resident_${name}`, value: mb, unit: 'MB' })),
  ].map((row) => ({
    ...row,
    value: Number(row.value.toFixed(1)),
    peer: null,
    peer_value: null,
    ratio: null,
  }));
  console.log(
    `${cpus()[0]?.model ?? 'unknown CPU'}, Node ${process.versions.node}; processor time over ${seconds} s`,
  );
  console.table(rows.map(({ name, value, unit }) => ({ name, value, unit })));
  if (options.json) writeResults(options.json, rows);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
