/** Help texts: plain, without colours, so that they are the same on a terminal and in a pipe. Pure. */
import type { Argument, CommandSpec, Program } from './parse.js';

const WIDTH = 100;
const MAX_NAME = 32;

export function programHelp<C extends CommandSpec>(program: Program<C>): string {
  const { name, description, commands, exitCodes } = program;
  const codes = exitCodes.map(([code, meaning]) => `  ${String(code).padStart(3)}  ${meaning}`);
  const rows = Object.entries(commands).map(([command, { description: what }]) => [command, what] as const);
  return [
    `${name}: ${description}`,
    '',
    `USAGE  ${name} ${Object.keys(commands).join('|')}`,
    '',
    'COMMANDS',
    '',
    ...table(rows),
    '',
    `"${name} <command> --help" tells more of each; --version prints the version.`,
    '',
    'EXIT CODES',
    '',
    ...codes,
  ].join('\n');
}

export function commandHelp(program: string, { name, description, args, help }: CommandSpec): string {
  const all = Object.entries(args);
  const words = all.filter(([, { type }]) => type === 'positional');
  const options = all.filter(([, { type }]) => type !== 'positional');
  const shown = words.map(([word, { valueHint }]) => ` <${valueHint ?? word}>`).join('');
  const rows = (list: readonly [string, Argument][]) =>
    list.map(([word, argument]) => [optionText(word, argument), argument.description] as const);
  return [
    `${program} ${name}: ${description}`,
    '',
    `USAGE  ${program} ${name}${options.length > 0 ? ' [options]' : ''}${shown}`,
    ...(words.length > 0 ? ['', 'ARGUMENTS', '', ...table(rows(words))] : []),
    ...(options.length > 0 ? ['', 'OPTIONS', '', ...table(rows(options))] : []),
    ...(help ? ['', help.trim()] : []),
  ].join('\n');
}

function optionText(name: string, { type, valueHint, options }: Argument): string {
  if (type === 'positional') return valueHint ?? name;
  if (type === 'boolean') return `--${name}`;
  return `--${name}=<${type === 'enum' && options ? options.join('|') : (valueHint ?? name)}>`;
}

/** Two columns; a long name has a line of its own. */
function table(rows: readonly (readonly [string, string])[]): string[] {
  const width = Math.min(MAX_NAME, Math.max(0, ...rows.map(([name]) => name.length)));
  return rows.flatMap(([name, description]) => {
    const [first = '', ...others] = wrapped(description, WIDTH - width - 4);
    const indent = ' '.repeat(width + 4);
    const rest = others.map((line) => indent + line);
    if (name.length > width) return [`  ${name}`, indent + first, ...rest];
    return [`  ${name.padEnd(width)}  ${first}`, ...rest];
  });
}

function wrapped(text: string, width: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= width)
      lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines;
}
