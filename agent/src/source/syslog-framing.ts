/**
 * Messages out of a TCP stream, as RFC 6587 describes both ways: `LENGTH SP MESSAGE` (octet counting), or one message
 * a line. The first bytes of a connection say which. Whole messages come out as lines without their ends; one that is
 * too long is passed over and counted.
 */

const LINE_FEED = 10;
const SPACE = 32;
const COUNTED = /^[1-9]\d{0,5} </;
/** `LENGTH SP <` at the longest. */
const TELLING_BYTES = 8;
const MAX_LENGTH_BYTES = 7;

export class FramingError extends Error {}

export class SyslogFraming {
  /** Messages that were too long. */
  tooLong = 0;
  private held: Buffer = Buffer.alloc(0);
  private counted: boolean | null = null;
  /** Bytes of a message that is too long, still to come; until the line's end: infinite. */
  private skip = 0;

  constructor(private readonly maxBytes: number) {}

  /** Throws FramingError when a length is none: nobody knows then where the next message begins. */
  *push(bytes: Buffer): Generator<Buffer> {
    this.held = this.held.length > 0 ? Buffer.concat([this.held, bytes]) : bytes;
    this.counted ??= this.isCounted();
    if (this.counted === null) return;
    for (;;) {
      const message = this.counted ? this.nextCounted() : this.nextLine();
      if (message === null) break;
      if (message.length > 0) yield message;
    }
    // The socket may use its memory again, and a small rest must not hold a large block.
    this.held = Buffer.from(this.held);
  }

  /** The connection ended: what it left without a line's end is a message too. */
  end(): Buffer | null {
    const rest = this.counted === true || this.skip > 0 || this.held.length === 0 ? null : this.held;
    this.held = Buffer.alloc(0);
    return rest;
  }

  private isCounted(): boolean | null {
    const start = this.held.subarray(0, TELLING_BYTES).toString('latin1');
    if (COUNTED.test(start)) return true;
    const mayBecome = /^[1-9]\d{0,5} ?$/.test(start) && start.length < TELLING_BYTES;
    return mayBecome ? null : false;
  }

  /** Empty when something was passed over, null when more has to come. */
  private nextCounted(): Buffer | null {
    if (this.skip > 0) return this.passOver(Math.min(this.skip, this.held.length));
    if (this.held.length === 0) return null;
    const space = this.held.subarray(0, MAX_LENGTH_BYTES + 1).indexOf(SPACE);
    if (space < 0 && this.held.length <= MAX_LENGTH_BYTES) return null;
    const text = this.held.subarray(0, Math.max(0, space)).toString('latin1');
    if (!/^[1-9]\d*$/.test(text)) throw new FramingError('a message does not begin with its length');
    const length = Number(text);
    if (length > this.maxBytes) {
      this.tooLong += 1;
      this.skip = length;
      this.held = this.held.subarray(space + 1);
      return Buffer.alloc(0);
    }
    const end = space + 1 + length;
    return this.held.length < end ? null : this.take(space + 1, end, end);
  }

  private nextLine(): Buffer | null {
    const end = this.held.indexOf(LINE_FEED);
    if (this.skip > 0) {
      if (end < 0) return this.passOver(this.held.length);
      this.skip = 0;
      return this.take(end, end, end + 1);
    }
    if (end < 0 && this.held.length <= this.maxBytes) return null;
    if (end >= 0 && end <= this.maxBytes) return this.take(0, end, end + 1);
    this.tooLong += 1;
    if (end >= 0) return this.take(end, end, end + 1);
    this.skip = Number.POSITIVE_INFINITY;
    return this.passOver(this.held.length);
  }

  private passOver(bytes: number): Buffer | null {
    this.skip -= bytes;
    this.held = this.held.subarray(bytes);
    return bytes > 0 ? Buffer.alloc(0) : null;
  }

  private take(from: number, to: number, next: number): Buffer {
    const message = this.held.subarray(from, to);
    this.held = this.held.subarray(next);
    return message;
  }
}
