#!/usr/bin/env node
/** The process edge: arguments, configuration, signals, exit codes (0 ended as asked, 1 failed, 2 wrong setup). */
import { randomBytes } from 'node:crypto';
import { mkdir, readFile } from 'node:fs/promises';
import { Agent } from './agent.js';
import { systemClock } from './clock.js';
import { type CommandLine, parseCommandLine, UsageError } from './command-line.js';
import { ConfigError, loadConfig } from './config.js';
import { LockedError } from './lock.js';
import { createLog, messageOf } from './log.js';

const STOP_DEADLINE_MS = 2_800;

function end(code: number, message?: string): never {
  if (message) process.stderr.write(`lineheron-agent: ${message}\n`);
  process.exit(code);
}

async function ownVersion(): Promise<string> {
  const text = await readFile(new URL('../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}

async function run(path: string): Promise<void> {
  const config = await loadConfig(path, process.env);
  const version = await ownVersion();
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
    onEnded: () => stop(0),
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
  const sources = config.sources.map(({ type }) => type);
  log.info({ version, sources, broker: config.mqtt.url }, 'lineheron-agent is running');
  send({ type: 'ready' });
}

async function perform(command: CommandLine): Promise<void> {
  if (command.action === 'help') process.stdout.write(`${command.text}\n`);
  else if (command.action === 'version') process.stdout.write(`${await ownVersion()}\n`);
  else {
    await run(command.config).catch((error) => {
      const setup = error instanceof ConfigError;
      end(
        setup || error instanceof LockedError ? 2 : 1,
        setup ? `${command.config}: ${error.message}` : messageOf(error),
      );
    });
  }
}

await parseCommandLine(process.argv.slice(2)).then(perform, (error) => {
  const usage = error instanceof UsageError;
  end(usage ? 2 : 1, usage ? `${error.message} (--help tells more)` : messageOf(error));
});
