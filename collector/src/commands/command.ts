/** What every command of the collector is, and how each finds its configuration. */
import { existsSync } from 'node:fs';
import type { Argument, CommandSpec, ExitCode, Given } from '@lineheron/models/command-line';
import { type Config, ConfigError, loadConfig } from '../config.js';

export interface Surroundings {
  version: string;
  environment: NodeJS.ProcessEnv;
  out(text: string): void;
  /** Notes for people, on standard error. */
  note(text: string): void;
}

export interface Command extends CommandSpec {
  /** Resolves to the exit code; null when the process goes on until a signal ends it. */
  perform(given: Given, around: Surroundings): Promise<ExitCode | null>;
}

/** Looked for in this order; without any of them every setting has its default. */
const USUAL = ['lineheron-collector.yaml', '/etc/lineheron/collector.yaml'];

const text = (valueHint: string, description: string) =>
  ({ type: 'string', valueHint, description }) as const;

/** Options that stand for a setting. */
const SETTINGS: Readonly<Record<string, string>> = {
  port: 'http.port',
  'mqtt-port': 'mqtt.port',
  'data-dir': 'data_dir',
  'log-level': 'log_level',
};

export const configArgs = {
  config: text(
    'file',
    'Configuration file (YAML); else $LINEHERON_CONFIG, ./lineheron-collector.yaml or /etc/lineheron/collector.yaml',
  ),
  set: {
    ...text(
      'key=value',
      'Sets one key over file and environment, such as http.port=8080; may be given again',
    ),
    multiple: true,
  },
  port: text('number', 'HTTP port (http.port)'),
  'mqtt-port': text('number', 'Port of the embedded broker (mqtt.port)'),
  'data-dir': text('folder', 'For the store and the models (data_dir)'),
  'log-level': text('level', 'fatal, error, warn, info, debug, trace or silent (log_level)'),
} as const satisfies Record<string, Argument>;

/** Which file: `--config`, else $LINEHERON_CONFIG, else the first that is there; undefined for none. */
export function configFile(given: Given, { environment }: Surroundings): string | undefined {
  return given.text('config') ?? (environment.LINEHERON_CONFIG || USUAL.find((path) => existsSync(path)));
}

/** Throws ConfigError. */
export function readConfig(given: Given, around: Surroundings): Config {
  const flags = Object.entries(SETTINGS).map(([option, key]) => [key, given.text(option)] as const);
  return loadConfig({
    file: configFile(given, around),
    environment: around.environment,
    flags: { ...Object.fromEntries(given.texts('set').map(setting)), ...defined(flags) },
  });
}

const defined = (pairs: readonly (readonly [string, string | undefined])[]) =>
  Object.fromEntries(pairs.filter(([, value]) => value !== undefined));

function setting(text: string): [string, string] {
  const at = text.indexOf('=');
  // What follows the key may be a secret.
  if (at < 1) throw new ConfigError('--set must look like --set http.port=8080');
  return [text.slice(0, at), text.slice(at + 1)];
}
