/**
 * The part of a source's configuration that says how its lines are read: `format`, a name or an object of a type and
 * its keys. Here the shape is checked; units, patterns and time forms are checked by the engine, which reads the
 * definition made of it and says what is wrong by the same key. Every format is told in native/FORMATS.md.
 */
import { deviceIdSchema } from '@lineheron/models';
import { parse as parseYaml } from 'yaml';
import { z } from 'zod';
import { ENCODINGS, type Encoding } from './text-encoding.js';

const MAX_FIELDS = 256;
const MAX_PATTERNS = 256;
const MAX_COLUMNS = 1024;

/** Keys of every format but canonical. */
const shared = {
  device_id: deviceIdSchema.optional().describe('The device of lines that name none.'),
  timezone: z
    .string()
    .min(1)
    .max(64)
    .default('local')
    .describe('Of times without an offset: local (this machine), UTC, +02:00 or a name like Europe/Berlin.'),
  clock_valid_from: z
    .string()
    .regex(/^\d{4}-\d{2}-\d{2}$/, 'must be a date such as 2020-01-01')
    .optional()
    .describe('A device that shows less has not set its clock yet; 2020-01-01 unless given.'),
  year: z
    .int()
    .min(1970)
    .max(9999)
    .optional()
    .describe('Of times without a year, for old files; else the last that is not after receipt.'),
  date_order: z
    .enum(['auto', 'day_first', 'month_first', 'year_first'])
    .optional()
    .describe('Of dates in numbers such as 09/11/2026; auto, unless given, is what the lines show.'),
  encoding: z
    .enum(ENCODINGS)
    .optional()
    .describe('Of the text; auto, unless given, is UTF-8, or UTF-16 where the first bytes show it.'),
};

const from = z.string().min(1).max(256);
const missing = z
  .array(z.union([z.number(), z.string().max(64)]))
  .max(64)
  .optional()
  .describe('What stands for "not measured" beside nothing, NaN, n/a and the like; for example [-1].');

/** Keys of formats whose values are numbers in text. */
const cells = {
  decimal: z.enum(['.', ',']).optional().describe('The decimal sign; with "," a point only parts thousands.'),
  missing,
};

const fieldSchema = z.union([
  from,
  z.strictObject({
    from: from.optional().describe('Where it comes from; the name of the field unless given.'),
    unit: z.string().max(32).optional().describe('What the line measures in: s, us, bytes, ratio, 0.1 dB …'),
    scale: z.number().optional().describe('A factor on top of the unit.'),
    counter: z.boolean().optional().describe('A total that only grows: the record gets the difference.'),
    form: z
      .string()
      .max(128)
      .optional()
      .describe('Of a time stamp: auto, iso, epoch_ms, or %Y-%m-%d %H:%M:%S.'),
    ok: z.array(z.string().max(64)).max(64).optional().describe('Error codes that mean no error.'),
    missing,
  }),
  z
    .strictObject({
      sent: from.describe('Of a loss in %: where the count of what was sent stands.'),
      received: from.optional().describe('Where the count of what came back stands.'),
      lost: from.optional().describe('Or where the count of what was lost stands.'),
    })
    .refine(({ received, lost }) => (received === undefined) !== (lost === undefined), {
      path: ['received'],
      message: 'give either received or lost with sent',
    }),
]);

const fields = z
  .record(z.string().min(1).max(64), fieldSchema)
  .refine((map) => Object.keys(map).length <= MAX_FIELDS, `has more than ${MAX_FIELDS} fields`)
  .describe('From a field of ours or a declared channel to where it stands in the line.');
const someFields = fields.refine((map) => Object.keys(map).length > 0, 'must name at least one field');

const patternSchema = z.union([
  z.string().min(1).max(2048),
  z.strictObject({
    pattern: z.string().min(1).max(2048).describe('A regular expression with groups (?P<name>…).'),
    fields: fields.optional(),
    set: z
      .record(z.string().min(1).max(64), z.union([z.string().max(64), z.number(), z.boolean()]))
      .optional()
      .describe('What a match alone says, for example {connection_resets: 1}.'),
    program: z.string().min(1).max(64).optional().describe('Only lines that this program wrote.'),
    skip: z.boolean().optional().describe('Lines that hold no record.'),
  }),
]);

