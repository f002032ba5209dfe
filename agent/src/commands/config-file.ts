/** Finds and reads the configuration that a command was given. */
import { access } from 'node:fs/promises';
import type { Config } from '../config.js';
import { ConfigError } from '../config-error.js';
import { loadConfig } from '../config-load.js';
import { UsageError } from '../usage-error.js';
import type { Given, Surroundings } from './command.js';

const DEFAULT_PATH = '/etc/lineheron/agent.yaml';

/** Which file: `--config`, else $LINEHERON_CONFIG, else the one of the package. Throws UsageError. */
export async function configPath(given: Given, { environment }: Surroundings): Promise<string> {
  const named = given.text('config') ?? environment.LINEHERON_CONFIG;
  if (named) return named;
  const there = await access(DEFAULT_PATH).then(
    () => true,
    () => false,
  );
  if (!there) throw new UsageError(`--config <file> is missing, and there is no ${DEFAULT_PATH}`);
  return DEFAULT_PATH;
}

/** Reads it; a ConfigError names the file. */
export async function readConfig(path: string, given: Given, around: Surroundings): Promise<Config> {
  const { environment } = around;
  return loadConfig(path, { environment, settings: given.texts('set') }).catch((error: unknown) => {
    if (!(error instanceof ConfigError)) throw error;
    throw new ConfigError(`${path}: ${error.message.includes('\n') ? '\n' : ''}${error.message}`);
  });
}
