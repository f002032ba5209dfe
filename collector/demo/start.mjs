#!/usr/bin/env node
/**
 * `npm start`: builds what is stale, starts the collector, three simulated gateways and an agent for this very host,
 * trains them and starts detection. Ctrl-C ends everything. Plain JavaScript: it runs before anything is built.
 */
import { statfsSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { BuildError, build, ROOT } from './build.mjs';
import { Child } from './children.mjs';
import { writeFleet } from './fleet.mjs';
import { bold, complain, dim, progress, say, storageAdvice, warn } from './terminal.mjs';
import { warmUp, warmUpHost } from './warm-up.mjs';

const USAGE = `npm start [-- --classic]

  --classic   leave training and starting to the dashboard's buttons, and back-fill nothing

  LINEHERON_HTTP_PORT   port of the collector and dashboard, 8001
  LINEHERON_MQTT_PORT   port of the embedded MQTT broker, 1883
  LINEHERON_STATE_DIR   where everything is kept, .lineheron`;

const MIN_FREE_MB = 32;
const STOP_DEADLINE_MS = 4_000;
/** A terminal and npm may both deliver one Ctrl-C; only a later one means "at once". */
const SAME_INTERRUPT_MS = 800;

function readOptions() {
  const { values } = parseArgs({
    options: { classic: { type: 'boolean' }, help: { type: 'boolean', short: 'h' } },
  });
  const port = (name, fallback) => {
    const value = Number(process.env[name] ?? fallback);
    if (Number.isInteger(value) && value > 0 && value < 65_536) return value;
    throw new BuildError(`${name} must be a port from 1 to 65535, not ${process.env[name]}`);
  };
  return {
    ...values,
    httpPort: port('LINEHERON_HTTP_PORT', 8001),
    mqttPort: port('LINEHERON_MQTT_PORT', 1883),
    stateFolder: process.env.LINEHERON_STATE_DIR ?? join(ROOT, '.lineheron'),
  };
}

/** A database cannot even be opened on a full disk, and says so in words that mislead. */
function checkSpace(folder) {
  const { bavail, bsize } = statfsSync(folder);
  const freeMb = Math.floor((bavail * bsize) / 1e6);
  if (freeMb >= MIN_FREE_MB) return;
  throw new BuildError(
    `${folder}: the disk is full (${freeMb} MB free, ${MIN_FREE_MB} MB are needed): free some space, or choose another folder (LINEHERON_STATE_DIR)`,
  );
}

class Demo {
  constructor(options) {
    this.options = options;
    this.base = `http://127.0.0.1:${options.httpPort}`;
    this.children = [];
    this.abort = new AbortController();
    this.interruptedAt = null;
  }

  async run() {
    const { stateFolder, httpPort, mqttPort, classic } = this.options;
    await build(this.abort.signal);
    if (this.abort.signal.aborted) return;
    const fleet = writeFleet(stateFolder, { httpPort, mqttPort, backfill: !classic });
    checkSpace(stateFolder);
    const collector = this.child('collector', 'collector', fleet.collector);
    await collector.start();
    say('collector', `${this.base} ${dim('(HTTP, WebSocket, SQLite)')}`);
    say('broker', `mqtt://127.0.0.1:${mqttPort} ${dim('(embedded)')}`);
    const agents = [...fleet.gateways, fleet.host].map(({ id, path }) => this.child(id, 'agent', path));
    await Promise.all(agents.map((agent) => agent.start()));
    for (const { id } of fleet.gateways) say(id, 'simulated gateway, 4 devices, 1 record/s each');
    say(fleet.host.id, 'measures this very machine’s line');
    console.log(`\n  ${bold(`${this.base}/app/`)}  ${dim('Ctrl-C ends everything')}\n`);
    if (classic) return say('classic', 'press Train, then Start, on the dashboard');
    await warmUp(
      this.base,
      fleet.gateways.map(({ id }) => id),
      this.abort.signal,
    );
    if (this.abort.signal.aborted) return undefined;
    say('detection', 'running');
    if (await warmUpHost(this.base, this.abort.signal)) say(fleet.host.id, 'has learnt this machine’s line');
    return undefined;
  }

  child(name, workspace, configPath) {
    const child = new Child({
      name,
      script: join(ROOT, workspace, 'dist', 'main.js'),
      args: ['run', '--config', configPath],
      logPath: join(this.options.stateFolder, 'logs', `${name}.log`),
      environment: childEnvironment(),
      onDeath: (who, code, _words, again) => {
        if (again) warn(who, `ended with ${code}; starting it again ${dim(`(log: ${child.log.path})`)}`);
        else if (child.keepAlive)
          complain(who, `ended with ${code} and stays down ${dim(`(log: ${child.log.path})`)}`);
      },
    });
    this.children.push(child);
    return child;
  }

  /** Sources first, the collector last, and after the deadline whoever is left at once. */
  async stop() {
    this.abort.abort();
    const [collector, ...agents] = this.children;
    const deadline = setTimeout(() => this.kill(), STOP_DEADLINE_MS);
    await Promise.all(agents.map((agent) => agent.stop()));
    await collector?.stop();
    clearTimeout(deadline);
  }

  kill() {
    for (const child of this.children) child.kill();
  }

  async interrupt() {
    const now = performance.now();
    if (this.interruptedAt !== null) {
      if (now - this.interruptedAt < SAME_INTERRUPT_MS) return;
      this.kill();
      process.exit(130);
    }
    this.interruptedAt = now;
    const step = progress('stopping', 'ending every part');
    await this.stop();
    step.end('nothing is left running');
    process.exit(0);
  }
}

/** Settings of the launcher must not leak into the parts as if they were theirs: their files say it all. */
function childEnvironment() {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('LINEHERON_')));
}

async function main() {
  const options = readOptions();
  if (options.help) return console.log(USAGE);
  const demo = new Demo(options);
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => demo.interrupt());
  // npm may die without passing the signal on; who has lost its parent has nobody left to end it.
  const parent = process.ppid;
  setInterval(() => process.ppid !== parent && demo.interrupt(), 500).unref();
  try {
    await demo.run();
  } catch (error) {
    if (demo.abort.signal.aborted) return undefined;
    complain(
      'start',
      error instanceof BuildError ? error.message : (storageAdvice(error) ?? lastLine(error)),
    );
    await demo.stop();
    process.exit(1);
  }
  return undefined;
}

/** What a child said last is one JSON line or one sentence; show the sentence. */
function lastLine(error) {
  const line = String(error.message).trim().split('\n').at(-1) ?? '';
  try {
    return JSON.parse(line).msg ?? line;
  } catch {
    return line;
  }
}

await main().catch((error) => {
  complain('start', storageAdvice(error) ?? (error instanceof Error ? error.message : String(error)));
  process.exitCode = 1;
});
