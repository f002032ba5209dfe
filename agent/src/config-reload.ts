/** What a new configuration changes: which keys a running agent can take over, and which need a restart. Pure. */
import type { Config } from './config.js';

export interface Changes {
  /** Key paths that change while running. */
  live: string[];
  /** Key paths that stay as they were until a restart. */
  restart: string[];
}

/** Top-level keys that a running agent takes over. The rest is built into the engine, the spool or a source. */
const LIVE = [
  'mqtt',
  'tls',
  'labels',
  'contamination',
  'budget_per_device_per_day',
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

export function changes(before: Config, after: Config): Changes {
  const paths = changed(before, after, '').sort();
  const top = (path: string) => path.split('.')[0]!;
  const isLive = (path: string) => (LIVE as readonly string[]).includes(top(path));
  return {
    live: paths.filter(isLive),
    restart: paths.filter((path) => !isLive(path) && !AT_START.includes(top(path))),
  };
}

/** The running configuration with what can change taken from the new one. */
export function withLiveKeys(before: Config, after: Config): Config {
  const taken = Object.fromEntries(LIVE.map((key) => [key, after[key]]));
  return Object.freeze({ ...before, ...taken }) as Config;
}
