/**
 * What the agent can be told: one schema gives type, defaults, checks and the published JSON Schema. Reading and
 * messages are in `config-load.ts`. Every key says its unit in its name.
 */
import { hostname } from 'node:os';
import {
  agentIdSchema,
  budgetPerDeviceDay,
  contamination,
  DEFAULT_BUDGET,
  DEFAULT_CHANNELS,
  deviceIdSchema,
  labelsSchema,
  MAX_DECLARED_CHANNELS,
  windowSizeSeconds,
} from '@lineheron/models';
import { Redactor } from '@lineheron/native';
import { z } from 'zod';
import { checkSources, type SourceConfig, sourceSchema, sourcesSchema } from './config-source.js';
import { messageOf } from './log.js';

const MIB = 1024 * 1024;

/** A port that is none is told at the start, not by a connection that never comes about. */
const isUrl = (text: string): boolean => URL.canParse(text) && new URL(text).port !== '0';

/** Addresses are logged and shown; what is secret has keys of its own. */
const hasNoSecret = (text: string): boolean => {
  if (!URL.canParse(text)) return true;
  const { username, password } = new URL(text);
  return username === '' && password === '';
};

const path = z.string().min(1).max(4096);

const mqttSchema = z
  .strictObject({
    url: z
      .string()
      .regex(/^(mqtts?|wss?):\/\/[^\s/]+/, { error: 'must look like mqtt://host:1883', abort: true })
      .refine(isUrl, 'must look like mqtt://host:1883, with a port of 1 to 65535')
      .refine(hasNoSecret, 'must hold no name and password: there are username and password_file for them')
      .default('mqtt://127.0.0.1:1883')
      .describe('The broker: mqtt, mqtts, ws or wss.'),
    username: z.string().max(256).optional(),
    password: z.string().max(1024).optional().describe('Better in password_file or LINEHERON_MQTT_PASSWORD.'),
    password_file: path
      .optional()
      .describe(
        'Holds the password. Without both, the systemd credential mqtt_password is used if there is one.',
      ),
    ca_file: path.optional().describe('PEM: who may have signed the certificate of the broker.'),
    cert_file: path.optional().describe('PEM: our own certificate, for brokers that ask for one.'),
    key_file: path.optional().describe('PEM: the private key of cert_file.'),
  })
  .refine((mqtt) => mqtt.password === undefined || mqtt.password_file === undefined, {
    path: ['password_file'],
    message: 'give password or password_file, not both',
  })
  .refine((mqtt) => (mqtt.cert_file === undefined) === (mqtt.key_file === undefined), {
    path: ['cert_file'],
    message: 'cert_file and key_file belong together',
  });

const metricsSchema = z.strictObject({
  port: z
    .int()
    .min(0)
    .max(65_535)
    .optional()
    .describe(
      'Counters as Prometheus text on http://127.0.0.1:<port>/metrics; 0 takes a free port. Off when absent.',
    ),
});

const spoolSchema = z
  .strictObject({
    /** All segment files together. */
    max_bytes: z
      .int()
      .min(64 * 1024)
      .default(256 * MIB),
    segment_bytes: z
      .int()
      .min(16 * 1024)
      .max(64 * MIB)
      .default(4 * MIB),
    /**
     * `wait`: sources that can wait stop reading until there is room. `thin`: from half full on, quiet windows go,
     * the oldest first. When absent: `wait` where a source can, else `thin`.
     */
    when_full: z.enum(['thin', 'wait']).optional(),
  })
  .refine((spool) => spool.max_bytes >= 4 * spool.segment_bytes, {
    path: ['max_bytes'],
    message: 'must be at least four times segment_bytes',
  });

/** What looks like an address of a person or a machine. */
const DEFAULT_REDACTIONS = [
  { pattern: String.raw`\b[0-9A-Fa-f]{2}([:-][0-9A-Fa-f]{2}){5}\b`, replacement: '<mac>' },
  { pattern: String.raw`\b[0-9A-Fa-f]{4}(\.[0-9A-Fa-f]{4}){2}\b`, replacement: '<mac>' },
  { pattern: String.raw`\b\d{1,3}(\.\d{1,3}){3}\b`, replacement: '<ip>' },
  { pattern: String.raw`\b[0-9A-Fa-f]{1,4}(:[0-9A-Fa-f]{0,4}){3,7}`, replacement: '<ip>' },
  { pattern: String.raw`\b[0-9A-Fa-f]{1,4}::[0-9A-Fa-f:]*`, replacement: '<ip>' },
  { pattern: String.raw`[\w.+-]+@[\w-]+(\.[\w-]+)+`, replacement: '<mail>' },
];

const redactionSchema = z
  .strictObject({
    pattern: z.string().min(1).max(1024),
    replacement: z.string().max(256).default('<redacted>'),
  })
  .superRefine((rule, context) => {
    try {
      new Redactor([rule]);
    } catch (error) {
      context.addIssue({ code: 'custom', path: ['pattern'], message: messageOf(error) });
    }
  });

