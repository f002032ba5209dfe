/**
 * The command lines of both programs: what the arguments ask for, and what to say when they ask for nothing that there
 * is. An argument that nobody knows is an error: a misspelt one must not be passed over. For Node only.
 */
import { parseArgs } from 'node:util';
import { didYouMean } from '../suggest.js';
import { commandHelp, programHelp } from './help.js';

/** Arguments that cannot be followed. The message is for people. */
export class UsageError extends Error {}

/** An option or positional; `multiple` ones may be given again. */
export interface Argument {
  type: 'string' | 'boolean' | 'enum' | 'positional';
  description: string;
  /** What stands for the value in help and complaints. */
  valueHint?: string;
  /** Of an `enum`. */
  options?: readonly string[];
  multiple?: boolean;
}

/** What was given: text, true for a switch, a list for `multiple`. Positionals are under `_`. */
export interface Given {
  readonly _: readonly string[];
  text(name: string): string | undefined;
  texts(name: string): readonly string[];
  flag(name: string): boolean;
}

export interface CommandSpec {
  name: string;
  description: string;
  args: Readonly<Record<string, Argument>>;
  /** Further help below the options: behaviour, limits, examples. */
  help?: string;
  /** The fewest and the most words beside the options; none when absent. */
  words?: { min: number; max: number };
}

export interface Program<C extends CommandSpec> {
  name: string;
  description: string;
  commands: Readonly<Record<string, { description: string; load: () => Promise<C> }>>;
  /** Exit codes and what they mean. */
  exitCodes: readonly (readonly [code: number, meaning: string])[];
}

export type CommandLine<C extends CommandSpec> =
  | { action: 'perform'; command: C; given: Given }
  | { action: 'help'; text: string }
  | { action: 'version' };

const HELP = new Set(['--help', '-h', 'help']);

/** `argv` without the program's own name. Throws UsageError. */
export async function parseCommandLine<C extends CommandSpec>(
  program: Program<C>,
  argv: readonly string[],
): Promise<CommandLine<C>> {
  const [name, ...rest] = argv;
  if (name === undefined) {
    throw new UsageError(`no command given; there are: ${Object.keys(program.commands).join(', ')}`);
  }
  if (HELP.has(name)) return { action: 'help', text: await help(program, rest) };
  if (name === '--version' && rest.length === 0) return { action: 'version' };
  const command = await commandNamed(program, name);
  const end = rest.indexOf('--');
  if ((end < 0 ? rest : rest.slice(0, end)).some((word) => word === '--help' || word === '-h')) {
    return { action: 'help', text: commandHelp(program.name, command) };
  }
  return { action: 'perform', command, given: givenTo(command, rest) };
}

async function help<C extends CommandSpec>(program: Program<C>, [name]: readonly string[]): Promise<string> {
  if (name === undefined) return programHelp(program);
  return commandHelp(program.name, await commandNamed(program, name));
}

async function commandNamed<C extends CommandSpec>({ commands }: Program<C>, name: string): Promise<C> {
  if (Object.hasOwn(commands, name)) return commands[name]!.load();
  const names = Object.keys(commands);
  if (name.startsWith('-')) throw new UsageError(`unknown option "${name}"; first comes a command`);
  const hint = didYouMean(name, names) || `; there are: ${names.join(', ')}`;
  throw new UsageError(`unknown command "${name}"${hint}`);
}

/** Checks every word against the command's arguments. Throws UsageError. */
function givenTo(command: CommandSpec, argv: readonly string[]): Given {
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

function unknownOption(
  { name }: CommandSpec,
  raw: string,
  options: readonly [string, Argument][],
): UsageError {
  const known = options.map(([option]) => `--${option}`);
  return new UsageError(`${name}: unknown option "${raw}"${didYouMean(raw, known)}`);
}

function optionValue(
  { name }: CommandSpec,
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

function checkWords({ name, words, args }: CommandSpec, given: readonly string[]): void {
  const { min, max } = words ?? { min: 0, max: 0 };
  if (given.length > max) throw new UsageError(`${name}: unexpected argument "${given[max]}"`);
  if (given.length >= min) return;
  const missing = Object.entries(args).find(([, { type }]) => type === 'positional');
  throw new UsageError(
    `${name}: ${missing ? `<${missing[1].valueHint ?? missing[0]}>` : 'an argument'} is missing`,
  );
}
