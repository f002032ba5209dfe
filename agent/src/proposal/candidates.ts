/**
 * Which formats are tried on a sample: every one that has a name, and one of each general kind whose field map can be
 * guessed from the names in the lines. A field is guessed only where its name says its unit, too. Pure.
 */
import { type FormatConfig, formatSchema } from '../config-format.js';

/** Every format that needs nothing but its name; what is added to the schema is tried, too. */
export const NAMED_FORMATS: readonly FormatConfig[] = formatSchema.options[0].options;

/** What others call our fields, each with its unit in the name or without one. */
const ALIASES: Readonly<Record<string, readonly string[]>> = {
  timestamp: ['timestamp', '@timestamp', 'time', 'ts', 'datetime', 'date_time', 'at'],
  device_id: ['device_id', 'device', 'deviceid', 'hostname', 'host', 'router', 'modem', 'gateway'],
  latency_ms: ['latency_ms', 'rtt_ms', 'ping_ms', 'round_trip_ms', 'latencyms', 'rttms'],
  packet_loss_pct: ['packet_loss_pct', 'loss_pct', 'packet_loss_percent', 'loss_percent', 'packetlosspct'],
  retry_count: ['retry_count', 'retries', 'retransmits'],
  error_code: ['error_code', 'errorcode', 'error'],
  traffic_volume_mb: ['traffic_volume_mb', 'traffic_mb'],
  connection_resets: ['connection_resets', 'resets', 'disconnects'],
  is_anomaly: ['is_anomaly'],
  anomaly_type: ['anomaly_type'],
};
const MEASURED = [
  'latency_ms',
  'packet_loss_pct',
  'retry_count',
  'error_code',
  'traffic_volume_mb',
  'connection_resets',
];
const DELIMITERS = [',', ';', '\t', '|'];
const MAX_KEYS = 64;

/** How lines look whose fields nobody knows yet. */
export interface Shape {
  type: 'json' | 'csv' | 'logfmt';
  /** Keys or columns as they stand in the lines. */
  keys: string[];
  delimiter?: string;
}

/** The field map of these names; null when nothing measured is among them. */
function fieldsOf(keys: readonly string[]): Record<string, string> | null {
  const plain = new Map(keys.map((key) => [key.toLowerCase().replaceAll(/[\s.-]/g, '_'), key]));
  const found = Object.entries(ALIASES).flatMap(([field, names]) => {
    const name = names.find((one) => plain.has(one));
    return name === undefined ? [] : [[field, plain.get(name)!] as const];
  });
  return found.some(([field]) => MEASURED.includes(field)) ? Object.fromEntries(found) : null;
}

function jsonKeys(lines: readonly string[]): string[] | null {
  const keys = new Set<string>();
  for (const line of lines) {
    try {
      const value: unknown = JSON.parse(line);
      if (typeof value !== 'object' || value === null || Array.isArray(value)) return null;
      for (const key of Object.keys(value)) if (keys.size < MAX_KEYS) keys.add(key);
    } catch {
      return null;
    }
  }
  return [...keys];
}

function logfmtKeys(lines: readonly string[]): string[] | null {
  const keys = new Set<string>();
  for (const line of lines) {
    const pairs = [...line.matchAll(/(?:^|\s)([A-Za-z_][\w.-]*)=("[^"]*"|\S*)/g)];
    const covered = pairs.reduce((sum, [pair]) => sum + pair.trim().length, 0);
    if (pairs.length < 2 || covered < 0.6 * line.replaceAll(/\s/g, '').length) return null;
    for (const [, key] of pairs) if (keys.size < MAX_KEYS) keys.add(key!);
  }
  return [...keys];
}

/** The first line names the columns, and every line has as many. */
function csvColumns(lines: readonly string[]): { keys: string[]; delimiter: string } | null {
  const [head, ...rows] = lines;
  for (const delimiter of DELIMITERS) {
    const keys = head?.split(delimiter).map((name) => name.trim().replaceAll(/^"|"$/g, '')) ?? [];
    const names = keys.every((name) => /^[A-Za-z_@][^0-9]{0,2}[\w ()%./-]{0,60}$/.test(name));
    const sameWidth = rows.every((row) => row.split(delimiter).length === keys.length);
    if (keys.length >= 2 && rows.length > 0 && names && sameWidth) return { keys, delimiter };
  }
  return null;
}

/** What kind of lines these are, by the first of them; null for free text. */
export function shapeOf(lines: readonly string[]): Shape | null {
  const first = lines.slice(0, 20);
  if (first.length === 0) return null;
  const json = jsonKeys(first);
  if (json) return { type: 'json', keys: json };
  const csv = csvColumns(first);
  if (csv) return { type: 'csv', ...csv };
  const logfmt = logfmtKeys(first);
  return logfmt ? { type: 'logfmt', keys: logfmt } : null;
}

/** The shape as a format, where its names say what they are. */
export function guessedFormat(shape: Shape | null): FormatConfig | null {
  const fields = shape && fieldsOf(shape.keys);
  if (!fields) return null;
  const { type, delimiter } = shape;
  const csv = {
    header: true,
    ...(delimiter === ',' ? {} : { delimiter: delimiter === '\t' ? 'tab' : delimiter }),
  };
  const format = formatSchema.safeParse({ type, ...(type === 'csv' ? csv : {}), fields });
  return format.success ? format.data : null;
}
