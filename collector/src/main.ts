#!/usr/bin/env node
/** The process edge: arguments in, a command performed, an exit code out. */
import { createRequire } from 'node:module';
import { EXIT, parseCommandLine, runProgram } from '@lineheron/models/command-line';
import { BusyError } from './busy-error.js';
import { config } from './commands/config.js';
import { run } from './commands/run.js';
import { ConfigError } from './config.js';
import { StoreError } from './store/store.js';

const { version } = createRequire(import.meta.url)('../package.json') as { version: string };

const PROGRAM = {
  name: 'lineheron-collector',
  description: 'Collects what agents find, gives a second opinion and shows it',
  commands: Object.fromEntries(
    [run, config].map((command) => [command.name, { ...command, load: async () => command }]),
  ),
  exitCodes: [
    [EXIT.ok, 'ended as asked'],
    [EXIT.failed, 'failed; the message says why'],
    [EXIT.usage, 'wrong command line'],
    [EXIT.data, 'the store is damaged'],
    [EXIT.busy, 'another collector holds the data folder or serves the broker'],
    [EXIT.config, 'wrong configuration, or a port is taken'],
  ] as const,
};

/** Null while the collector runs: a signal ends it. */
async function main(): Promise<number | null> {
  const line = await parseCommandLine(PROGRAM, process.argv.slice(2));
  if (line.action === 'perform') {
    return line.command.perform(line.given, {
      version,
      environment: process.env,
      out: (text) => process.stdout.write(text),
      note: (text) => process.stderr.write(text),
    });
  }
  process.stdout.write(`${line.action === 'help' ? line.text : version}\n`);
  return EXIT.ok;
}

function codeOf(error: unknown): number {
  if (error instanceof ConfigError) return EXIT.config;
  if (error instanceof BusyError) return EXIT.busy;
  return error instanceof StoreError ? EXIT.data : EXIT.failed;
}

await runProgram(PROGRAM.name, main, codeOf);
