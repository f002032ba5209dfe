/** The agent's command line: its commands, their help, and what was given. */
import { type CommandLine, parseCommandLine as parse } from '@lineheron/models/command-line';
import type { Command } from './commands/command.js';
import { COMMANDS } from './commands/table.js';
import { EXIT_MEANINGS } from './exit-code.js';

const PROGRAM = {
  name: 'lineheron-agent',
  description: 'Watches the lines of a gateway and reports to a collector',
  commands: COMMANDS,
  exitCodes: EXIT_MEANINGS,
};

/** `argv` without the program's own name. Throws UsageError. */
export function parseCommandLine(argv: readonly string[]): Promise<CommandLine<Command>> {
  return parse(PROGRAM, argv);
}
