#!/usr/bin/env node
/** The process edge: arguments in, a command performed, an exit code out (see `exit-code.ts`). */
import { readFile } from 'node:fs/promises';
import { endDespiteLookups, runProgram } from '@lineheron/models/command-line';
import { parseCommandLine } from './command-line.js';
import type { Surroundings } from './commands/command.js';
import { ConfigError } from './config-error.js';
import { EXIT, ExitError } from './exit-code.js';

async function ownVersion(): Promise<string> {
  const text = await readFile(new URL('../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}

function surroundings(version: string): Surroundings {
  return {
    version,
    environment: process.env,
    stdin: process.stdin,
    out: (text) => process.stdout.write(text),
    note: (text) => process.stderr.write(text),
    isTerminal: process.stdout.isTTY === true,
  };
}

async function main(): Promise<number> {
  const line = await parseCommandLine(process.argv.slice(2));
  const version = await ownVersion();
  if (line.action === 'perform') {
    const { exitNow } = await import('@lineheron/native');
    endDespiteLookups(exitNow);
    return line.command.perform(line.given, surroundings(version));
  }
  process.stdout.write(`${line.action === 'help' ? line.text : version}\n`);
  return EXIT.ok;
}

function codeOf(error: unknown): number {
  if (error instanceof ExitError) return error.code;
  return error instanceof ConfigError ? EXIT.config : EXIT.failed;
}

await runProgram('lineheron-agent', main, codeOf);
