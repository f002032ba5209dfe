/**
 * The bytes of a spool segment. A file header (magic, format version), then entries: marker, payload length, CRC-32
 * of length and payload, payload. The payload is a JSON header line (position, acknowledged ranges, one item a batch)
 * and the batches' bytes one after another, so a batch is read back without parsing anything.
 *
 * An entry counts only whole. Its marker lets a scan find the next good entry behind a damaged place.
 */
import { crc32 } from 'node:zlib';
import { z } from 'zod';

export const FORMAT_VERSION = 1;
const MAGIC = Buffer.from('LHSPOOL\0', 'latin1');
export const FILE_HEADER_BYTES = 12;
const MARKER = Buffer.from([0xe5, 0x4c, 0x48, 0x45]);
const ENTRY_HEADER_BYTES = 12;
/** Larger than any entry can be; a length beyond it is damage. */
export const MAX_ENTRY_BYTES = 64 * 1024 * 1024;

export interface NewBatch {
  boot: string;
  sequence: number;
  /** Windows in it, so that a loss can be told in windows. */
  windows: number;
  bytes: Buffer;
}

export interface SequenceRange {
  boot: string;
  from: number;
  to: number;
}

export interface NewEntry {
  /** Undefined: this entry says nothing of the source's position. */
  position: unknown;
  acked: SequenceRange[];
  batches: NewBatch[];
}

const headerSchema = z.object({
  position: z.unknown().optional(),
  acked: z.array(z.object({ boot: z.string(), from: z.number(), to: z.number() })),
  batches: z.array(
    z.object({
      boot: z.string(),
      sequence: z.number(),
      windows: z.number(),
      length: z.number(),
      crc: z.number(),
    }),
  ),
});

/** A batch in a segment: where its bytes are. */
export interface BatchPlace {
  boot: string;
  sequence: number;
  windows: number;
  offset: number;
  length: number;
  crc: number;
}

export interface ReadEntry {
  position: unknown;
  acked: SequenceRange[];
  batches: BatchPlace[];
  /** Of the entry in the file. */
  start: number;
  end: number;
}

export function fileHeader(): Buffer {
  const header = Buffer.alloc(FILE_HEADER_BYTES);
  MAGIC.copy(header);
  header.writeUInt32LE(FORMAT_VERSION, MAGIC.length);
  return header;
}

/** Null when the header is good, else what is wrong with it. */
export function fileHeaderFault(bytes: Buffer): string | null {
  if (bytes.length < FILE_HEADER_BYTES || !bytes.subarray(0, MAGIC.length).equals(MAGIC))
    return 'no spool file';
  const version = bytes.readUInt32LE(MAGIC.length);
  return version === FORMAT_VERSION ? null : `format version ${version}, this agent knows ${FORMAT_VERSION}`;
}

export interface EncodedEntry {
  bytes: Buffer;
  /** Places relative to the entry's first byte. */
  places: BatchPlace[];
}

export function encodeEntry(entry: NewEntry): EncodedEntry {
  const items = entry.batches.map(({ boot, sequence, windows, bytes }) => {
    return { boot, sequence, windows, length: bytes.length, crc: crc32(bytes) };
  });
  const header = { position: entry.position, acked: entry.acked, batches: items };
  const head = Buffer.from(`${JSON.stringify(header)}\n`);
  const payload = Buffer.concat([head, ...entry.batches.map(({ bytes }) => bytes)]);
  const frame = Buffer.alloc(ENTRY_HEADER_BYTES);
  MARKER.copy(frame);
  frame.writeUInt32LE(payload.length, 4);
  frame.writeUInt32LE(crc32(payload, crc32(frame.subarray(4, 8))), 8);
  return {
    bytes: Buffer.concat([frame, payload]),
    places: placesOf(items, ENTRY_HEADER_BYTES + head.length),
  };
}

function placesOf(items: Omit<BatchPlace, 'offset'>[], firstOffset: number): BatchPlace[] {
  let offset = firstOffset;
  return items.map((item) => {
    const place = { ...item, offset };
    offset += item.length;
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
  const payload = bytes.subarray(start + ENTRY_HEADER_BYTES, end);
  const sum = crc32(payload, crc32(bytes.subarray(start + 4, start + 8)));
  if (sum !== bytes.readUInt32LE(start + 8)) return null;
  const headEnd = payload.indexOf(10);
  if (headEnd < 0) return null;
  const header = parseHeader(payload.subarray(0, headEnd).toString('utf8'));
  if (!header) return null;
  const batches = placesOf(header.batches, start + ENTRY_HEADER_BYTES + headEnd + 1);
  if (batches.some((place) => place.offset + place.length > end)) return null;
  return { position: header.position, acked: header.acked, batches, start, end };
}

function parseHeader(text: string): z.infer<typeof headerSchema> | null {
  try {
    const result = headerSchema.safeParse(JSON.parse(text));
    return result.success ? result.data : null;
  } catch {
    return null;
  }
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
      at = entry.end;
      goodEnd = at;
      continue;
    }
    const next = bytes.indexOf(MARKER, at + 1);
    if (next < 0) break;
    // Only the last append can be torn: a bad place with another entry's beginning behind it is damage. Payloads are
    // UTF-8, in which the marker cannot occur.
    damaged = true;
    at = next;
  }
  return { entries, goodEnd, damaged };
}
