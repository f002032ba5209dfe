/**
 * The command line: what the arguments ask for, and what to say when they ask for nothing that there is. Pure. An
 * argument that nobody knows is an error: a misspelt one must not be passed over.
 */
import { parseArgs } from 'node:util';
import { didYouMean } from '@lineheron/models/suggest';
import { type ArgsDef, type CommandDef, renderUsage } from 'citty';
import type { Argument, Command, Given } from './commands/command.js';
import { COMMANDS } from './commands/table.js';
import { EXIT_MEANINGS } from './exit-code.js';
import { UsageError } from './usage-error.js';

export type CommandLine =
  | { action: 'perform'; command: Command; given: Given }
  | { action: 'help'; text: string }
  | { action: 'version' };

const NAME = 'lineheron-agent';
const DESCRIPTION = 'Watches the lines of a gateway and reports to a collector';
const HELP = new Set(['--help', '-h', 'help']);

/** `argv` without the program's own name. Throws UsageError. */
export async function parseCommandLine(argv: readonly string[]): Promise<CommandLine> {
  const [name, ...rest] = argv;
  const names = Object.keys(COMMANDS);
  if (name === undefined) throw new UsageError(`no command given; there are: ${names.join(', ')}`);
  if (HELP.has(name)) return { action: 'help', text: await help(rest[0]) };
  if (name === '--version' && rest.length === 0) return { action: 'version' };
  const command = await commandNamed(name);
  const end = rest.indexOf('--');
  if ((end < 0 ? rest : rest.slice(0, end)).some((word) => word === '--help' || word === '-h')) {
    return { action: 'help', text: await commandHelp(command) };
  }
  return { action: 'perform', command, given: givenTo(command, rest) };
}

async function commandNamed(name: string): Promise<Command> {
  if (Object.hasOwn(COMMANDS, name)) return COMMANDS[name]!.load();
  const names = Object.keys(COMMANDS);
  if (name.startsWith('-')) throw new UsageError(`unknown option "${name}"; first comes a command`);
  const hint = didYouMean(name, names) || `; there are: ${names.join(', ')}`;
  throw new UsageError(`unknown command "${name}"${hint}`);
}

async function help(name: string | undefined): Promise<string> {
  if (name !== undefined) return commandHelp(await commandNamed(name));
  const subCommands = Object.fromEntries(
    Object.entries(COMMANDS).map(([key, { description }]) => [key, { meta: { name: key, description } }]),
  );
  const root: CommandDef = { meta: { name: NAME, description: DESCRIPTION }, subCommands };
  const codes = EXIT_MEANINGS.map(([code, meaning]) => `  ${String(code).padStart(3)}  ${meaning}`);
  return `${await renderUsage(root)}\n\nEXIT CODES\n\n${codes.join('\n')}`;
}

async function commandHelp({ name, description, args, help }: Command): Promise<string> {
  const definition = { meta: { name, description }, args: args as ArgsDef };
  const usage = await renderUsage(definition as CommandDef, { meta: { name: NAME } });
  return help ? `${usage.trimEnd()}\n\n${help.trim()}` : usage;
}

/** Checks every word against the command's arguments. Throws UsageError. */
function givenTo(command: Command, argv: readonly string[]): Given {
  const options = Object.entries(command.args).filter(([, { type }]) => type !== 'positional');
  const { tokens, positionals } = parseArgs({
    args: [...argv],
    options: Object.fromEntries(
      options.map(([name, { type }]) => [name, { type: type === 'boolean' ? 'boolean' : 'string' }]),
    ),
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  const values = new Map<string, string[]>();
  for (const token of tokens) {
    if (token.kind !== 'option') continue;
    const known = Object.hasOwn(command.args, token.name) ? command.args[token.name] : undefined;
    if (!known || known.type === 'positional') throw unknownOption(command, token.rawName, options);
    const earlier = values.get(token.name) ?? [];
    if (earlier.length > 0 && !known.multiple) {
      throw new UsageError(`${command.name}: ${token.rawName} is given twice`);
    }
    values.set(token.name, [...earlier, optionValue(command, token.rawName, known, token)]);
  }
  checkWords(command, positionals);
  return {
    _: positionals,
    text: (name) => values.get(name)?.[0],
    texts: (name) => values.get(name) ?? [],
    flag: (name) => values.has(name),
  };
}

function unknownOption({ name }: Command, raw: string, options: readonly [string, Argument][]): UsageError {
  const known = options.map(([option]) => `--${option}`);
  return new UsageError(`${name}: unknown option "${raw}"${didYouMean(raw, known)}`);
}

function optionValue(
  { name }: Command,
  raw: string,
  known: Argument,
  token: { value?: string | undefined; inlineValue?: boolean | undefined },
): string {
  if (known.type === 'boolean') {
    if (token.value !== undefined) throw new UsageError(`${name}: ${raw} takes no value`);
    return '';
  }
  const { value } = token;
  // `-` alone is the name of a stream.
  const isOption = !token.inlineValue && value !== undefined && value.length > 1 && value.startsWith('-');
  if (value === undefined || value === '' || isOption) {
    const hint = known.valueHint ? ` <${known.valueHint}>` : '';
    throw new UsageError(`${name}: ${raw}${hint} needs a value`);
  }
  const choices = known.type === 'enum' ? known.options : undefined;
  if (choices && !choices.includes(value)) {
    throw new UsageError(
      `${name}: ${raw} must be ${choices.join(' or ')}, not "${value}"${didYouMean(value, choices)}`,
    );
  }
  return value;
}

function checkWords({ name, words, args }: Command, given: readonly string[]): void {
  const { min, max } = words ?? { min: 0, max: 0 };
  if (given.length > max) throw new UsageError(`${name}: unexpected argument "${given[max]}"`);
  if (given.length >= min) return;
  const missing = Object.entries(args).find(([, { type }]) => type === 'positional');
  throw new UsageError(
    `${name}: ${missing ? `<${missing[1].valueHint ?? missing[0]}>` : 'an argument'} is missing`,
  );
}