const jsonShape = {
  type: z.literal('json'),
  fields: someFields,
  ...cells,
  records: z
    .string()
    .min(1)
    .max(256)
    .optional()
    .describe(
      'Of documents: where the array of records stands, for example results; else the document itself.',
    ),
};
const logfmtShape = { type: z.literal('logfmt'), fields: someFields, ...cells };
const csvShape = {
  type: z.literal('csv'),
  fields: someFields,
  ...cells,
  columns: z.array(z.string().max(256)).min(1).max(MAX_COLUMNS).optional().describe('Names of the columns.'),
  header: z.boolean().optional().describe('A line in the stream names them.'),
  delimiter: z.string().min(1).max(3).optional(),
  quote: z.string().length(1).optional(),
};
const textShape = {
  type: z.literal('text'),
  ...cells,
  patterns: z.array(patternSchema).min(1).max(MAX_PATTERNS),
  unmatched: z.enum(['count', 'refuse']).optional().describe('What a line is that no pattern matches.'),
};
const eventsShape = { type: z.literal('events') };

const oneOfColumns = (csv: { columns?: unknown; header?: boolean | undefined }) =>
  (csv.columns !== undefined) !== (csv.header === true);
const COLUMNS_ISSUE = { path: ['columns'], message: 'give either columns or header: true' };

const messageSchema = z.union([
  z.enum(['events', 'ping', 'fping']),
  z.discriminatedUnion('type', [
    z.strictObject(jsonShape),
    z.strictObject(logfmtShape),
    z.strictObject(csvShape).refine(oneOfColumns, COLUMNS_ISSUE),
    z.strictObject(textShape),
    z.strictObject(eventsShape),
    z.strictObject({ type: z.enum(['ping', 'fping']) }),
  ]),
]);

const message = messageSchema
  .optional()
  .describe('How a message is read; by the shipped patterns unless given.');

/** How a source's lines are read. */
export const formatSchema = z.union([
  z.enum([
    'canonical',
    'events',
    'syslog',
    'cisco',
    'docsis',
    'journal',
    'ping',
    'fping',
    'mtr',
    'speedtest',
  ]),
  z.discriminatedUnion('type', [
    z.strictObject({ type: z.literal('canonical') }),
    z.strictObject({ ...shared, ...jsonShape }),
    z.strictObject({ ...shared, ...logfmtShape }),
    z.strictObject({ ...shared, ...csvShape }).refine(oneOfColumns, COLUMNS_ISSUE),
    z.strictObject({ ...shared, ...textShape }),
    z.strictObject({ ...shared, ...eventsShape }),
    z.strictObject({ ...shared, type: z.literal('syslog'), message }),
    z.strictObject({ ...shared, type: z.literal('cisco'), message }),
    z.strictObject({ ...shared, type: z.literal('docsis') }),
    z.strictObject({ ...shared, type: z.literal('journal'), message }),
    z.strictObject({ ...shared, type: z.enum(['ping', 'fping', 'mtr', 'speedtest']) }),
  ]),
]);

export type FormatConfig = z.infer<typeof formatSchema>;

/** A format as it is typed on a command line: what is no YAML stays text, the name of a format or of none. */
export function yamlOrText(text: string): unknown {
  try {
    return parseYaml(text, { logLevel: 'error' });
  } catch {
    return text;
  }
}

/** The encoding of the lines' text as it is configured. */
export function encodingOf(format: FormatConfig | undefined): Encoding {
  return (typeof format === 'object' && 'encoding' in format ? format.encoding : undefined) ?? 'auto';
}

/** This machine's zone by its IANA name. */
export function machineZone(): string {
  return new Intl.DateTimeFormat().resolvedOptions().timeZone || 'UTC';
}

/**
 * The definition that `Engine.addFormat` takes. `zone` stands in for `local`. Throws nothing: what is wrong in it is
 * said by the engine.
 */
export function formatDefinition(format: FormatConfig | undefined, zone: string): string {
  const object = typeof format === 'string' ? { type: format } : (format ?? { type: 'canonical' });
  if (object.type === 'canonical') return JSON.stringify(object);
  const timezone = 'timezone' in object && object.timezone !== 'local' ? object.timezone : zone;
  return JSON.stringify({ ...object, timezone });
}
