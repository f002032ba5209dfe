/**
 * Follows the MQTT fixed headers in a byte stream and says when a packet is larger than its kind may be, before its
 * body has arrived, or when the stream does not begin with CONNECT, so that what is no MQTT at all is cut at its first
 * byte. Knows nothing of sockets; holds a few small numbers, never bytes.
 */

export interface PacketLimits {
  /** A PUBLISH packet. */
  maxPacketBytes: number;
  /** CONNECT, SUBSCRIBE and UNSUBSCRIBE. */
  maxControlBytes: number;
}

/** Type and flags of a CONNECT packet; its flags are fixed. */
const CONNECT = 0x10;
/** Type, one of sixteen. */
const PUBLISH = 3;
const LONG = [1, 8, 10];
/** PUBACK, PUBREC, PUBREL, PUBCOMP, PINGREQ, DISCONNECT: a packet identifier at most. */
const SHORT = [4, 5, 6, 7, 12, 14];
const MAX_SHORT_BYTES = 4;
const MAX_LENGTH_BYTES = 4;

export class PacketGuard {
  private begun = false;
  private skip = 0;
  private inHeader = false;
  private limit = 0;
  private remaining = 0;
  private lengthBytes = 0;
  private arrived = 0;

  constructor(private readonly limits: PacketLimits) {}

  /** Bytes that have arrived of the packet that is not complete yet. */
  get partialBytes(): number {
    return this.arrived;
  }

  /** Takes the next bytes; false when a packet is too large for its kind, its length malformed, or the stream no MQTT. */
  accept(chunk: Uint8Array): boolean {
    if (!this.begun && chunk.length > 0) {
      if (chunk[0] !== CONNECT) return false;
      this.begun = true;
    }
    let at = 0;
    while (at < chunk.length) {
      if (this.skip > 0) {
        const step = Math.min(this.skip, chunk.length - at);
        this.skip -= step;
        this.arrived += step;
        at += step;
        if (this.skip === 0) this.arrived = 0;
      } else if (!this.header(chunk[at++]!)) {
        return false;
      }
    }
    return true;
  }

  /** One byte of a fixed header: first type and flags, then one to four bytes of length. */
  private header(byte: number): boolean {
    if (!this.inHeader) {
      this.inHeader = true;
      this.remaining = 0;
      this.lengthBytes = 0;
      this.limit = this.limitOf(byte >> 4);
      return this.limit > 0;
    }
    this.remaining += (byte & 0x7f) * 128 ** this.lengthBytes++;
    if (this.remaining + 1 + this.lengthBytes > this.limit) return false;
    if (byte & 0x80) return this.lengthBytes < MAX_LENGTH_BYTES;
    this.inHeader = false;
    this.skip = this.remaining;
    return true;
  }

  /** 0 for what no client may send. */
  private limitOf(type: number): number {
    if (type === PUBLISH) return this.limits.maxPacketBytes;
    if (LONG.includes(type)) return this.limits.maxControlBytes;
    return SHORT.includes(type) ? MAX_SHORT_BYTES : 0;
  }
}
