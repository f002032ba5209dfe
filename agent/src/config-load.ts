/**
 * Reads the configuration: the file, over it the environment, over that `--set KEY=VALUE`, then the secrets. Unknown
 * keys are errors. The result is frozen.
 */
import { createReadStream } from 'node:fs';
import { buffer } from 'node:stream/consumers';
import { parseDocument } from 'yaml';
import { type Config, completed, configSchema } from './config.js';
import { complaint } from './config-complaints.js';
import { ConfigError } from './config-error.js';
import { isObject, type KeyNode, schemaKeys } from './config-keys.js';
import { withEnvironment, withSettings } from './config-overrides.js';
import { withSecrets } from './config-secrets.js';
import { messageOf } from './log.js';

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

/** Without what stands in the text: a secret may stand there. */
function plainFault(message: string): string {
  const [first = ''] = message.split('\n');
  const where = / at line \d+, column \d+/.exec(first)?.[0] ?? '';
  const what = first.slice(0, where ? first.lastIndexOf(where) : first.length);
  return what.replace(/(?<=[\w)]): .*$| \\.*$/s, '') + where;
}

/** A tag that nobody knows is a fault too: what stands behind it would be read as something else. */
function parsedYaml(text: string): unknown {
  const document = parseDocument(text, { logLevel: 'silent' });
  const [fault] = [...document.errors, ...document.warnings];
  try {
    if (fault) throw fault;
    return document.toJS({ maxAliasCount: 100 }) ?? {};
  } catch (error) {
    throw new ConfigError(`not valid YAML: ${plainFault(messageOf(error))}`);
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
  const keys = () => (made ??= schemaKeys());
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
  // One byte more than there may be, so that a file without an end is found out too.
  const bytes = await buffer(createReadStream(path, { end: MAX_BYTES })).catch(
    (error: NodeJS.ErrnoException) => {
      const words: Record<string, string> = {
        ENOENT: 'there is no such file',
        EISDIR: 'is a folder',
        EACCES: 'may not be read',
      };
      throw new ConfigError(words[error.code ?? ''] ?? error.message);
    },
  );
  if (bytes.length > MAX_BYTES) throw new ConfigError(`is larger than ${MAX_BYTES} bytes`);
  const config = checked(bytes.toString('utf8'), overrides);
  return freeze(await withSecrets(config, path, overrides.environment ?? {}));
}
