/**
 * Follows the MQTT fixed headers in a byte stream and says when a packet is larger than allowed, before its body has
 * arrived, or when the stream does not begin with CONNECT, so that what is no MQTT at all is cut at its first byte.
 * Knows nothing of sockets; holds four small numbers, never bytes.
 */

/** First byte of a CONNECT packet; its flags are fixed. */
const CONNECT = 0x10;

export class PacketGuard {
  private begun = false;
  private skip = 0;
  private inHeader = false;
  private remaining = 0;
  private shift = 0;

  constructor(private readonly maxBytes: number) {}

  /** Takes the next bytes; false when a packet is too large, its length malformed, or the stream no MQTT. */
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
        at += step;
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
      this.shift = 0;
      return true;
    }
    this.remaining += (byte & 0x7f) * 2 ** this.shift;
    this.shift += 7;
    if (this.remaining + 5 > this.maxBytes) return false;
    if (byte & 0x80) return this.shift < 28;
    this.inHeader = false;
    this.skip = this.remaining;
    return true;
  }
}
