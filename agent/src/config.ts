/**
 * The agent's configuration: one schema gives type, defaults, checks and messages. Order: file, then environment
 * (`LINEHERON_` and the key path, such as `LINEHERON_MQTT_URL`). Unknown keys in the file are errors. The result is
 * frozen.
 */
import { readFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import {
  agentIdSchema,
  contamination,
  DEFAULT_CHANNELS,
  deviceIdSchema,
  MAX_DECLARED_CHANNELS,
  windowSizeSeconds,
} from '@lineheron/models';
import { parse as parseYaml } from 'yaml';
import { z } from 'zod';
import { checkSources, type SourceConfig, sourceSchema, sourcesSchema } from './config-source.js';

const MIB = 1024 * 1024;

/** A configuration that cannot be used. The message is for people. */
export class ConfigError extends Error {}

/** A port that is none is told at the start, not by a connection that never comes about. */
const isUrl = (text: string): boolean => URL.canParse(text) && new URL(text).port !== '0';

const mqttSchema = z.strictObject({
  url: z
    .string()
    .regex(/^(mqtts?|wss?):\/\/[^\s/]+/, 'must look like mqtt://host:1883')
    .refine(isUrl, 'must look like mqtt://host:1883, with a port of 1 to 65535')
    .default('mqtt://127.0.0.1:1883'),
  username: z.string().max(256).optional(),
  password: z.string().max(1024).optional(),
});

const spoolSchema = z
  .strictObject({
    /** All segment files together. When full, tail stops reading; the other sources drop the oldest. */
    max_bytes: z
      .int()
      .min(64 * 1024)
      .default(256 * MIB),
    segment_bytes: z
      .int()
      .min(16 * 1024)
      .max(64 * MIB)
      .default(4 * MIB),
  })
  .refine((spool) => spool.max_bytes >= 4 * spool.segment_bytes, {
    path: ['max_bytes'],
    message: 'must be at least four times segment_bytes',
  });

const channelSchema = z.strictObject({
  name: z
    .string()
    .regex(/^[a-z][a-z0-9_]{0,63}$/, 'must be a–z, 0–9 and "_", starting with a letter')
    .refine((name) => !DEFAULT_CHANNELS.some((known) => known.name === name), 'is a default channel'),
  unit: z.string().max(32).default(''),
  kind: z.enum(['gauge', 'count']),
});

const schema = z
  .strictObject({
    agent_id: agentIdSchema,
    /** Spool, models, history and the last desired state. One agent a folder. */
    data_dir: z.string().min(1),
    mqtt: mqttSchema.prefault({}),
    window_size_seconds: windowSizeSeconds,
    contamination,
    /** Which parsed records leave this gateway. */
    publish_records: z.enum(['none', 'anomalous', 'all']).default('anomalous'),
    labels: z.record(z.string().min(1).max(64), z.string().max(256)).default({}),
    /** Of the forests. */
    seed: z.int().min(0).max(Number.MAX_SAFE_INTEGER).default(1),
    log_level: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']).default('info'),
    spool: spoolSchema.prefault({}),
    channels: z
      .array(channelSchema)
      .max(MAX_DECLARED_CHANNELS)
      .refine((list) => new Set(list.map(({ name }) => name)).size === list.length, 'names must differ')
      .default([]),
    /** Short for `sources` with one. */
    source: sourceSchema.optional(),
    sources: sourcesSchema.optional(),
  })
  .superRefine(checkSources);

/** As checked: whichever of both was written, it stands in `sources`. */
export type Config = Omit<z.infer<typeof schema>, 'source' | 'sources'> & { sources: SourceConfig[] };

/** Environment variables and the keys that they set. Sources have keys of their own and stay in the file. */
const ENVIRONMENT: Readonly<Record<string, readonly string[]>> = Object.fromEntries(
  [
    ...[
      'agent_id',
      'data_dir',
      'window_size_seconds',
      'contamination',
      'publish_records',
      'seed',
      'log_level',
    ],
    ...['mqtt.url', 'mqtt.username', 'mqtt.password', 'spool.max_bytes', 'spool.segment_bytes'],
  ].map((path) => [`LINEHERON_${path.toUpperCase().replace('.', '_')}`, path.split('.')]),
);

const TEXT_KEYS = new Set(['agent_id', 'data_dir', 'url', 'username', 'password']);

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function withEnvironment(raw: unknown, environment: NodeJS.ProcessEnv): unknown {
  if (!isObject(raw)) return raw;
  const merged: Record<string, unknown> = { ...raw };
  for (const [variable, path] of Object.entries(ENVIRONMENT)) {
    const text = environment[variable];
    if (text === undefined || text === '') continue;
    const [first, second] = path as [string, string?];
    const value = TEXT_KEYS.has(path.at(-1)!) ? text : parseYaml(text);
    if (second === undefined) merged[first] = value;
    else merged[first] = { ...(isObject(merged[first]) ? merged[first] : {}), [second]: value };
  }
  return merged;
}

/** A device name from this machine's name. */
export function hostDevice(name: string): string {
  const clean = name.replace(/[\p{C}/+#*]/gu, '-').slice(0, 128);
  return deviceIdSchema.safeParse(clean).success ? clean : 'this-host';
}

function issueText(issue: z.core.$ZodIssue): string {
  const at = issue.path.length > 0 ? issue.path.join('.') : '(top level)';
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => `${[...issue.path, key].join('.')}: unknown key`).join('\n');
  }
  return `${at}: ${issue.message}`;
}

function freeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null) {
    for (const inner of Object.values(value)) freeze(inner);
    Object.freeze(value);
  }
  return value;
}

/** Checks a configuration that was already read. Throws ConfigError naming every wrong key. */
export function parseConfig(text: string, environment: NodeJS.ProcessEnv = {}): Config {
  let raw: unknown;
  try {
    raw = parseYaml(text, { maxAliasCount: 100 }) ?? {};
  } catch (error) {
    throw new ConfigError(`not valid YAML: ${error instanceof Error ? error.message : String(error)}`);
  }
  const result = schema.safeParse(withEnvironment(raw, environment));
  if (!result.success) throw new ConfigError(result.error.issues.map(issueText).join('\n'));
  const { source, sources = source ? [source] : [], ...rest } = result.data;
  for (const one of sources) if (one.type === 'host') one.device_id ??= hostDevice(hostname());
  return freeze({ ...rest, sources });
}

export async function loadConfig(path: string, environment: NodeJS.ProcessEnv): Promise<Config> {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw new ConfigError(error.code === 'ENOENT' ? 'there is no such file' : error.message);
  });
  return parseConfig(text, environment);
}
