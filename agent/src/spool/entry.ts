/**
 * The bytes of a spool segment. A file header (magic, format version, how far it is thinned), then entries: marker,
 * payload length, CRC-32 of length and payload, payload. The payload is a JSON header line (acknowledged ranges, one
 * item a batch, marks), the source's position and the packed batches one after another, so a batch is read back
 * without touching the others.
 *
 * An entry counts only whole. Its marker lets a scan find the next good entry behind a damaged place. It may stand
 * inside packed bytes by chance: then no whole entry begins there, since its checksum does not fit.
 */
import { crc32 } from 'node:zlib';
import { deflated, inflated, packBatch, packedTime } from './pack.js';

export const FORMAT_VERSION = 2;
const MAGIC = Buffer.from('LHSPOOL\0', 'latin1');
export const FILE_HEADER_BYTES = 12;
const MARKER = Buffer.from([0xe5, 0x4c, 0x48, 0x45]);
const ENTRY_HEADER_BYTES = 12;
/** Larger than any entry can be; a length beyond it is damage. */
export const MAX_ENTRY_BYTES = 64 * 1024 * 1024;

/** Something happened on a device between two event times, both epoch ms. */
export type Mark = [device: string, fromMs: number, toMs: number];

export interface NewBatch {
  boot: string;
  sequence: number;
  /** The first sequence that it stands for; those before its own held nothing any more. */
  first?: number;
  /** Windows in it, so that a loss can be told in windows. */
  windows: number;
  /** Wire JSON. */
  bytes: Buffer;
  /** Epoch ms. */
  createdMs: number;
  /** Suspects and episodes in it: what is around them is never thinned. */
  marks: readonly Mark[];
}

export interface SequenceRange {
  boot: string;
  from: number;
  to: number;
}

/** A batch as it stands in a segment: the same as when new, but packed. */
export interface PackedBatch extends Omit<NewBatch, 'bytes' | 'createdMs' | 'marks'> {
  packed: Buffer;
}

export interface PackedEntry {
  /** Undefined: this entry says nothing of the source's position. */
  position: unknown;
  acked: readonly SequenceRange[];
  marks: readonly Mark[];
  batches: readonly PackedBatch[];
}

/** A batch in a segment: where its packed bytes are. */
export interface BatchPlace {
  boot: string;
  sequence: number;
  first: number;
  windows: number;
  offset: number;
  length: number;
  /** Epoch ms. */
  createdMs: number;
}

export interface ReadEntry {
  hasPosition: boolean;
  /** Unpacked when it is asked for: of a whole spool only the last counts. */
  position: () => unknown;
  acked: SequenceRange[];
  marks: Mark[];
  batches: BatchPlace[];
  /** Of the entry in the file. */
  start: number;
  end: number;
}

export function fileHeader(thinning: number): Buffer {
  const header = Buffer.alloc(FILE_HEADER_BYTES);
  MAGIC.copy(header);
  header.writeUInt16LE(FORMAT_VERSION, MAGIC.length);
  header.writeUInt16LE(thinning, MAGIC.length + 2);
  return header;
}

export const thinningOf = (bytes: Buffer): number => bytes.readUInt16LE(MAGIC.length + 2);

/** Null when the header is good, else what is wrong with it. */
export function fileHeaderFault(bytes: Buffer): string | null {
  if (bytes.length < FILE_HEADER_BYTES || !bytes.subarray(0, MAGIC.length).equals(MAGIC))
    return 'no spool file';
  const version = bytes.readUInt16LE(MAGIC.length);
  return version === FORMAT_VERSION ? null : `format version ${version}, this agent knows ${FORMAT_VERSION}`;
}

export function pack({ boot, sequence, first, windows, bytes, createdMs }: NewBatch): PackedBatch {
  const packed = packBatch(bytes, createdMs);
  return { boot, sequence, ...(first === undefined ? {} : { first }), windows, packed };
}

export interface EncodedEntry {
  bytes: Buffer;
  /** Places relative to the entry's first byte. */
  places: BatchPlace[];
}

