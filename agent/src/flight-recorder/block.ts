/**
 * Some raw lines of one source as they lie on disk: lengths, checksum, between which moments they came, and the lines
 * deflated. A block counts only whole; blocks follow one another in a file, and a torn end is passed over.
 */
import { crc32, deflateRawSync, inflateRawSync } from 'node:zlib';

const HEAD_BYTES = 24;
/** Larger than any block is: a length beyond it is damage. */
const MAX_BLOCK_BYTES = 16 * 1024 * 1024;

export interface Lines {
  source: string;
  /** When the first and the last came, epoch ms. */
  fromMs: number;
  toMs: number;
  text: Buffer;
}

export interface Block {
  fromMs: number;
  toMs: number;
  /** As it lies on disk. */
  bytes: Buffer;
}

export function encodeBlock({ source, fromMs, toMs, text }: Lines): Block {
  const body = deflateRawSync(Buffer.concat([Buffer.from(`${JSON.stringify(source)}\n`), text]), {
    level: 1,
  });
  const bytes = Buffer.alloc(HEAD_BYTES + body.length);
  bytes.writeUInt32LE(body.length, 0);
  bytes.writeDoubleLE(fromMs, 8);
  bytes.writeDoubleLE(toMs, 16);
  body.copy(bytes, HEAD_BYTES);
  bytes.writeUInt32LE(crc32(bytes.subarray(8)), 4);
  return { fromMs, toMs, bytes };
}

/** The whole blocks of a file from `start` on. What is damaged is left out. */
export function scanBlocks(file: Buffer, start = 0): Block[] {
  const blocks: Block[] = [];
  for (let at = start; at + HEAD_BYTES <= file.length; ) {
    const end = at + HEAD_BYTES + file.readUInt32LE(at);
    if (end - at > MAX_BLOCK_BYTES || end > file.length) break;
    const bytes = file.subarray(at, end);
    if (crc32(bytes.subarray(8)) === bytes.readUInt32LE(4)) {
      blocks.push({ fromMs: bytes.readDoubleLE(8), toMs: bytes.readDoubleLE(16), bytes });
    }
    at = end;
  }
  return blocks;
}

/** Null when it is not what was written. */
export function decodeBlock({ fromMs, toMs, bytes }: Block): Lines | null {
  try {
    const body = inflateRawSync(bytes.subarray(HEAD_BYTES), { maxOutputLength: MAX_BLOCK_BYTES });
    const headEnd = body.indexOf(10);
    const source = JSON.parse(body.toString('utf8', 0, headEnd)) as string;
    return { source, fromMs, toMs, text: body.subarray(headEnd + 1) };
  } catch {
    return null;
  }
}
