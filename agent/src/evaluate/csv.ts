/**
 * Labelled rows from a CSV: `timestamp` (Unix seconds or milliseconds, or ISO 8601; may be absent), columns of numbers,
 * `label` (0 or 1; may be absent in a file to learn from). An empty cell is unknown. Only names and ISO times may be
 * quoted. At most 256 MiB.
 */
import { readFile, stat } from 'node:fs/promises';
import { EXIT, ExitError } from '../exit-code.js';

const MAX_BYTES = 256 * 1024 * 1024;
const LINE_FEED = 10;
/** The largest of 32 bits. */
export const MAX_VALUE = 3.4028234663852886e38;
const ISO = /^(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2}(?::\d{2}(?:[.,]\d+)?)?)(Z|[+-]\d{2}:?\d{2})?)?$/i;
/** Seconds from here on are milliseconds: the year 5138. */
const MIN_MS = 1e11;

export interface Labelled {
  name: string;
  columns: readonly string[];
  /** Row-major; NaN is unknown. */
  rows: Float64Array;
  count: number;
  /** Epoch ms; null when the file has no times or only row numbers: then its rows are independent. */
  timesMs: Float64Array | null;
  labels: Uint8Array;
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  EACCES: 'may not be read',
  EISDIR: 'is a folder',
};

/** The file's text. Throws ExitError when it cannot be read or there is nothing in it. */
export async function textOf(path: string): Promise<string> {
  try {
    const { size } = await stat(path);
    if (size > MAX_BYTES) throw new ExitError(EXIT.data, `${path}: has over 256 MiB`);
    const text = await readFile(path, 'utf8');
    if (text.trim() === '') throw new ExitError(EXIT.data, `${path}: is empty`);
    return text;
  } catch (error) {
    if (error instanceof ExitError) throw error;
    const { code, message } = error as NodeJS.ErrnoException;
    throw new ExitError(EXIT.noInput, `${path}: ${REASONS[code ?? ''] ?? message}`);
  }
}

/** Reads one. Throws ExitError with the line when something is wrong; `labelled` asks for a `label` column. */
export function parseCsv(name: string, text: string, labelled: boolean): Labelled {
  const failed = (why: string) => new ExitError(EXIT.data, `${name}: ${why}`);
  const headEnd = text.indexOf('\n');
  const header = (headEnd < 0 ? text : text.slice(0, headEnd)).split(',').map(unquoted);
  const twice = header.find((name, at) => header.indexOf(name) !== at);
  // A second column of labels would be a column to learn from.
  if (twice) throw failed(`has two columns "${twice}"`);
  const labelAt = header.indexOf('label');
  const timeAt = header.indexOf('timestamp');
  if (labelled && labelAt < 0) throw failed('has no column "label"');
  const columns = header.filter((_, at) => at !== labelAt && at !== timeAt);
  if (headEnd < 0 || columns.length === 0 || columns.some((column) => column === ''))
    throw failed('is no CSV with a header, columns and rows');
  const places = header.map((_, at) => at).filter((at) => at !== labelAt && at !== timeAt);
  const most = countLines(text);
  const rows = new Float64Array(most * columns.length);
  const [times, labels] = [new Float64Array(most), new Uint8Array(most)];
  let [count, line] = [0, 1];
  for (let from = headEnd + 1; from < text.length; ) {
    const found = text.indexOf('\n', from);
    const end = found < 0 ? text.length : found;
    line += 1;
    const cells = text.slice(from, end).trim().split(',');
    from = end + 1;
    if (cells.length === 1 && cells[0] === '') continue;
    if (cells.length !== header.length)
      throw failed(`line ${line} has ${cells.length} cells, the header has ${header.length}`);
    const wrong = (at: number, what: string) =>
      failed(`line ${line}: "${cells[at]!.trim().slice(0, 40)}" in column ${header[at]} is ${what}`);
    const number = (at: number, what = 'number') => {
      const cell = cells[at]!.trim();
      const value = cell === '' ? Number.NaN : Number(cell);
      if (Number.isNaN(value) && cell !== '' && cell.toLowerCase() !== 'nan') throw wrong(at, `no ${what}`);
      return value;
    };
    places.forEach((place, at) => {
      const value = number(place);
      // The models take no more, and could not name the cell.
      if (Math.abs(value) > MAX_VALUE) throw wrong(place, 'infinite or beyond 3.4e38');
      rows[count * places.length + at] = value;
    });
    if (timeAt >= 0)
      times[count] =
        isoMs(unquoted(cells[timeAt]!)) ?? number(timeAt, 'number of seconds and no ISO 8601 time') * 1000;
    if (labelAt >= 0) {
      const label = number(labelAt);
      if (label !== 0 && label !== 1) throw failed(`line ${line}: the label must be 0 or 1`);
      labels[count] = label;
    }
    count += 1;
  }
  if (count === 0) throw failed('has no rows');
  return {
    name,
    columns,
    rows: rows.subarray(0, count * columns.length),
    count,
    timesMs: timeAt < 0 ? null : checkedTimes(times.subarray(0, count), failed),
    labels: labels.subarray(0, count),
  };
}

/** A name or time, without the spaces and quotes about it. */
function unquoted(cell: string): string {
  return cell
    .trim()
    .replace(/^"(.*)"$/, '$1')
    .trim();
}

/** Epoch ms of an ISO 8601 time, in UTC where it names no offset; null for what is none. */
function isoMs(cell: string): number | null {
  const found = ISO.exec(cell);
  if (!found) return null;
  const [, day, time = '00:00', zone = 'Z'] = found;
  const ms = Date.parse(`${day}T${time.replace(',', '.')}${zone.toUpperCase()}`);
  return Number.isNaN(ms) ? null : ms;
}

function countLines(text: string): number {
  let count = 1;
  for (let at = 0; at < text.length; at += 1) if (text.charCodeAt(at) === LINE_FEED) count += 1;
  return count;
}

/** Null for row numbers 0, 1, 2, …; else times, in the file's order even where a clock was set back. */
function checkedTimes(times: Float64Array, failed: (why: string) => ExitError): Float64Array | null {
  if (times.every((time, row) => time === row * 1000)) return null;
  const missing = times.findIndex((time) => !Number.isFinite(time));
  if (missing >= 0) throw failed(`row ${missing + 1} has no timestamp`);
  return times.every((time) => time >= MIN_MS * 1000) ? times.map((time) => time / 1000) : times;
}
