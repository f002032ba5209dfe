/**
 * The collector's configuration: one schema gives type, defaults and checks. Read from a YAML file, then the
 * environment (`LINEHERON_HTTP_PORT` for `http.port`), then flags; frozen; unknown keys are errors.
 */
import { readFileSync } from 'node:fs';
import {
  anomalyProbability,
  budgetPerDeviceDay,
  contamination,
  type Environment,
  epochs,
  MIN_STALE_MS,
  strayVariables,
  thresholdPercentile,
  environmentName as variableOf,
  windowSizeSeconds,
} from '@lineheron/models';
import { didYouMean } from '@lineheron/models/suggest';
import { parse as parseYaml } from 'yaml';
import { z } from 'zod';
import { errorText, LOG_LEVELS } from './log.js';

const LOOPBACK = ['127.0.0.1', '::1', 'localhost'];
const loopbackHost = z.string().refine((host) => LOOPBACK.includes(host), {
  error: 'must be a loopback address: accounts are not there yet, so the collector serves this machine only',
});
/** 0 lets the system choose a free port. */
const port = z.int().min(0).max(65_535);
const origin = z.string().regex(/^https?:\/\/[^/]+$/, 'must be an origin such as https://noc.example.org');

export const configSchema = z.strictObject({
  http: z
    .strictObject({
      host: loopbackHost.default('127.0.0.1'),
      port: port.default(8001),
      /** Origins of other sites whose pages may call the API; empty keeps CORS closed. */
      allowed_origins: z.array(origin).max(100).default([]),
      /** Host names served besides the loopback ones. */
      allowed_hosts: z.array(z.string().min(1)).max(100).default([]),
      /** Clients that may follow the live feed at once, pages and programs. */
      max_feed_clients: z.int().min(1).max(20_000).default(2000),
      /** Folder with the built dashboard; the one beside this workspace when absent. */
      dashboard_dir: z.string().min(1).optional(),
    })
    .prefault({}),
  mqtt: z
    .strictObject({
      /** Whether the collector runs a broker of its own on `host` and `port`. */
      embedded: z.boolean().default(true),
      host: loopbackHost.default('127.0.0.1'),
      port: port.default(1883),
      /** An external broker; needs `embedded: false`. */
      url: z
        .string()
        .regex(/^(mqtts?|wss?):\/\/.+/, 'must be an mqtt:// or mqtts:// address')
        .optional(),
      /** Clients of the embedded broker at once; known agents keep their places when it is full. */
      max_connections: z.int().min(10).max(100_000).default(2000),
      username: z.string().max(256).optional(),
      password: z.string().max(1024).optional(),
    })
    .prefault({})
    .refine((mqtt) => mqtt.embedded === (mqtt.url === undefined), {
      error: 'set either `embedded: true` or `embedded: false` with the `url` of a broker',
      path: ['url'],
    }),
  data_dir: z.string().min(1).default('.lineheron/collector'),
  /** Percentile of the training errors that becomes an autoencoder's threshold. */
  threshold_percentile: thresholdPercentile,
  /** False alert episodes allowed per device and day; set, it goes for all agents, else each has its own and we 0.2. */
  budget_per_device_per_day: budgetPerDeviceDay.optional(),
  epochs,
  seed: z.int().min(0).max(0xffff_ffff).default(1),
  /** The next three are the agents' settings; the collector only shows them. */
  window_size_seconds: windowSizeSeconds,
  contamination,
  anomaly_probability: anomalyProbability,
  /** A line that missed twenty of its windows and said nothing for so long, or an agent that is away so long, alerts. */
  silence_seconds: z
    .number()
    .min(5)
    .max(86_400)
    .default(MIN_STALE_MS / 1000),
  retention: z
    .strictObject({
      windows_hours: z.number().positive().max(87_600).default(168),
      records_hours: z.number().positive().max(87_600).default(24),
      /** 10⁹ bytes, of the store's files together; when they are full the oldest windows and records go. */
      max_store_gb: z.number().min(0.1).max(10_000).default(10),
      max_alerts: z.int().min(100).default(100_000),
    })
    .prefault({}),
  log_level: z.enum(LOG_LEVELS).default('info'),
});
export type Config = z.infer<typeof configSchema>;

const HOUR_MS = 3_600_000;

export function storeLimits({ windows_hours, records_hours, max_store_gb, max_alerts }: Config['retention']) {
  return {
    windowsMs: windows_hours * HOUR_MS,
    recordsMs: records_hours * HOUR_MS,
    maxBytes: max_store_gb * 1e9,
    maxAlerts: max_alerts,
  };
}

/** A fault of the configuration or the surroundings: told in one sentence, exit code 2, no stack trace. */
export class ConfigError extends Error {
  override name = 'ConfigError';
}

export interface ConfigSources {
  /** Path of a YAML file. */
  file?: string | undefined;
  environment?: Environment;
  /** Key path (`http.port`) → text, as given on the command line. */
  flags?: Readonly<Record<string, string | undefined>>;
}