interface Header {
  /** Length of the packed position, 0 for none. */
  p: number;
  a: [boot: string, from: number, to: number][];
  m: Mark[];
  b: [boot: string, sequence: number, first: number, windows: number, length: number][];
}

export function encodeEntry(entry: PackedEntry): EncodedEntry {
  const position =
    entry.position === undefined ? Buffer.alloc(0) : deflated(Buffer.from(JSON.stringify(entry.position)));
  const header: Header = {
    p: position.length,
    a: entry.acked.map(({ boot, from, to }) => [boot, from, to]),
    m: [...entry.marks],
    b: entry.batches.map(({ boot, sequence, first, windows, packed }) => {
      return [boot, sequence, first ?? sequence, windows, packed.length];
    }),
  };
  const head = Buffer.from(`${JSON.stringify(header)}\n`);
  const frame = Buffer.alloc(ENTRY_HEADER_BYTES);
  const bytes = Buffer.concat([frame, head, position, ...entry.batches.map(({ packed }) => packed)]);
  MARKER.copy(bytes);
  bytes.writeUInt32LE(bytes.length - ENTRY_HEADER_BYTES, 4);
  bytes.writeUInt32LE(checksum(bytes), 8);
  return { bytes, places: placesOf(bytes, header, ENTRY_HEADER_BYTES + head.length + position.length) };
}

function checksum(entry: Buffer): number {
  return crc32(entry.subarray(ENTRY_HEADER_BYTES), crc32(entry.subarray(4, 8)));
}

function placesOf(bytes: Buffer, header: Header, firstOffset: number): BatchPlace[] {
  let offset = firstOffset;
  return header.b.map(([boot, sequence, first, windows, length]) => {
    const createdMs = packedTime(bytes.subarray(offset, offset + length));
    const place = { boot, sequence, first, windows, offset, length, createdMs };
    offset += length;
    return place;
  });
}

/** The entry that begins at `start`, or null when there is no whole one. */
export function readEntry(bytes: Buffer, start: number): ReadEntry | null {
  if (start + ENTRY_HEADER_BYTES > bytes.length || !bytes.subarray(start, start + 4).equals(MARKER))
    return null;
  const length = bytes.readUInt32LE(start + 4);
  const end = start + ENTRY_HEADER_BYTES + length;
  if (length > MAX_ENTRY_BYTES || end > bytes.length) return null;
  const entry = bytes.subarray(start, end);
  if (checksum(entry) !== entry.readUInt32LE(8)) return null;
  // The checksum fits, so this is what was written, and can be read without asking again.
  const headEnd = entry.indexOf(10, ENTRY_HEADER_BYTES);
  const header = JSON.parse(entry.toString('utf8', ENTRY_HEADER_BYTES, headEnd)) as Header;
  const positionEnd = headEnd + 1 + header.p;
  const position = entry.subarray(headEnd + 1, positionEnd);
  return {
    hasPosition: position.length > 0,
    position: () => (position.length === 0 ? undefined : JSON.parse(inflated(position).toString('utf8'))),
    acked: header.a.map(([boot, from, to]) => ({ boot, from, to })),
    marks: header.m,
    batches: placesOf(entry, header, positionEnd).map((place) => ({
      ...place,
      offset: place.offset + start,
    })),
    start,
    end,
  };
}

export interface Scan {
  entries: ReadEntry[];
  /** After the last good entry. */
  goodEnd: number;
  /** Another entry begins behind a bad place, so something is lost. A bad end alone is only a torn tail. */
  damaged: boolean;
}

/** Reads all entries of a segment, stepping over damage. */
export function scanEntries(bytes: Buffer): Scan {
  const entries: ReadEntry[] = [];
  let at = FILE_HEADER_BYTES;
  let goodEnd = at;
  let damaged = false;
  while (at < bytes.length) {
    const entry = readEntry(bytes, at);
    if (entry) {
      entries.push(entry);
      // Only the last append can be torn: a bad place with a whole entry behind it is damage.
      if (at !== goodEnd) damaged = true;
      at = entry.end;
      goodEnd = at;
      continue;
    }
    const next = bytes.indexOf(MARKER, at + 1);
    if (next < 0) break;
    at = next;
  }
  return { entries, goodEnd, damaged };
}
