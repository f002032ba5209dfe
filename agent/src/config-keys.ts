/** The configuration's keys as data, taken from the JSON Schema of the same zod schema. Pure. */
import { z } from 'zod';
import { configSchema } from './config.js';

/** The part of a JSON Schema that is read here. */
export interface KeyNode {
  type?: string;
  description?: string;
  const?: unknown;
  enum?: readonly unknown[];
  properties?: Readonly<Record<string, KeyNode>>;
  items?: KeyNode;
  oneOf?: readonly KeyNode[];
  anyOf?: readonly KeyNode[];
}

/**
 * The published JSON Schema (draft 2020-12) of the configuration file, as people write it. Parts that stand in several
 * places, such as the formats of every source, are written once.
 */
export function configJsonSchema(): object {
  const { $schema, ...rest } = z.toJSONSchema(configSchema, { io: 'input', reused: 'ref' });
  return { $schema, title: 'lineheron agent', ...rest };
}

/** The same as its keys, every part where it stands. Made anew with every call. */
export function schemaKeys(): KeyNode {
  return z.toJSONSchema(configSchema, { io: 'input' }) as KeyNode;
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Own keys only: a key such as "constructor" leads nowhere. */
function own<T>(object: Readonly<Record<string, T>> | undefined, key: string): T | undefined {
  return object && Object.hasOwn(object, key) ? object[key] : undefined;
}

/** Of several shapes the one whose `type` the value has; else all of their keys together. */
function chosen(node: KeyNode, value: unknown): KeyNode {
  const shapes = node.oneOf ?? node.anyOf;
  if (!shapes) return node;
  const type = isObject(value) ? value.type : undefined;
  const fitting = shapes.find((shape) => shape.properties?.type?.const === type && type !== undefined);
  if (fitting) return chosen(fitting, value);
  const types = shapes.flatMap((shape) => shape.properties?.type?.const ?? []);
  const merged = Object.assign({}, ...shapes.map((shape) => chosen(shape, undefined).properties ?? {}));
  if (types.length > 0) merged.type = { type: 'string', enum: types };
  return { properties: merged, ...(shapes.find((shape) => shape.items) ?? {}) };
}

/** The node at a path, given the value that stands there; undefined where there is none. */
export function nodeAt(root: KeyNode, path: readonly PropertyKey[], value: unknown): KeyNode | undefined {
  let node: KeyNode | undefined = chosen(root, value);
  let here = value;
  for (const step of path) {
    if (!node) return undefined;
    here = Array.isArray(here) || isObject(here) ? (here as Record<PropertyKey, unknown>)[step] : undefined;
    const next: KeyNode | undefined =
      typeof step === 'number' ? node.items : own(node.properties, String(step));
    node = next && chosen(next, here);
  }
  return node;
}

/** Paths of all single values outside of lists, sources and free maps: those that the environment can set. */
export function plainKeys(root: KeyNode, under: readonly string[] = []): string[][] {
  return Object.entries(root.properties ?? {}).flatMap(([key, node]) => {
    const path = [...under, key];
    if (under.length === 0 && (key === 'source' || key === 'sources')) return [];
    if (node.properties) return plainKeys(node, path);
    return node.type === 'array' || node.type === 'object' ? [] : [path];
  });
}
