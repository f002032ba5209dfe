/**
 * Reads the configuration: the file, over it the environment, over that `--set KEY=VALUE`, then the secrets. Unknown
 * keys are errors. The result is frozen.
 */
import { readFile } from 'node:fs/promises';
import { parse as parseYaml } from 'yaml';
import { type Config, completed, configSchema } from './config.js';
import { complaint } from './config-complaints.js';
import { ConfigError } from './config-error.js';
import { configJsonSchema, isObject, type KeyNode } from './config-keys.js';
import { withEnvironment, withSettings } from './config-overrides.js';
import { withSecrets } from './config-secrets.js';

const MAX_BYTES = 4 * 1024 * 1024;

/** What stands over the file. */
export interface Overrides {
  environment?: NodeJS.ProcessEnv;
  /** `KEY=VALUE` each. */
  settings?: readonly string[];
}

function freeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null) {
    for (const inner of Object.values(value)) freeze(inner);
    Object.freeze(value);
  }
  return value;
}

function parsedYaml(text: string): unknown {
  try {
    return parseYaml(text, { maxAliasCount: 100 }) ?? {};
  } catch (error) {
    // Only the first line: the ones below repeat the text, and a secret may stand in it.
    const [first] = (error instanceof Error ? error.message : String(error)).split('\n');
    throw new ConfigError(`not valid YAML: ${first?.replace(/:$/, '')}`);
  }
}

/** Of password and password_file the one given further up counts. */
function withOnePassword(raw: unknown, environment: NodeJS.ProcessEnv): unknown {
  if (!isObject(raw) || !isObject(raw.mqtt)) return raw;
  const mqtt = { ...raw.mqtt };
  if (environment.LINEHERON_MQTT_PASSWORD) delete mqtt.password_file;
  else if (environment.LINEHERON_MQTT_PASSWORD_FILE) delete mqtt.password;
  return { ...raw, mqtt };
}

function checked(text: string, { environment = {}, settings = [] }: Overrides): Config {
  // Needed only by overrides and complaints, so made only then.
  let made: KeyNode | undefined;
  const keys = () => (made ??= configJsonSchema() as KeyNode);
  const merged = withOnePassword(withEnvironment(parsedYaml(text), environment, keys), environment);
  const raw = withSettings(merged, settings, keys);
  const result = configSchema.safeParse(raw);
  if (!result.success) {
    const lines = result.error.issues.flatMap((issue) => complaint(issue, keys(), raw));
    throw new ConfigError([...new Set(lines)].join('\n'));
  }
  return completed(result.data);
}

/** Checks a configuration that was already read. Throws ConfigError naming every wrong key. */
export function parseConfig(
  text: string,
  environment: NodeJS.ProcessEnv = {},
  settings: readonly string[] = [],
): Config {
  return freeze(checked(text, { environment, settings }));
}

/** Reads, checks and completes the configuration. Throws ConfigError. */
export async function loadConfig(path: string, overrides: Overrides = {}): Promise<Config> {
  const bytes = await readFile(path).catch((error: NodeJS.ErrnoException) => {
    const words: Record<string, string> = {
      ENOENT: 'there is no such file',
      EISDIR: 'is a folder',
      EACCES: 'may not be read',
    };
    throw new ConfigError(words[error.code ?? ''] ?? error.message);
  });
  if (bytes.length > MAX_BYTES) throw new ConfigError(`is larger than ${MAX_BYTES} bytes`);
  const config = checked(bytes.toString('utf8'), overrides);
  return freeze(await withSecrets(config, path, overrides.environment ?? {}));
}
