/** What `tap` and `top` have in common: which windows, from where, for how long. */
import type { ScoredWindow } from '@lineheron/models';
import { type Argument, configArgs, type Given, type Surroundings } from '../commands/command.js';
import { configPath, readConfig } from '../commands/config-file.js';
import { UsageError } from '../usage-error.js';
import { brokerFeed, type Feed, sourceFeed } from './feed.js';

export const watchArgs = {
  ...configArgs,
  device: {
    type: 'string',
    valueHint: 'name',
    multiple: true,
    description: 'Only this device; may be given again',
  },
  scope: { type: 'enum', options: ['device', 'gateway'], description: 'Only windows of this scope' },
  'min-score': { type: 'string', valueHint: '0–1', description: 'Only windows with at least this score' },
  mqtt: {
    type: 'boolean',
    description: 'Listen to the running agent at the broker; else read the sources themselves',
  },
  seconds: { type: 'string', valueHint: 'number', description: 'End after so long' },
} as const satisfies Record<string, Argument>;

export function numberOf(given: Given, name: string, low: number, high: number): number | undefined {
  const text = given.text(name);
  if (text === undefined) return undefined;
  const value = Number(text);
  if (text.trim() !== '' && value >= low && value <= high) return value;
  throw new UsageError(`--${name} must be a number from ${low} to ${high}, not "${text}"`);
}

/** Which windows are wanted. */
export function wanted(given: Given): (window: ScoredWindow) => boolean {
  const devices = given.texts('device');
  const scope = given.text('scope');
  const least = numberOf(given, 'min-score', 0, 1);
  return (window) =>
    (devices.length === 0 || devices.includes(window.device)) &&
    (scope === undefined || window.scope === scope) &&
    (least === undefined || (window.score ?? -1) >= least);
}

export async function feedOf(given: Given, around: Surroundings): Promise<Feed> {
  const path = await configPath(given, around);
  const config = await readConfig(path, given, around);
  return given.flag('mqtt') ? brokerFeed(config) : sourceFeed(config);
}

/** Aborted by Ctrl-C, SIGTERM, or after `--seconds`. */
export function ending(given: Given): AbortController {
  const abort = new AbortController();
  const seconds = numberOf(given, 'seconds', 0, 86_400 * 365);
  if (seconds !== undefined) setTimeout(() => abort.abort(), Math.min(seconds * 1000, 2 ** 31 - 1)).unref();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => abort.abort());
  return abort;
}
