/**
 * A message to many clients of the feed, as WebSocket frames (RFC 6455) that are written, encoded and compressed once,
 * whoever gets them. permessage-deflate (RFC 7692) lets a message refer to those that the client had before: `before` is the
 * end of what all receivers had compressed last, and the LZ77 window is laid out from it anew for each message, so that a
 * client costs no memory here.
 */
import { constants, deflateRawSync } from 'node:zlib';

const FIN_TEXT = 0x81;
const COMPRESSED = 0x40;
/** What ends a flushed block; the client adds it again. */
const TAIL_BYTES = 4;
const DEFLATE = { level: 6, memLevel: 9, finishFlush: constants.Z_SYNC_FLUSH };

export class SharedMessage {
  private readonly bytes: Buffer;
  private plain: Buffer | null = null;
  private deflated: Buffer | null = null;

  /** Without `before` it is never compressed. */
  constructor(
    readonly text: string,
    private readonly before: Buffer | null = null,
  ) {
    this.bytes = Buffer.from(text);
  }

  get payload(): Buffer {
    return this.bytes;
  }

  /** The frame, to be written as it is. */
  frame(deflates: boolean): Buffer {
    if (!deflates || this.before === null) {
      this.plain ??= frameOf(FIN_TEXT, this.bytes);
      return this.plain;
    }
    this.deflated ??= frameOf(FIN_TEXT | COMPRESSED, deflate(this.bytes, this.before));
    return this.deflated;
  }
}

function deflate(bytes: Buffer, before: Buffer): Buffer {
  const options = before.length > 0 ? { ...DEFLATE, dictionary: before } : DEFLATE;
  const packed = deflateRawSync(bytes, options);
  return packed.subarray(0, packed.length - TAIL_BYTES);
}

function frameOf(first: number, payload: Buffer): Buffer {
  const { length } = payload;
  const extra = length < 126 ? 0 : length < 0x1_0000 ? 2 : 8;
  const frame = Buffer.allocUnsafe(2 + extra + length);
  frame[0] = first;
  frame[1] = extra === 0 ? length : extra === 2 ? 126 : 127;
  if (extra === 2) frame.writeUInt16BE(length, 2);
  if (extra === 8) frame.writeBigUInt64BE(BigInt(length), 2);
  payload.copy(frame, 2 + extra);
  return frame;
}
