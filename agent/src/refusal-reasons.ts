/**
 * Why the engine refuses a line, by its code: a sentence, and what to do about it. One table for every place that says
 * so: the log, `doctor`, `init`, `replay`, the agent's info.
 */

export interface RefusalReason {
  /** What is wrong with such a line; follows "because". */
  reason: string;
  remedy: string;
  /** Mostly a sign that the lines are written in another format than the one they are read by. */
  otherFormat?: true;
  /** Only a value of the line is left out. */
  valueOnly?: true;
}

const VALUE = 'value_';

/** The code of lines that count but for a value, by the reason for which the value is refused. */
export const valueCode = (code: string): string => `${VALUE}${code}`;

const OTHER_FORMAT = 'set the format that the lines are written in (native/FORMATS.md lists them)';
const UNIT = 'look at unit and scale of that field in the format';

export const REFUSAL_REASONS: Readonly<Record<string, RefusalReason>> = {
  missing_device: {
    reason: 'the line names no device',
    remedy:
      'name it in the format: "format: {type: …, device_id: my-modem}", or map device_id to a field of the line',
  },
  bad_device: {
    reason: 'the device name is not text of 1 to 128 printable characters without / + # *',
    remedy: 'map device_id to another field of the line, or set a fixed device_id in the format',
  },
  invalid_json: {
    reason: 'the line is not JSON',
    remedy: `without a format lines must be JSON objects: ${OTHER_FORMAT}`,
    otherFormat: true,
  },
  not_an_object: {
    reason: 'the line is JSON but not an object such as {"device_id": "m1", "latency_ms": 20}',
    remedy: OTHER_FORMAT,
    otherFormat: true,
  },
  bad_timestamp: {
    reason: 'the time is neither ISO 8601 with an offset nor seconds or milliseconds since 1970',
    remedy: 'use a json, csv or text format with the form of the time: "timestamp: {from: …, form: …}"',
  },
  not_a_number: {
    reason: 'a measured field holds something that is not a number',
    remedy: 'map the field to where the number stands, or extract it with a text pattern',
  },
  negative: { reason: 'a measured value is below zero that cannot be', remedy: UNIT },
  out_of_range: { reason: 'a measured value is beyond what its field allows', remedy: UNIT },
  not_an_integer: {
    reason: 'a number of events is not a whole number',
    remedy: 'map the count to another field, or declare a channel of kind gauge for it',
  },
  bad_error_code: {
    reason: 'the error code is neither a whole number nor text of at most 64 characters',
    remedy: 'map error_code to another field of the line',
  },
  bad_label: {
    reason: 'is_anomaly is not true or false, or anomaly_type is not a short text',
    remedy: 'leave both fields out, or mend them in the file',
  },
  invalid_utf8: {
    reason: 'the line is not UTF-8 text',
    remedy: 'convert the file to UTF-8, or set the encoding of the source if it has one',
  },
  binary: {
    reason: 'the line holds NUL bytes: this is no text, or text of another encoding such as UTF-16',
    remedy: 'name another file, or convert it to UTF-8',
  },
  no_envelope: {
    reason: 'the line does not begin with a time and a host as the format expects',
    remedy: OTHER_FORMAT,
    otherFormat: true,
  },
  no_pattern: {
    reason: 'no pattern of the format matches the line',
    remedy: 'add a pattern for it, or set "unmatched: count" in the format',
  },
  missing_header: {
    reason: 'no line has named the columns yet',
    remedy: 'name them in the format: "columns: [time, host, rtt]" in place of "header: true"',
  },
  missing_columns: {
    reason: 'the line has fewer columns than the format names',
    remedy: 'look at delimiter, quote and columns of the format',
  },
  bad_quotes: {
    reason: 'a quote in the line is not closed',
    remedy: 'look at quote and delimiter of the format',
  },
  no_pairs: { reason: 'the line holds no key=value pair', remedy: OTHER_FORMAT, otherFormat: true },
  document_too_long: {
    reason: 'a JSON document is longer than 4 MiB or deeper than 128',
    remedy: 'write one record a line, or smaller documents',
  },
  too_long: {
    reason: 'the line is longer than 65,536 bytes',
    remedy: 'write one record a line; a file that is one long line needs a format that reads documents',
  },
};

/** What to do where a value is left out and the line counts. */
const VALUE_REMEDIES: Readonly<Record<string, string>> = {
  not_a_number:
    'if it stands for "not measured", list it in "missing" of the format; set "decimal: ","" for a decimal comma; else map another field',
  negative: 'if it stands for "not measured", list it in the format: "missing: [-1]"',
};

/** Of a code that a newer engine knows, its name in words. */
export function refusalReason(code: string): RefusalReason {
  if (Object.hasOwn(REFUSAL_REASONS, code)) return REFUSAL_REASONS[code]!;
  if (code.startsWith(VALUE)) {
    const { reason, remedy } = refusalReason(code.slice(VALUE.length));
    const inPart = `a value of it is left out: ${reason}`;
    return { reason: inPart, remedy: VALUE_REMEDIES[code.slice(VALUE.length)] ?? remedy, valueOnly: true };
  }
  return {
    reason: `the engine refuses it as ${code.replaceAll('_', ' ')}`,
    remedy: OTHER_FORMAT,
    otherFormat: true,
  };
}

/** The most common of counted codes; null when nothing was refused. */
export function mainRefusal(counts: Readonly<Record<string, number>>): string | null {
  const [first] = Object.entries(counts)
    .filter(([, count]) => count > 0)
    .sort(([a, many], [b, more]) => more - many || (a < b ? -1 : 1));
  return first?.[0] ?? null;
}

/** `6 because the line names no device`, the most common first. */
export function refusalWords(counts: Readonly<Record<string, number>>): string {
  return Object.entries(counts)
    .filter(([, count]) => count > 0)
    .sort(([a, many], [b, more]) => more - many || (a < b ? -1 : 1))
    .map(([code, count]) => `${count} because ${refusalReason(code).reason} (${code})`)
    .join('; ');
}
