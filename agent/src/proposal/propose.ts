/**
 * Lines in, ranked formats out: every shipped format is tried on a sample by the engine itself. Used wherever somebody
 * may have named the wrong format, or none. Same lines, same time: same proposals.
 */
import { isUtf8 } from 'node:buffer';
import type { FormatConfig } from '../config-format.js';
import { guessedFormat, NAMED_FORMATS, type Shape, shapeOf } from './candidates.js';
import { type Attempt, type Surroundings, tryFormat } from './try-format.js';

const MAX_BYTES = 64 * 1024;
const MAX_LINES = 500;
const LINE_FEED = 10;
/** Less than this share of the lines is no proposal. */
const ENOUGH = 0.5;
/** From this share on there is no doubt, if the lines also have times or values. */
const SURE = 0.9;

export interface Proposals {
  /** Lines in the sample that are not blank. */
  lines: number;
  /** Formats that understand something, the best first. */
  attempts: Attempt[];
  /** What to take; null when none understands half of the lines. */
  best: Attempt | null;
  /** The best understands nearly all, and what it reads has times or values. */
  sure: boolean;
  /** Of lines that are objects, rows or pairs. */
  shape: Shape | null;
  /** The sample is text at all. */
  isText: boolean;
}

/** The first whole lines of what was read, as many as are tried. */
export function sampleOf(bytes: Uint8Array): Buffer {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let end = 0;
  for (let lines = 0; lines < MAX_LINES; lines++) {
    const next = buffer.indexOf(LINE_FEED, end) + 1;
    if (next === 0 || next > MAX_BYTES) break;
    end = next;
  }
  const isWhole = end === 0 && buffer.length > 0 && buffer.length < MAX_BYTES;
  return isWhole ? Buffer.concat([buffer, Buffer.of(LINE_FEED)]) : buffer.subarray(0, end);
}

/** Tries every format; `given` are tried, too, such as the one that is configured. */
export function propose(
  bytes: Uint8Array,
  around: Surroundings,
  given: readonly FormatConfig[] = [],
): Proposals {
  const sample = sampleOf(bytes);
  const lines = sample
    .toString('utf8')
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
  const shape = shapeOf(lines);
  const guess = guessedFormat(shape);
  const candidates = [...given, ...NAMED_FORMATS, ...(guess === null ? [] : [guess])];
  const attempts = candidates
    .flatMap((format) => tryFormat(format, sample, around) ?? [])
    .filter((one) => one.understood > 0 && isPlausible(one, lines))
    .sort(better);
  const [first] = attempts;
  const share = first ? first.understood / Math.max(1, first.lines) : 0;
  const best = first && share >= ENOUGH ? first : null;
  return {
    lines: lines.length,
    attempts,
    best,
    sure: best !== null && share >= SURE && best.timed + best.measured >= SURE * best.records,
    shape,
    isText: isUtf8(sample) && !sample.includes(0),
  };
}

/** A format that takes every line which begins with a date needs a sign that the lines are its own. */
const SIGNS: Readonly<Record<string, RegExp>> = {
  docsis:
    /CM-MAC|CMTS|DOCSIS|ranging|\bT[1-6]\b|\b(?:Critical|Notice|Warning|Error)\s?\(\d\)|\b[4-9]\d{7}\b|cable modem/i,
};

const nameOf = (format: FormatConfig) => (typeof format === 'string' ? format : format.type);

function isPlausible({ format }: Attempt, lines: readonly string[]): boolean {
  const sign = SIGNS[nameOf(format)];
  return sign === undefined || 2 * lines.filter((line) => sign.test(line)).length >= lines.length;
}

/** The more of the lines the better, then times, then what is measured; names of devices; then the order of the list. */
function better(a: Attempt, b: Attempt): number {
  const shares = ({ understood, lines, records, timed, measured, named, format }: Attempt) => [
    Math.round((20 * understood) / lines),
    Math.round((20 * timed) / Math.max(1, records)),
    Math.round((20 * measured) / Math.max(1, records)),
    // Reads any text at all: the last to be believed.
    nameOf(format) === 'events' ? 0 : 1,
    Math.round((20 * named) / Math.max(1, records)),
    nameOf(format) === 'docsis' ? 1 : 0,
  ];
  const [ours, theirs] = [shares(a), shares(b)];
  const at = ours.findIndex((share, index) => share !== theirs[index]);
  return at < 0 ? 0 : theirs[at]! - ours[at]!;
}
