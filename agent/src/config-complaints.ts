/**
 * What is wrong with a configuration, in words: the key's path, what stands there, what is expected and what was
 * probably meant. A secret is never repeated. Pure.
 */
import { didYouMean, nearest } from '@lineheron/models/suggest';
import type { z } from 'zod';
import { isObject, type KeyNode, nodeAt } from './config-keys.js';
import { movedValue, numberFor, splitKey, unitWords } from './config-units.js';

type Path = readonly PropertyKey[];

const MAX_SHOWN = 60;

/** Values under these keys, and addresses that may hold one, are not repeated. */
const isSecret = (path: Path) => /password|secret|token|url/.test(String(path.at(-1)));

/** What stands in the place of something else may hold a secret all the same: an address, or keys with their values. */
const mayHoldSecret = (text: string) => /@|password|secret|token/i.test(text);

function valueAt(raw: unknown, path: Path): unknown {
  return path.reduce<unknown>(
    (here, step) =>
      (Array.isArray(here) || isObject(here)) && Object.hasOwn(here, step)
        ? (here as Record<PropertyKey, unknown>)[step]
        : undefined,
    raw,
  );
}

function found(raw: unknown, path: Path): string {
  const value = valueAt(raw, path);
  if (value === undefined || isSecret(path)) return '';
  const text = JSON.stringify(value) ?? String(value);
  if (mayHoldSecret(text)) return '';
  return `, found ${text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}…` : text}`;
}

/** Where a key of this name stands elsewhere in the configuration, as a path. */
function elsewhere(node: KeyNode, key: string, under: readonly string[] = []): string | null {
  for (const [name, inner] of Object.entries(node.properties ?? {})) {
    if (name === key && under.length > 0) return [...under, name].join('.');
    const deeper = elsewhere(inner, key, [...under, name]);
    if (deeper) return deeper;
  }
  return null;
}

function suggestKey(root: KeyNode, path: Path, key: string, raw: unknown): string {
  const known = Object.keys(nodeAt(root, path, raw)?.properties ?? {});
  const { stem, unit } = splitKey(key);
  const sameStem = known.find((name) => splitKey(name).stem === stem);
  if (sameStem) {
    const number = movedValue(key, sameStem, valueAt(raw, [...path, key]));
    const units = unitWords(sameStem);
    const inUnits = unit && units ? ` in ${units}` : '';
    return ` (did you mean "${sameStem}"${inUnits}${number === null ? '' : `: ${number}`}?)`;
  }
  if (nearest(key, known)) return didYouMean(key, known);
  const other = elsewhere(root, key);
  if (other) return ` (did you mean "${other}"?)`;
  return known.length > 0 && known.length <= 12 ? ` (known here: ${known.join(', ')})` : '';
}

function numberWanted(path: Path, value: unknown): string {
  const key = String(path.at(-1));
  const units = unitWords(key);
  const unitText = units ? `; it is in ${units}` : '';
  const number = typeof value === 'string' ? numberFor(key, value) : null;
  return number === null ? unitText : `${unitText}: write ${number}`;
}

const WANTED: Readonly<Record<string, string>> = {
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'keys and values',
  record: 'keys and values',
};

function wrongType(issue: z.core.$ZodIssueInvalidType, raw: unknown): string {
  const value = valueAt(raw, issue.path);
  const wanted = WANTED[issue.expected] ?? issue.expected;
  if (value === undefined) return `is missing: must be ${wanted}`;
  const text = `must be ${wanted}${found(raw, issue.path)}`;
  if (issue.expected === 'number' || issue.expected === 'int') {
    return `${text}${numberWanted(issue.path, value)}`;
  }
  if (issue.expected === 'boolean' && typeof value === 'string') {
    if (/^(yes|on)$/i.test(value)) return `${text}: write true`;
    if (/^(no|off)$/i.test(value)) return `${text}: write false`;
  }
  if (issue.expected === 'array') {
    return `${text}: write [${typeof value === 'string' && !mayHoldSecret(value) ? value : '…'}]`;
  }
  if (issue.expected === 'string' && !isSecret(issue.path) && typeof value !== 'object') {
    return `${text}: write "${String(value)}"`;
  }
  return text;
}

function oneOf(options: readonly unknown[], raw: unknown, path: Path): string {
  const value = valueAt(raw, path);
  const words = options.map(String);
  const list = `must be ${words.length > 1 ? 'one of ' : ''}${words.join(', ')}`;
  if (value === undefined) return `is missing: ${list}`;
  return `${list}${found(raw, path)}${typeof value === 'string' ? didYouMean(value, words) : ''}`;
}

function outOfRange(issue: z.core.$ZodIssueTooBig | z.core.$ZodIssueTooSmall, raw: unknown): string {
  const [edge, word] =
    issue.code === 'too_big'
      ? [issue.maximum, issue.inclusive === false ? 'less than' : 'at most']
      : [issue.minimum, issue.inclusive === false ? 'more than' : 'at least'];
  const what =
    issue.origin === 'string'
      ? ' characters'
      : issue.origin === 'array' || issue.origin === 'set'
        ? ' entries'
        : '';
  const value = valueAt(raw, issue.path);
  const share = typeof value === 'number' ? numberFor(String(issue.path.at(-1)), `${value}%`) : null;
  const hint = issue.code === 'too_big' && share !== null ? `: ${value} % is ${share}` : '';
  return `must be ${word} ${edge}${what}${found(raw, issue.path)}${hint}`;
}

function union(issue: z.core.$ZodIssueInvalidUnion, root: KeyNode, raw: unknown): string[] {
  const { path } = issue;
  const known = nodeAt(root, path, raw)?.enum;
  if (known) return [`${named(path)}: ${oneOf(known, raw, path)}`];
  // The shape that fits best is the one with the fewest faults.
  const shapes = issue.errors
    .filter((errors) => errors.length > 0)
    .map((errors) =>
      errors.map((inner) => ({ ...inner, path: [...path, ...inner.path] }) as z.core.$ZodIssue),
    )
    .sort((a, b) => a.length - b.length || b[0]!.path.length - a[0]!.path.length);
  if (!shapes[0]) return [`${named(path)}: ${issue.message}${found(raw, path)}`];
  if (shapes[0][0]!.path.length > path.length)
    return shapes[0].flatMap((inner) => complaint(inner, root, raw));
  const wants = shapes.flatMap((errors) =>
    errors[0]!.code === 'invalid_type' ? (WANTED[errors[0]!.expected] ?? errors[0]!.expected) : [],
  );
  if (wants.length === shapes.length) {
    return [`${named(path)}: must be ${[...new Set(wants)].join(' or ')}${found(raw, path)}`];
  }
  const deepest = shapes.find((errors) => errors[0]!.code !== 'invalid_type') ?? shapes[0];
  return deepest.flatMap((inner) => complaint(inner, root, raw));
}

const named = (path: Path) => (path.length > 0 ? path.join('.') : '(top level)');

/** One line a fault; `raw` is the configuration before checks, `root` its JSON Schema. */
export function complaint(issue: z.core.$ZodIssue, root: KeyNode, raw: unknown): string[] {
  const at = named(issue.path);
  switch (issue.code) {
    case 'unrecognized_keys':
      return issue.keys.map(
        (key) => `${[...issue.path, key].join('.')}: unknown key${suggestKey(root, issue.path, key, raw)}`,
      );
    case 'invalid_type':
      return [`${at}: ${wrongType(issue, raw)}`];
    case 'invalid_value':
      return [`${at}: ${oneOf(issue.values, raw, issue.path)}`];
    case 'too_big':
    case 'too_small':
      return [`${at}: ${outOfRange(issue, raw)}`];
    case 'invalid_union':
      return union(issue, root, raw);
    case 'invalid_format':
      return [`${at}: ${issue.message}${found(raw, issue.path)}`];
    default:
      return [`${at}: ${issue.message}`];
  }
}
