/** What was found about the format of lines, for people: on the terminal, in a log. Pure. */
import { stringify } from 'yaml';
import type { FormatConfig } from '../config-format.js';
import type { Proposals } from './propose.js';
import type { Attempt, Example } from './try-format.js';

const MAX_KEYS_SHOWN = 12;

/** As it stands behind `format:` or `--line-format`, in one line. */
export function formatText(format: FormatConfig): string {
  if (typeof format === 'string') return format;
  const { type, ...rest } = format;
  const keys = Object.entries(rest).filter(([key, value]) => key !== 'timezone' || value !== 'local');
  if (keys.length === 0) return type;
  return stringify(
    { type, ...Object.fromEntries(keys) },
    { collectionStyle: 'flow', lineWidth: 0, flowCollectionPadding: false },
  ).trim();
}

/** As a word of a shell. */
export function shellWord(text: string): string {
  return /^[\w./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}

/** `syslog understands 10 of 10 lines`. */
export function shareText({ format, understood, lines }: Attempt): string {
  return `${formatText(format)} understands ${understood} of ${lines} lines`;
}

/** What else a try showed: times, devices, channels and errors. */
export function detailText({ timed, devices, channels, errors, measured }: Attempt): string {
  const list = (names: readonly string[]) => names.join(', ');
  return [
    timed > 0 ? `times: ${timed}` : 'no times',
    devices.length > 0 ? `devices: ${list(devices)}` : 'no device named',
    ...(channels.length > 0 ? [`measured: ${list(channels)}`] : []),
    ...(errors.length > 0 ? [`errors: ${list(errors)}`] : []),
    ...(measured === 0 ? ['nothing measured: the lines are counted as events'] : []),
  ].join('; ');
}

export function exampleText({ timeMs, device, values, errorCode }: Example): string {
  return [
    timeMs === null ? 'time of arrival' : new Date(timeMs).toISOString(),
    device ?? '(no device)',
    ...values.map(
      ({ name, value, unit }) => `${name} ${Number(value.toPrecision(6))}${unit ? ` ${unit}` : ''}`,
    ),
    ...(errorCode === null ? [] : [`error ${errorCode}`]),
  ].join(' · ');
}

/** What to write when no shipped format fits. */
export function describeYourself({ shape, isText, lines }: Proposals): string {
  if (lines === 0) return 'there are no lines to look at yet: try again when there are some';
  if (!isText)
    return 'this is no text, or text of another encoding than UTF-8: name another file, or convert it';
  if (!shape)
    return 'describe the lines by patterns: "format: {type: text, patterns: [\'rtt (?P<latency_ms>[\\d.]+) ms\']}" (native/FORMATS.md)';
  const { type, keys } = shape;
  const shown = keys.slice(0, MAX_KEYS_SHOWN).join(', ') + (keys.length > MAX_KEYS_SHOWN ? ' …' : '');
  const words = {
    json: 'JSON objects with the keys',
    csv: 'rows with the columns',
    logfmt: 'pairs with the keys',
  };
  const header = type === 'csv' ? 'header: true, ' : '';
  return `these are ${words[type]} ${shown}: say which are ours, such as "format: {type: ${type}, ${header}fields: {timestamp: …, device_id: …, latency_ms: …}}" (native/FORMATS.md)`;
}
