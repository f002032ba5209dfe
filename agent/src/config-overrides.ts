/**
 * What stands over the file: environment variables (`LINEHERON_` and the key, such as `LINEHERON_MQTT_URL` for
 * `mqtt.url`), then `--set KEY=VALUE`. A value is read as YAML unless its key holds text. Pure.
 */
import { environmentName, hasSettings, strayVariables } from '@lineheron/models';
import { parse as parseYaml } from 'yaml';
import { ConfigError } from './config-error.js';
import { isObject, type KeyNode, nodeAt, plainKeys } from './config-keys.js';

/** Names the configuration file, and is read before there is one. */
const CONFIG_VARIABLE = 'LINEHERON_CONFIG';

/** `a.b.0.c` as a path: numbers are places in a list. */
function pathOf(key: string): (string | number)[] {
  return key.split('.').map((step) => (/^\d{1,6}$/.test(step) ? Number(step) : step));
}

/** A copy with the value at the path; what is in its way and holds no keys is replaced. */
function withValue(raw: unknown, path: readonly (string | number)[], value: unknown): unknown {
  const [step, ...rest] = path;
  if (step === undefined) return value;
  if (typeof step === 'number') {
    const list = Array.isArray(raw) ? [...raw] : [];
    // The next free place at most: a list with holes is a slip.
    if (step > list.length) throw new ConfigError(`--set: the list has only ${list.length} entries`);
    list[step] = withValue(list[step], rest, value);
    return list;
  }
  const object = isObject(raw) ? raw : {};
  const before = Object.hasOwn(object, step) ? object[step] : undefined;
  return Object.fromEntries([
    ...Object.entries(object).filter(([key]) => key !== step),
    [step, withValue(before, rest, value)],
  ]);
}

function asValue(text: string, node: KeyNode | undefined): unknown {
  if (node?.type === 'string') return text;
  try {
    return parseYaml(text, { logLevel: 'error' });
  } catch {
    return text;
  }
}

/** The raw configuration with the environment's values in it. */
export function withEnvironment(raw: unknown, environment: NodeJS.ProcessEnv, keys: () => KeyNode): unknown {
  if (!isObject(raw) || !hasSettings(environment)) return raw;
  const root = keys();
  return plainKeys(root).reduce<unknown>((merged, path) => {
    const text = environment[environmentName(path)];
    if (text === undefined || text === '') return merged;
    return withValue(merged, path, asValue(text, nodeAt(root, path, merged)));
  }, raw);
}

/** The raw configuration with `KEY=VALUE` settings in it. Throws ConfigError on one that is none. */
export function withSettings(raw: unknown, settings: readonly string[], keys: () => KeyNode): unknown {
  return settings.reduce<unknown>((merged, setting) => {
    const at = setting.indexOf('=');
    if (at < 1) {
      // Up to the end of its key: what follows may be a password behind another sign than "=".
      const [key = ''] = /^[\w.-]*/.exec(setting)!;
      const shown = key === setting ? key : `${key}…`;
      throw new ConfigError(`--set ${shown}: must look like --set mqtt.url=mqtt://host:1883`);
    }
    const path = pathOf(setting.slice(0, at));
    return withValue(merged, path, asValue(setting.slice(at + 1), nodeAt(keys(), path, merged)));
  }, raw);
}

/** What stands in the environment as a setting and is none, a sentence each. */
export function strayEnvironment(environment: NodeJS.ProcessEnv, keys: () => KeyNode): string[] {
  if (!hasSettings(environment)) return [];
  return strayVariables(environment, [CONFIG_VARIABLE, ...plainKeys(keys()).map(environmentName)]);
}
