/**
 * Encodings of text files: UTF-8, and UTF-16 as Windows writes it, known by its mark or by every other byte being zero.
 * Line ends are found in the bytes as they stand, so that places in a file stay exact; what is handed on is UTF-8.
 */
import { Transform } from 'node:stream';

/** The last two are read as the one before them, which holds all of their characters, as browsers do. */
export const ENCODINGS = [
  'auto',
  'utf-8',
  'utf-16le',
  'utf-16be',
  'windows-1252',
  'latin1',
  'iso-8859-1',
] as const;
export type Encoding = (typeof ENCODINGS)[number];
/** How line ends are found; the engine reads bytes of one a character. */
export type Wide = 'utf-16le' | 'utf-16be' | null;

const LINE_FEED = 10;
/** Fewer pairs of bytes say nothing without a mark. */
const MIN_PAIRS = 4;

/** Which UTF-16 a text is in that begins with these bytes; null when it is none. */
export function wideOf(head: Uint8Array, encoding: Encoding = 'auto'): Wide {
  if (encoding !== 'auto') return encoding === 'utf-16le' || encoding === 'utf-16be' ? encoding : null;
  if (head[0] === 0xff && head[1] === 0xfe) return 'utf-16le';
  if (head[0] === 0xfe && head[1] === 0xff) return 'utf-16be';
  const pairs = Math.floor(Math.min(head.length, 256) / 2);
  if (pairs < MIN_PAIRS) return null;
  let [high, low] = [0, 0];
  for (let pair = 0; pair < pairs; pair++) {
    high += head[2 * pair] === 0 ? 1 : 0;
    low += head[2 * pair + 1] === 0 ? 1 : 0;
  }
  if (low > pairs / 2 && high === 0) return 'utf-16le';
  return high > pairs / 2 && low === 0 ? 'utf-16be' : null;
}

/** The place behind the first line end from `from` on, among the first `length` bytes; -1 when there is none. */
export function nextLineEnd(bytes: Buffer, from: number, length: number, wide: Wide): number {
  for (
    let at = bytes.indexOf(LINE_FEED, from);
    at >= 0 && at < length;
    at = bytes.indexOf(LINE_FEED, at + 1)
  ) {
    const end = endAt(bytes, at, length, wide);
    if (end > 0) return end;
  }
  return -1;
}

/** The place behind the last line end among the first `length` bytes; 0 when there is none. */
export function lastLineEnd(bytes: Buffer, length: number, wide: Wide): number {
  let at = length > 0 ? bytes.lastIndexOf(LINE_FEED, length - 1) : -1;
  while (at >= 0) {
    const end = endAt(bytes, at, length, wide);
    if (end > 0) return end;
    at = at > 0 ? bytes.lastIndexOf(LINE_FEED, at - 1) : -1;
  }
  return 0;
}

/** Behind the line feed whose byte stands at `at`; 0 when it is a part of another character. */
function endAt(bytes: Buffer, at: number, length: number, wide: Wide): number {
  if (wide === null) return at + 1;
  const from = wide === 'utf-16le' ? at : at - 1;
  const other = wide === 'utf-16le' ? at + 1 : at - 1;
  return from >= 0 && from % 2 === 0 && other < length && bytes[other] === 0 ? from + 2 : 0;
}

/** Whole characters as UTF-8, without a mark. */
export function toUtf8(bytes: Buffer, wide: Wide): Buffer {
  return wide === null ? bytes : Buffer.from(new TextDecoder(wide).decode(bytes));
}

/** Makes pieces of a stream UTF-8, however they are cut; what it is shows in its first bytes. */
export class Utf8Decoder {
  /** First bytes that do not tell yet; null once it is known. */
  private head: Buffer | null = Buffer.alloc(0);
  private decoder: InstanceType<typeof TextDecoder> | null = null;

  constructor(private readonly encoding: Encoding = 'auto') {}

  push(bytes: Buffer): Buffer {
    if (this.head === null) return this.decoded(bytes);
    this.head = Buffer.concat([this.head, bytes]);
    // A first line must not wait for more.
    const tells = this.head.length >= 2 * MIN_PAIRS || this.head.includes(LINE_FEED);
    return tells ? this.decide(this.head) : Buffer.alloc(0);
  }

  end(): Buffer {
    const rest = this.head === null ? Buffer.alloc(0) : this.decide(this.head);
    return this.decoder ? Buffer.concat([rest, Buffer.from(this.decoder.decode())]) : rest;
  }

  private decide(head: Buffer): Buffer {
    const wide = wideOf(head, this.encoding);
    if (wide) this.decoder = new TextDecoder(wide);
    this.head = null;
    return this.decoded(head);
  }

  private decoded(bytes: Buffer): Buffer {
    return this.decoder ? Buffer.from(this.decoder.decode(bytes, { stream: true })) : bytes;
  }
}

export function utf8Stream(encoding: Encoding = 'auto'): Transform {
  const decoder = new Utf8Decoder(encoding);
  return new Transform({
    transform: (chunk: Buffer, _, done) => done(null, decoder.push(chunk)),
    flush: (done) => done(null, decoder.end()),
  });
}
