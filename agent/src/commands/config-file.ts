/** Finds and reads the configuration that a command was given. */
import { access } from 'node:fs/promises';
import type { Config } from '../config.js';
import { ConfigError } from '../config-error.js';
import { loadConfig } from '../config-load.js';
import { UsageError } from '../usage-error.js';
import type { Given, Surroundings } from './command.js';

/** Where `init` writes, and where it is found again. */
export const LOCAL_CONFIG = 'lineheron-agent.yaml';
/** The package's. */
const SYSTEM_CONFIG = '/etc/lineheron/agent.yaml';

const isThere = (path: string) =>
  access(path).then(
    () => true,
    () => false,
  );

/** Which file: `--config`, else $LINEHERON_CONFIG, else the first that is there. Throws UsageError. */
export async function configPath(given: Given, { environment }: Surroundings): Promise<string> {
  const named = given.text('config') ?? environment.LINEHERON_CONFIG;
  if (named) return named;
  for (const path of [LOCAL_CONFIG, SYSTEM_CONFIG]) if (await isThere(path)) return path;
  throw new UsageError(
    `there is no configuration: neither ${LOCAL_CONFIG} in this folder nor ${SYSTEM_CONFIG}; "lineheron-agent init" writes one, --config <file> names another`,
  );
}

/** Reads it; a ConfigError names the file. */
export async function readConfig(path: string, given: Given, around: Surroundings): Promise<Config> {
  const { environment } = around;
  return loadConfig(path, { environment, settings: given.texts('set') }).catch((error: unknown) => {
    if (!(error instanceof ConfigError)) throw error;
    throw new ConfigError(`${path}: ${error.message.includes('\n') ? '\n' : ''}${error.message}`);
  });
}
