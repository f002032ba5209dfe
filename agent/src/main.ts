#!/usr/bin/env node
/** The process edge: arguments in, a command performed, an exit code out (see `exit-code.ts`). */
import { readFile } from 'node:fs/promises';
import { stripVTControlCharacters } from 'node:util';
import { parseCommandLine } from './command-line.js';
import type { Surroundings } from './commands/command.js';
import { ConfigError } from './config-error.js';
import { EXIT, ExitError } from './exit-code.js';
import { messageOf } from './log.js';
import { UsageError } from './usage-error.js';

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
  if (line.action === 'perform') return line.command.perform(line.given, surroundings(version));
  const text = line.action === 'help' ? line.text : version;
  process.stdout.write(`${process.stdout.isTTY ? text : stripVTControlCharacters(text)}\n`);
  return EXIT.ok;
}

function codeOf(error: unknown): number {
  if (error instanceof ExitError) return error.code;
  if (error instanceof UsageError) return EXIT.usage;
  return error instanceof ConfigError ? EXIT.config : EXIT.failed;
}

/** Ends once both streams have taken what was written: a pipe may take it later. A fault of one comes first. */
function end(code: number): void {
  process.exitCode = code;
  process.stdout.write('', (error) => {
    if (!error) process.stderr.write('', () => process.exit(code));
  });
}

process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  // Whoever closes the pipe early has read enough.
  if (error.code === 'EPIPE') process.exit(EXIT.ok);
  process.stderr.write(`lineheron-agent: standard output: ${error.message}\n`);
  process.exit(EXIT.cannotCreate);
});
await main().then(end, (error: unknown) => {
  const hint = error instanceof UsageError ? ' (--help tells more)' : '';
  process.stderr.write(`lineheron-agent: ${messageOf(error)}${hint}\n`);
  end(codeOf(error));
});