type Tree = { [key: string]: unknown };

/** Names the configuration file, and is read before there is one. */
const CONFIG_VARIABLE = 'LINEHERON_CONFIG';

const UNREADABLE: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  EISDIR: 'is a folder',
  EACCES: 'may not be read',
};

/** Reads all sources and returns the frozen configuration; throws ConfigError naming each wrong key. */
export function loadConfig(sources: ConfigSources): Config {
  const tree = sources.file === undefined ? {} : readTree(sources.file);
  const paths = settingPaths();
  for (const key of Object.keys(sources.flags ?? {})) {
    if (!paths.includes(key)) throw new ConfigError(`--set ${unknownKey(key, paths)}`);
  }
  for (const path of paths) {
    const fromEnvironment = sources.environment?.[environmentName(path)];
    const value = sources.flags?.[path] ?? fromEnvironment;
    if (value !== undefined) setPath(tree, path, value);
  }
  const result = configSchema.safeParse(tree);
  if (!result.success) throw new ConfigError(describe(result.error, sources.file));
  return deepFreeze(result.data);
}

/** Every setting's key path, read off the schema. */
export function settingPaths(schema: z.ZodType = configSchema, prefix = ''): string[] {
  const inner = unwrap(schema);
  if (!(inner instanceof z.ZodObject)) return [prefix];
  return Object.entries(inner.shape as Record<string, z.ZodType>).flatMap(([key, child]) =>
    settingPaths(child, prefix === '' ? key : `${prefix}.${key}`),
  );
}

export function environmentName(path: string): string {
  return variableOf(path.split('.'));
}

/** What stands in the environment as a setting and is none, a sentence each. */
export function strayEnvironment(environment: Environment): string[] {
  return strayVariables(environment, [CONFIG_VARIABLE, ...settingPaths().map(environmentName)]);
}

function unwrap(schema: z.ZodType): z.ZodType {
  const wrapped =
    schema instanceof z.ZodPrefault || schema instanceof z.ZodDefault || schema instanceof z.ZodOptional;
  return wrapped ? unwrap(schema.unwrap() as z.ZodType) : schema;
}

function readTree(file: string): Tree {
  const tree = parsedYaml(file, textOf(file));
  if (tree === null || tree === undefined) return {};
  if (typeof tree !== 'object' || Array.isArray(tree)) {
    throw new ConfigError(`${file}: the configuration must be a mapping of keys to values`);
  }
  return tree as Tree;
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new ConfigError(`${file}: ${UNREADABLE[code ?? ''] ?? errorText(error)}`);
  }
}

/** Only the first line of what the parser says: below it stands the text itself, which may hold a secret. */
function parsedYaml(file: string, text: string): unknown {
  try {
    return parseYaml(text, { maxAliasCount: 10, logLevel: 'error' });
  } catch (error) {
    const [first = ''] = errorText(error).split('\n');
    throw new ConfigError(`${file}: not valid YAML: ${first.replace(/:$/, '')}`);
  }
}

/** Text from outside becomes what YAML would read; lists are separated by commas; secrets stay text. */
function setPath(tree: Tree, path: string, text: string): void {
  const keys = path.split('.');
  const last = keys.pop()!;
  let node = tree;
  for (const key of keys) {
    const next = node[key];
    node[key] = typeof next === 'object' && next !== null && !Array.isArray(next) ? next : {};
    node = node[key] as Tree;
  }
  node[last] = readText(path, text);
}

function readText(path: string, text: string): unknown {
  if (/^http\.allowed_/.test(path))
    return text
      .split(',')
      .map((part) => part.trim())
      .filter(Boolean);
  if (/^(true|false)$/.test(text)) return text === 'true';
  const wantsText = /(host|url|username|password|_dir|log_level)$/.test(path);
  return !wantsText && text.trim() !== '' && Number.isFinite(Number(text)) ? Number(text) : text;
}

/** Keys that were, and what stands in their place. */
const REPLACED: Readonly<Record<string, string>> = {
  'retention.max_windows': 'retention.max_store_gb',
  'retention.max_records': 'retention.max_store_gb',
};

function unknownKey(key: string, paths: readonly string[]): string {
  const now = REPLACED[key];
  if (now !== undefined) return `${key}: there is no such key any more; set ${now} instead`;
  return `${key}: unknown key${didYouMean(key, paths)}`;
}

function describe(error: z.ZodError, file: string | undefined): string {
  const paths = settingPaths();
  const lines = error.issues.flatMap((issue) => {
    const path = issue.path.join('.');
    if (issue.code !== 'unrecognized_keys') return [`  ${path === '' ? '' : `${path}: `}${issue.message}`];
    return issue.keys.map((key) => `  ${unknownKey([...issue.path, key].join('.'), paths)}`);
  });
  return `the configuration${file === undefined ? '' : ` ${file}`} is not valid:\n${lines.join('\n')}`;
}

function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const child of Object.values(value)) deepFreeze(child);
  }
  return value;
}
