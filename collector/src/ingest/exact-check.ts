/**
 * Compiles a zod schema into a plain predicate: true where the schema accepts a value of JSON and gives it back
 * unchanged. A parse copies every object and array that it looks at, which was a third of the collector's main thread;
 * this copies nothing. What it does not know how to check faster, and where it says no, the schema itself decides.
 */
import { isDeepStrictEqual } from 'node:util';
import type { z } from 'zod';

type Check = (value: unknown) => boolean;
type Schema = z.core.$ZodType;
type Def = z.core.$ZodTypes['_zod']['def'];

/** `known`: for schemas of text whose own check is slow, a pattern that only matches what they accept. */
export function exactCheck(schema: Schema, known: ReadonlyMap<Schema, RegExp> = new Map()): Check {
  const pattern = known.get(schema);
  const whole: Check = (value) => {
    const result = (schema as z.ZodType).safeParse(value);
    return result.success && (result.data === value || isDeepStrictEqual(result.data, value));
  };
  if (pattern) return (value) => (typeof value === 'string' && pattern.test(value)) || whole(value);
  const def = schema._zod.def as Def;
  return compile(def, (inner) => exactCheck(inner, known)) ?? whole;
}

/** Null for what is not known here. */
function compile(def: Def, inside: (schema: Schema) => Check): Check | null {
  switch (def.type) {
    case 'object':
      return def.catchall || def.checks?.length ? null : objectCheck(def.shape, inside);
    case 'array':
      return arrayCheck(inside(def.element), def.checks ?? []);
    case 'string':
      return 'format' in def ? null : stringCheck(def.checks ?? []);
    case 'number':
      return numberCheck(def as { format?: unknown }, def.checks ?? []);
    case 'boolean':
      return def.checks?.length ? null : (value) => typeof value === 'boolean';
    case 'literal':
      return oneOf(def.values);
    case 'enum':
      return oneOf(Object.values(def.entries));
    case 'optional': {
      const check = inside(def.innerType);
      return (value) => value === undefined || check(value);
    }
    case 'nullable': {
      const check = inside(def.innerType);
      return (value) => value === null || check(value);
    }
    default:
      return null;
  }
}

function oneOf(values: readonly unknown[]): Check {
  const known = new Set(values);
  return (value) => known.has(value);
}

/** An unknown key would be stripped: that is not unchanged. */
function objectCheck(shape: Readonly<Record<string, Schema>>, inside: (schema: Schema) => Check): Check {
  const names = Object.keys(shape);
  const checks = names.map((name) => inside(shape[name]!));
  return (value) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
    const object = value as Readonly<Record<string, unknown>>;
    let present = 0;
    for (let at = 0; at < names.length; at++) {
      const part = object[names[at]!];
      if (part !== undefined) present++;
      if (!checks[at]!(part)) return false;
    }
    return Object.keys(object).length === present;
  };
}

type Rule = { check?: string; [key: string]: unknown };
const rulesOf = (checks: readonly z.core.$ZodCheck<never>[]) =>
  checks.map((check) => check._zod.def as unknown as Rule);

function arrayCheck(element: Check, checks: readonly z.core.$ZodCheck<never>[]): Check | null {
  const bounds = lengthBounds(rulesOf(checks));
  if (bounds === null) return null;
  return (value) => {
    if (!Array.isArray(value) || value.length < bounds.least || value.length > bounds.most) return false;
    for (let at = 0; at < value.length; at++) if (!element(value[at])) return false;
    return true;
  };
}

function lengthBounds(rules: readonly Rule[]): { least: number; most: number } | null {
  const bounds = { least: 0, most: Number.POSITIVE_INFINITY };
  for (const { check, minimum, maximum } of rules) {
    if (check === 'min_length') bounds.least = Math.max(bounds.least, minimum as number);
    else if (check === 'max_length') bounds.most = Math.min(bounds.most, maximum as number);
    else return null;
  }
  return bounds;
}

function stringCheck(checks: readonly z.core.$ZodCheck<never>[]): Check | null {
  const rules = rulesOf(checks);
  const patterns: RegExp[] = [];
  for (const { check, format, pattern } of rules) {
    if (check !== 'string_format') continue;
    if (format !== 'regex' || !(pattern instanceof RegExp) || pattern.global || pattern.sticky) return null;
    patterns.push(pattern);
  }
  const bounds = lengthBounds(rules.filter(({ check }) => check !== 'string_format'));
  if (bounds === null) return null;
  return (value) => {
    if (typeof value !== 'string' || value.length < bounds.least || value.length > bounds.most) return false;
    for (const pattern of patterns) if (!pattern.test(value)) return false;
    return true;
  };
}

function numberCheck(
  { format }: { format?: unknown },
  checks: readonly z.core.$ZodCheck<never>[],
): Check | null {
  let [least, most] = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];
  let isInteger = format === 'safeint';
  if (format !== undefined && !isInteger) return null;
  for (const rule of rulesOf(checks)) {
    const value = rule.value as number;
    if (rule.check === 'number_format' && rule.format === 'safeint') isInteger = true;
    else if (rule.check === 'greater_than' && rule.inclusive) least = Math.max(least, value);
    else if (rule.check === 'less_than' && rule.inclusive) most = Math.min(most, value);
    else return null;
  }
  const isNumber = isInteger ? Number.isSafeInteger : Number.isFinite;
  return (value) => isNumber(value) && (value as number) >= least && (value as number) <= most;
}
