/**
 * Cuts a stream of bytes into chunks of whole lines. A last line without its end is held until more comes; one longer
 * than any line may be is cut short, so that the engine counts it once, and the rest of it is skipped.
 */

import type { FormatConfig } from '../config-format.js';

/** The engine's bound; longer lines are counted and left out. */
export const MAX_LINE_BYTES = 65_536;
/** The same of formats whose lines may be JSON documents. */
export const MAX_DOCUMENT_BYTES = 4 * 1024 * 1024;
const DOCUMENTS: readonly string[] = ['json', 'journal', 'mtr', 'speedtest'];

/** The longest line of a format; canonical when undefined. */
export function longestLine(format: FormatConfig | undefined): number {
  const type = typeof format === 'object' ? format.type : format;
  return type !== undefined && DOCUMENTS.includes(type) ? MAX_DOCUMENT_BYTES : MAX_LINE_BYTES;
}

const LINE_FEED = 10;

export class LineCutter {
  private held: Buffer = Buffer.alloc(0);
  private skipping = false;

  constructor(private readonly maxLineBytes = MAX_LINE_BYTES) {}

  /** Whole lines that are ready now, maybe none. The answer may share memory with `bytes`. */
  push(bytes: Buffer): Buffer {
    const fresh = this.skipping ? this.afterSkipped(bytes) : bytes;
    const end = fresh.lastIndexOf(LINE_FEED) + 1;
    const rest = fresh.subarray(end);
    if (end > 0) {
      const whole =
        this.held.length > 0 ? Buffer.concat([this.held, fresh.subarray(0, end)]) : fresh.subarray(0, end);
      // The stream may use its memory again.
      this.held = Buffer.from(rest);
      return this.held.length > this.maxLineBytes ? Buffer.concat([whole, this.cutShort()]) : whole;
    }
    if (rest.length > 0) this.held = Buffer.concat([this.held, rest]);
    return this.held.length > this.maxLineBytes ? this.cutShort() : Buffer.alloc(0);
  }

  /** The end of the stream: a last line counts as whole. */
  end(): Buffer {
    const last = this.held.length > 0 ? Buffer.concat([this.held, Buffer.from('\n')]) : this.held;
    this.held = Buffer.alloc(0);
    this.skipping = false;
    return last;
  }

  private afterSkipped(bytes: Buffer): Buffer {
    const end = bytes.indexOf(LINE_FEED);
    if (end < 0) return bytes.subarray(bytes.length);
    this.skipping = false;
    return bytes.subarray(end + 1);
  }

  private cutShort(): Buffer {
    const piece = this.held.subarray(0, this.maxLineBytes + 2);
    piece[piece.length - 1] = LINE_FEED;
    this.held = Buffer.alloc(0);
    this.skipping = true;
    return piece;
  }
}
