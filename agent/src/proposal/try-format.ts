/**
 * Tries one format on sample lines, by the engine itself and by the call that the agent makes for every chunk, and
 * tells what it understood. Nothing is kept.
 */
import { type ChannelDefinition, Engine, type RecordResult } from '@lineheron/native';
import { type FormatConfig, formatDefinition } from '../config-format.js';
import { pushLines } from '../engine-lines.js';

const MAX_NAMES = 5;
/** Stands for the device of lines that name none; no log has it. */
const NO_DEVICE = 'lineheron-no-device';
/** Lines of a backlog need not come in order: as late as the engine allows. */
const LATENESS_SECONDS = 3_600;

export interface Surroundings {
  /** The time of receipt, epoch ms. */
  nowMs: number;
  /** Of times without an offset. */
  zone: string;
  /** Channels that the configuration declares. */
  channels?: readonly ChannelDefinition[];
}

/** A record as an example for people. */
export interface Example {
  /** Epoch ms; null when the line has no time. */
  timeMs: number | null;
  device: string | null;
  values: { name: string; value: number; unit: string }[];
  errorCode: string | null;
}

export interface Attempt {
  format: FormatConfig;
  /** Lines that are not blank. */
  lines: number;
  /** Lines that are not refused and say something: a time, a measured value or an error. */
  understood: number;
  /** Records with a time, a device and a value or an error of their own. */
  records: number;
  timed: number;
  named: number;
  measured: number;
  /** The first few. */
  devices: string[];
  errors: string[];
  channels: string[];
  refused: Record<string, number>;
  /** The richest of the first records. */
  example: Example | null;
  /** A line that was refused for the most common reason. */
  refusedLine: string | null;
}

/** Null when the engine does not take the format as it is. */
export function tryFormat(
  format: FormatConfig,
  sample: Uint8Array,
  { nowMs, zone, channels = [] }: Surroundings,
): Attempt | null {
  const engine = new Engine({
    channels: channels.map((channel) => ({ ...channel })),
    publishRecords: 'all',
    latenessSeconds: LATENESS_SECONDS,
    baseline: false,
  });
  let number: number;
  try {
    number = engine.addFormat(formatDefinition(format, zone));
  } catch {
    return null;
  }
  const chunk = { bytes: sample, emit: true, format: number, device: NO_DEVICE };
  const { records } = pushLines(engine, chunk, nowMs);
  const { lines, refused, tooLong, late, ahead } = engine.counters();
  const all = tooLong > 0 ? { ...refused, too_long: tooLong } : refused;
  const read = records.map((record) => exampleOf(record, engine.channels, nowMs));
  const saysNothing = (one: Example) => one.timeMs === null && !says(one);
  const silent = new Set(records.filter((_, at) => saysNothing(read[at]!)).map(({ lineEnd }) => lineEnd))
    .size;
  // What is late or ahead had a time, though no record shows it.
  const stray = late + ahead;
  const telling = records.length - read.filter(saysNothing).length + stray;
  const refusals = Object.values(all).reduce((sum, count) => sum + count, 0);
  return {
    format,
    lines,
    understood: telling > 0 ? Math.max(0, lines - refusals - Math.max(0, silent - ahead)) : 0,
    records: records.length + late,
    timed: read.filter(({ timeMs }) => timeMs !== null).length + stray,
    named: read.filter(({ device }) => device !== null).length,
    measured: read.filter(says).length,
    devices: firstFew(read.map(({ device }) => device)),
    errors: firstFew(read.map(({ errorCode }) => errorCode)),
    channels: firstFew(read.flatMap(({ values }) => values.map(({ name }) => name))),
    refused: all,
    example: richest(read),
    refusedLine: refusedLine(engine, all),
  };
}

const says = ({ values, errorCode }: Example) => values.length > 0 || errorCode !== null;

/** Dates and numbers that stand where a host would are none. */
const isName = (text: string) => text !== NO_DEVICE && !/^[\d\s:,;T/+-]+$/.test(text);

function exampleOf(record: RecordResult, channels: readonly ChannelDefinition[], nowMs: number): Example {
  const { timestampMs, device, errorCode } = record;
  return {
    timeMs: timestampMs === nowMs ? null : timestampMs,
    device: isName(device) ? device : null,
    values: record.values.flatMap((value, index) => {
      const channel = channels[index];
      return value === null || !channel ? [] : [{ name: channel.name, value, unit: channel.unit }];
    }),
    errorCode,
  };
}

function firstFew(names: readonly (string | null)[]): string[] {
  return [...new Set(names.filter((name) => name !== null))].slice(0, MAX_NAMES);
}

function richest(examples: readonly Example[]): Example | null {
  const weight = ({ timeMs, device, values, errorCode }: Example) =>
    4 * (values.length + (errorCode === null ? 0 : 1)) +
    (timeMs === null ? 0 : 2) +
    (device === null ? 0 : 1);
  return examples
    .slice(0, 100)
    .reduce<Example | null>((best, one) => (best === null || weight(one) > weight(best) ? one : best), null);
}

function refusedLine(engine: Engine, refused: Readonly<Record<string, number>>): string | null {
  const samples = engine.refusedSample();
  const most = Math.max(0, ...samples.map(({ reason }) => refused[reason] ?? 0));
  return samples.find(({ reason }) => refused[reason] === most)?.line ?? null;
}