const flightRecorderSchema = z.strictObject({
  enabled: z
    .boolean()
    .default(true)
    .describe('Keeps the last minutes of raw lines on this disk, and the minute around each alert.'),
  max_bytes: z
    .int()
    .min(MIB)
    .max(1024 * MIB)
    .default(16 * MIB)
    .describe('On disk, compressed.'),
  share: z
    .boolean()
    .default(false)
    .describe(
      'Whether lines around an alert may leave this gateway, redacted, when the collector asks for them.',
    ),
  redact: z
    .array(redactionSchema)
    .max(64)
    .default(DEFAULT_REDACTIONS)
    .describe(
      'What is taken out of lines that leave: regular expressions without look-around, applied in this order.',
    ),
});

const channelSchema = z.strictObject({
  name: z
    .string()
    .regex(/^[a-z][a-z0-9_]{0,63}$/, 'must be a–z, 0–9 and "_", starting with a letter')
    .refine((name) => !DEFAULT_CHANNELS.some((known) => known.name === name), 'is a default channel'),
  unit: z.string().max(32).default(''),
  kind: z.enum(['gauge', 'count']),
});

const moment = z.iso
  .datetime({ offset: true, error: 'must look like 2026-01-31T02:00:00Z, with Z or an offset' })
  .describe('ISO 8601 with Z or an offset.');

const maintenanceSchema = z
  .strictObject({
    from: moment,
    to: moment,
    devices: z.array(deviceIdSchema).min(1).max(1000).optional().describe('Only these; absent: all.'),
  })
  .refine(({ from, to }) => Date.parse(to) > Date.parse(from), {
    path: ['to'],
    message: 'must be after from',
  });

/** The file's shape, as people write it. */
export const configSchema = z
  .strictObject({
    agent_id: agentIdSchema.describe('Name of this gateway, unique in the fleet.'),
    data_dir: path.describe('Spool, models, history and the last desired state. One agent a folder.'),
    mqtt: mqttSchema.prefault({}),
    window_size_seconds: windowSizeSeconds.describe('Length of the sliding window.'),
    contamination: contamination.describe('Share of the training windows taken as anomalous.'),
    budget_per_device_per_day: budgetPerDeviceDay
      .default(DEFAULT_BUDGET)
      .describe('False alert episodes that are allowed per device and day.'),
    publish_records: z
      .enum(['none', 'anomalous', 'all'])
      .default('anomalous')
      .describe(
        'Which parsed records leave this gateway. Raw lines do not: flight_recorder.share is about them.',
      ),
    labels: labelsSchema.default({}).describe('Free words about this gateway, shown by the collector.'),
    seed: z.int().min(0).max(Number.MAX_SAFE_INTEGER).default(1).describe('Of the forests.'),
    log_level: z
      .enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'])
      .default('info')
      .describe('JSON lines on standard error.'),
    start_delay_max_seconds: z
      .number()
      .min(0)
      .max(3600)
      .default(0)
      .describe(
        'Waits a random part of this before it connects, so that a fleet does not come back all at once.',
      ),
    metrics: metricsSchema.prefault({}),
    spool: spoolSchema.prefault({}),
    flight_recorder: flightRecorderSchema.prefault({}),
    channels: z
      .array(channelSchema)
      .max(MAX_DECLARED_CHANNELS)
      .refine((list) => new Set(list.map(({ name }) => name)).size === list.length, 'names must differ')
      .default([]),
    maintenance: z
      .array(maintenanceSchema)
      .max(1000)
      .default([])
      .describe('Times of planned work: what happens then is told as ever, but no model learns from it.'),
    source: sourceSchema.optional().describe('Short for sources with one.'),
    sources: sourcesSchema.optional().describe('What to read.'),
  })
  .superRefine(checkSources);

/** Secrets and certificates as they were read from their files: never written, never logged. */
export interface Tls {
  ca?: string | undefined;
  cert?: string | undefined;
  key?: string | undefined;
}

export type Config = Omit<z.infer<typeof configSchema>, 'source' | 'sources'> & {
  sources: SourceConfig[];
  tls?: Tls;
};

/** A device name from this machine's name. */
export function hostDevice(name: string): string {
  const clean = name.replace(/[\p{C}/+#*]/gu, '-').slice(0, 128);
  return deviceIdSchema.safeParse(clean).success ? clean : 'this-host';
}

/** As checked: whichever of source and sources was written, it stands in `sources`. */
export function completed(checked: z.infer<typeof configSchema>): Config {
  const { source, sources = source ? [source] : [], ...rest } = checked;
  for (const one of sources) if (one.type === 'host') one.device_id ??= hostDevice(hostname());
  return { ...rest, sources };
}
