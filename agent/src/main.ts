#!/usr/bin/env node
/** The process edge: arguments, configuration, signals, exit codes (0 ended as asked, 1 failed, 2 wrong setup). */
import { randomBytes } from 'node:crypto';
import { mkdir, readFile } from 'node:fs/promises';
import { defineCommand, runMain } from 'citty';
import { Agent } from './agent.js';
import { systemClock } from './clock.js';
import { ConfigError, loadConfig } from './config.js';
import { LockedError } from './lock.js';
import { createLog, messageOf } from './log.js';

const STOP_DEADLINE_MS = 2_800;

function end(code: number, message?: string): never {
  if (message) process.stderr.write(`lineheron-agent: ${message}\n`);
  process.exit(code);
}

async function run(path: string): Promise<void> {
  const config = await loadConfig(path, process.env);
  const packageText = await readFile(new URL('../package.json', import.meta.url), 'utf8');
  const { version } = JSON.parse(packageText) as { version: string };
  const log = createLog(config.log_level, config.agent_id);
  await mkdir(config.data_dir, { recursive: true, mode: 0o700 }).catch((error) => {
    throw new ConfigError(`data_dir: ${messageOf(error)}`);
  });
  const send = (message: object) => process.connected && process.send?.(message, () => {});
  const agent = new Agent({
    config,
    version,
    boot: randomBytes(8).toString('hex'),
    pid: process.pid,
    clock: systemClock,
    random: Math.random,
    log,
    onPhase: (phase) => send({ type: 'phase', phase }),
    onFailure: (error) => stop(1, `the source failed: ${messageOf(error)}`),
  });
  let stopping = false;
  const stop = (code: number, message?: string): void => {
    if (stopping) end(code || 130);
    stopping = true;
    setTimeout(() => end(1, 'could not end in time'), STOP_DEADLINE_MS).unref();
    agent.stop().then(
      () => end(code, message),
      (error) => end(1, messageOf(error)),
    );
  };
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => stop(0));
  process.on('disconnect', () => stopping || stop(0));
  await agent.start();
  log.info({ version, source: config.source.type, broker: config.mqtt.url }, 'lineheron-agent is running');
  send({ type: 'ready' });
}

const runCommand = defineCommand({
  meta: { name: 'run', description: 'Run the agent until it is told to end' },
  args: { config: { type: 'string', required: true, description: 'Configuration file (YAML)' } },
  run: ({ args }) =>
    run(args.config).catch((error) => {
      const setup = error instanceof ConfigError;
      end(
        setup || error instanceof LockedError ? 2 : 1,
        setup ? `${args.config}: ${error.message}` : messageOf(error),
      );
    }),
});

await runMain(defineCommand({ meta: { name: 'lineheron-agent' }, subCommands: { run: runCommand } }));
