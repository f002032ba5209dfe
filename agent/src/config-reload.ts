/** What a new configuration changes: which keys a running agent can take over, and which need a restart. Pure. */
import type { Config } from './config.js';
import { type SourceConfig, sourceName } from './config-source.js';
import { isFixed } from './source/feeds.js';

export interface Changes {
  /** Key paths that change while running. */
  live: string[];
  /** Key paths that stay as they were until a restart. */
  restart: string[];
}

/** Top-level keys that a running agent takes over, beside its sources. The rest is built into the engine or the spool. */
const LIVE = [
  'mqtt',
  'tls',
  'labels',
  'contamination',
  'budget_per_device_per_day',
  'maintenance',
  'seed',
  'log_level',
  'metrics',
] as const;
/** Counts only at the start, so a change is neither taken over nor missed. */
const AT_START = ['start_delay_max_seconds'];

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function changed(before: unknown, after: unknown, path: string): string[] {
  if (isObject(before) && isObject(after)) {
    const keys = [...new Set([...Object.keys(before), ...Object.keys(after)])];
    return keys.flatMap((key) => changed(before[key], after[key], path === '' ? key : `${path}.${key}`));
  }
  return JSON.stringify(before) === JSON.stringify(after) ? [] : [path];
}

/** Names of the sources that differ. */
function changedSources(before: Config, after: Config): { name: string; fixed: boolean }[] {
  const named = (config: Config) => new Map(config.sources.map((source) => [sourceName(source), source]));
  const [old, next] = [named(before), named(after)];
  const names = [...new Set([...old.keys(), ...next.keys()])];
  const both = names.map((name) => ({ name, each: [old.get(name), next.get(name)] }));
  return both
    .filter(({ each: [a, b] }) => JSON.stringify(a) !== JSON.stringify(b))
    .map(({ name, each }) => ({
      name,
      fixed: each.some((source) => source !== undefined && isFixed(source)),
    }));
}

export function changes(before: Config, after: Config): Changes {
  const paths = changed({ ...before, sources: null }, { ...after, sources: null }, '');
  const top = (path: string) => path.split('.')[0]!;
  const isLive = (path: string) => (LIVE as readonly string[]).includes(top(path));
  const sources = changedSources(before, after);
  const pathsOf = (fixed: boolean) =>
    sources.filter((one) => one.fixed === fixed).map(({ name }) => `sources.${name}`);
  return {
    live: [...paths.filter(isLive), ...pathsOf(false)].sort(),
    restart: [
      ...paths.filter((path) => !isLive(path) && !AT_START.includes(top(path))),
      ...pathsOf(true),
    ].sort(),
  };
}

/** What is read from now on: the new list, but for what only a restart can change. */
function liveSources(before: Config, after: Config): SourceConfig[] {
  const waiting = new Set(changedSources(before, after).flatMap(({ name, fixed }) => (fixed ? name : [])));
  const waits = (source: SourceConfig) => waiting.has(sourceName(source));
  return [...after.sources.filter((source) => !waits(source)), ...before.sources.filter(waits)];
}

/** The running configuration with what can change taken from the new one. */
export function withLiveKeys(before: Config, after: Config): Config {
  const taken = Object.fromEntries(LIVE.map((key) => [key, after[key]]));
  return Object.freeze({ ...before, ...taken, sources: liveSources(before, after) }) as Config;
}
