/**
 * Settings in the environment: `LINEHERON_` and the key's path, such as `LINEHERON_MQTT_URL` for `mqtt.url`. Whatever
 * else begins like that is a slip that nobody would notice: the setting keeps its default. Pure.
 */
import { nearest } from './suggest.js';

const PREFIX = 'LINEHERON_';

export type Environment = Readonly<Record<string, string | undefined>>;

/** The variable that sets the key at a path. */
export function environmentName(path: readonly string[]): string {
  return PREFIX + path.join('_').toUpperCase();
}

/** Whether there is anything for us. */
export function hasSettings(environment: Environment): boolean {
  return Object.keys(environment).some((name) => name.startsWith(PREFIX));
}

/** A sentence for each variable that looks like a setting and is none of the known. No value is in it. */
export function strayVariables(environment: Environment, known: readonly string[]): string[] {
  const bare = (name: string) => name.slice(PREFIX.length);
  return Object.keys(environment)
    .filter((name) => name.startsWith(PREFIX) && !known.includes(name))
    .sort()
    .map((name) => {
      const near = nearest(bare(name), known.map(bare));
      return `${name}: unknown environment variable${near === null ? '' : ` (did you mean "${PREFIX}${near}"?)`}`;
    });
}
