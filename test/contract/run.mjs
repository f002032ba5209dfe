#!/usr/bin/env node
/**
 * `npm run contract`: Schemathesis tries every operation of /openapi.json, with all its checks and in sequences, on a
 * collector with an agent. Exit code 1 when anything was found. Schemathesis is installed once into an environment of
 * its own, below the system's folder for temporary files; where that is not possible, this is skipped and says why.
 *
 *   npm run contract -- [--seconds 120] [--examples 30] [--seed 1]
 */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const VERSION = '4.32.5';
const VENV = join(tmpdir(), `lineheron-schemathesis-${VERSION}`);
const SCHEMATHESIS = join(VENV, 'bin', 'schemathesis');
const READY_MS = 30_000;

const { values: options } = parseArgs({
  options: {
    seconds: { type: 'string', default: '120' },
    examples: { type: 'string', default: '30' },
    seed: { type: 'string', default: '1' },
  },
});

/** Null when it is there, else why it is not. */
function install() {
  if (existsSync(SCHEMATHESIS)) return null;
  const steps = [
    ['python3', ['-m', 'venv', VENV]],
    [join(VENV, 'bin', 'pip'), ['install', '--quiet', `schemathesis==${VERSION}`]],
  ];
  for (const [command, args] of steps) {
    const { error, status, stderr } = spawnSync(command, args, { encoding: 'utf8' });
    if (error || status !== 0) {
      rmSync(VENV, { recursive: true, force: true });
      return `${command} ${args.join(' ')}: ${(error?.message ?? stderr).trim().split('\n').at(-1)}`;
    }
  }
  return null;
}

function freePort() {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

/** Resolves when the program says over its channel that it is ready. */
function start(workspace, folder, config) {
  const path = join(folder, `${workspace}.json`);
  writeFileSync(path, JSON.stringify(config));
  const main = join(ROOT, workspace, 'dist', 'main.js');
  const child = spawn(process.execPath, [main, 'run', '--config', path], {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`the ${workspace} is not ready`)), READY_MS);
    child.once('message', () => {
      clearTimeout(timer);
      resolve(child);
    });
    child.once('exit', (code) => reject(new Error(`the ${workspace} ended with code ${code}`)));
  });
}

/** Waits until there is something to be found. */
async function windows(url) {
  for (const deadline = Date.now() + READY_MS; Date.now() < deadline; ) {
    const { results } = await (await fetch(`${url}/recent-results?limit=1`)).json();
    if (results.length > 0) return;
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
  throw new Error('the agent sent no windows');
}

function schemathesis(url, folder) {
  const args = ['run', `${url}/openapi.json`, '--checks', 'all', '--continue-on-failure'];
  const limits = ['-n', options.examples, '--max-time', options.seconds, '--seed', options.seed];
  // It keeps a cache beside itself, which has no business here.
  const child = spawn(SCHEMATHESIS, [...args, ...limits], { stdio: 'inherit', cwd: folder });
  return new Promise((resolve) => child.once('close', resolve));
}

const reason = install();
if (reason !== null) {
  console.log(`SKIPPED: Schemathesis cannot be installed here. ${reason}`);
  process.exit(0);
}
const folder = mkdtempSync(join(tmpdir(), 'lineheron-contract-'));
const parts = [];
try {
  const [http, mqtt] = [await freePort(), await freePort()];
  const url = `http://127.0.0.1:${http}`;
  const quiet = { log_level: 'warn' };
  const collector = { ...quiet, data_dir: join(folder, 'c'), http: { port: http }, mqtt: { port: mqtt } };
  parts.push(await start('collector', folder, collector));
  const source = { type: 'generate', devices: 4, backfill_minutes: 5 };
  const agent = {
    ...quiet,
    agent_id: 'gw-1',
    data_dir: join(folder, 'a'),
    mqtt: { url: `mqtt://127.0.0.1:${mqtt}` },
    source,
  };
  parts.push(await start('agent', folder, agent));
  await windows(url);
  process.exitCode = (await schemathesis(url, folder)) === 0 ? 0 : 1;
} finally {
  for (const part of parts.reverse()) {
    part.removeAllListeners('exit');
    const ended = new Promise((resolve) => part.once('exit', resolve));
    part.kill();
    await ended;
  }
  rmSync(folder, { recursive: true, force: true });
}
