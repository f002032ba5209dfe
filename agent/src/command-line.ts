/**
 * The command line: what the arguments ask for, and what to say when they ask for nothing that there is. Pure. An
 * argument that nobody knows is an error: a misspelt one must not be passed over.
 */
import { type CommandDef, parseArgs, renderUsage } from 'citty';

/** Arguments that cannot be followed. The message is for people. */
export class UsageError extends Error {}

export type CommandLine =
  | { action: 'run'; config: string }
  | { action: 'help'; text: string }
  | { action: 'version' };

const NAME = 'lineheron-agent';

const runArgs = {
  config: { type: 'string', required: true, description: 'Configuration file (YAML)', valueHint: 'file' },
} as const;

const runCommand: CommandDef = {
  meta: { name: 'run', description: 'Run the agent until it is told to end' },
  args: runArgs,
};

const rootCommand: CommandDef = {
  meta: { name: NAME, description: 'Watches the lines of a gateway and reports to a collector' },
  subCommands: { run: runCommand },
};

const HELP = new Set(['--help', '-h']);

/** `argv` without the program's own name. Throws UsageError. */
export async function parseCommandLine(argv: readonly string[]): Promise<CommandLine> {
  const [command, ...rest] = argv;
  if (command === undefined) throw new UsageError(`no command given; there is: run --config <file>`);
  if (HELP.has(command)) return { action: 'help', text: await renderUsage(rootCommand) };
  if (command === '--version' && rest.length === 0) return { action: 'version' };
  if (command !== 'run') {
    const what = command.startsWith('-') ? 'option' : 'command';
    throw new UsageError(`unknown ${what} "${command}"; there is: run --config <file>`);
  }
  if (rest.some((argument) => HELP.has(argument))) {
    return { action: 'help', text: await renderUsage(runCommand, rootCommand) };
  }
  return { action: 'run', config: configOf(rest) };
}

function configOf(argv: readonly string[]): string {
  // Without the requirement: what is missing is said below, in one place, with all else that can be wrong.
  const args = parseArgs([...argv], { config: { ...runArgs.config, required: false } });
  const { _: words, config, ...others } = args as { _: string[]; config?: string; [name: string]: unknown };
  const [unknown] = Object.keys(others);
  if (unknown !== undefined) {
    throw new UsageError(`run: unknown option "${unknown.length > 1 ? '--' : '-'}${unknown}"`);
  }
  if (words.length > 0) throw new UsageError(`run: unexpected argument "${words[0]}"`);
  if (config === undefined) throw new UsageError('run: --config <file> is missing');
  if (config === '' || config.startsWith('-')) throw new UsageError('run: --config needs the name of a file');
  return config;
}
