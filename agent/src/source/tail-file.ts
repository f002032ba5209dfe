/**
 * One open file of a tail: reads whole lines from an offset, and knows the file again by inode and by a hash of its
 * first bytes. Never writes.
 */
import { createHash } from 'node:crypto';
import type { Stats } from 'node:fs';
import { type Encoding, lastLineEnd, nextLineEnd, toUtf8, type Wide, wideOf } from '../text-encoding.js';
import { type FileBytes, openBytes } from './file-bytes.js';
import { MAX_LINE_BYTES } from './line-cutter.js';

/** Enough to hold the first line of nearly every log, time stamp included. */
const FINGERPRINT_BYTES = 256;
/** A shorter prefix may well be the same in another file. */
export const MIN_TELLING_BYTES = 64;
const LINE_FEED = 10;

/** What a file is known by: names come and go with rotation. */
export interface FileIdentity {
  inode: number;
  /** How many of its first bytes were hashed. */
  prefixBytes: number;
  prefixHash: string;
}

/** Where reading stands in a file. */
export interface Place {
  /** After the last line that was handed out. */
  offset: number;
  /** In the midst of a line longer than any may be, whose rest is passed over. */
  skipping: boolean;
}

export interface Lines {
  /** As UTF-8; the places are those of the file's own bytes. */
  bytes: Uint8Array;
  /** Where reading stood before. */
  from: number;
  to: number;
}

interface ReadOptions {
  limit?: number;
  last?: boolean;
  longest?: number;
}

interface Prefix {
  prefixBytes: number;
  prefixHash: string;
  head: Buffer;
}

/** No line end of its own is longer. */
const MAX_WIDTH = 2;

export class TailFile implements Place {
  skipping = false;
  /** As configured. */
  encoding: Encoding = 'auto';

  private constructor(
    private readonly content: FileBytes,
    readonly inode: number,
    /** Device and inode: of all files that are there now, its alone. */
    readonly id: string,
    private prefix: Prefix,
    public offset: number,
  ) {}

  /** Null when there is no such file. */
  static async open(path: string, offset: number): Promise<TailFile | null> {
    const content = await openBytes(path);
    if (!content) return null;
    try {
      const stats = await content.stats();
      const size = await content.size();
      const prefix = await prefixOf(content, Math.min(size, FINGERPRINT_BYTES));
      return new TailFile(content, stats.ino, `${stats.dev}:${stats.ino}`, prefix, offset);
    } catch (error) {
      await content.close();
      throw error;
    }
  }

  get identity(): FileIdentity {
    const { prefixBytes, prefixHash } = this.prefix;
    return { inode: this.inode, prefixBytes, prefixHash };
  }

  /** Made by gzip. */
  get packed(): boolean {
    return this.content.packed;
  }

  /** Its first bytes are those of no text. */
  get looksBinary(): boolean {
    return this.wide === null && this.prefix.head.includes(0);
  }

  /** UTF-16 of a kind, by its first bytes. */
  private get wide(): Wide {
    return wideOf(this.prefix.head, this.encoding);
  }

  /** Why its content ends early, if it does. */
  get fault(): string | null {
    return this.content.fault;
  }

  stats(): Promise<Stats> {
    return this.content.stats();
  }

  /** Of the content, unpacked. */
  size(): Promise<number> {
    return this.content.size();
  }

  goTo({ offset, skipping }: Place): void {
    this.offset = offset;
    this.skipping = skipping;
  }

  /** To be called now, and the answer when what is read from now on turns out to be another file's. */
  undoRead(): () => void {
    const { offset, skipping, prefix } = this;
    return () => {
      this.goTo({ offset, skipping });
      this.prefix = prefix;
    };
  }

  /** Whether the file still begins with the bytes that `identity` was made of. */
  async beginsLike(identity: Pick<FileIdentity, 'prefixBytes' | 'prefixHash'>): Promise<boolean> {
    return (await prefixOf(this.content, identity.prefixBytes)).prefixHash === identity.prefixHash;
  }

  /** Whether it is the file with this identity or a copy of it: by its beginning, if that tells, else as a whole. */
  async isLike(identity: FileIdentity): Promise<boolean> {
    const tells = identity.prefixBytes >= MIN_TELLING_BYTES;
    if (!tells && (await this.size()) !== identity.prefixBytes) return false;
    return this.beginsLike(identity);
  }

  /** False when it was truncated, or truncated and is longer again: what was read last is then not to be trusted. */
  async isWhole(): Promise<boolean> {
    if (this.content.packed) return true;
    return (await this.size()) >= this.offset && this.beginsLike(this.prefix);
  }

  /** A young file's first bytes come with time: they are taken into its identity as they are read. */
  private learnPrefix(bytes: Buffer): void {
    const { head } = this.prefix;
    if (head.length >= FINGERPRINT_BYTES || this.offset > head.length) return;
    const more = bytes.subarray(head.length - this.offset, FINGERPRINT_BYTES - this.offset);
    if (more.length > 0) this.prefix = prefixFrom(Buffer.concat([head, more]));
  }

  /** The file's content was replaced in place: begin again with what it holds now. */
  async startOver(): Promise<void> {
    this.prefix = await prefixOf(this.content, Math.min(await this.size(), FINGERPRINT_BYTES));
    this.goTo({ offset: 0, skipping: false });
  }

  /**
   * Whole lines from the offset on, at most `maxBytes` and not past `limit`; null when there is none. With `last` a
   * final line without its line end counts as whole. Lines over `longest` are passed over; `maxBytes` must be more. `bytes` may be empty while a line that is too long goes by.
   */
  async readLines(maxBytes: number, options: ReadOptions = {}): Promise<Lines | null> {
    const { limit = Number.MAX_SAFE_INTEGER, last = false, longest = MAX_LINE_BYTES } = options;
    const there = this.content.packed ? Number.MAX_SAFE_INTEGER : await this.size();
    const wanted = Math.min(maxBytes, limit - this.offset, there - this.offset);
    if (wanted <= 0) return null;
    const buffer = Buffer.allocUnsafe(wanted + 1);
    const length = await this.content.readAt(buffer, wanted, this.offset);
    if (length === 0) return null;
    this.learnPrefix(buffer.subarray(0, length));
    return this.cut(buffer, length, last, longest);
  }

  /** The whole lines among the first `length` bytes, which stand at the offset; there is room for one more byte. */
  private cut(buffer: Buffer, length: number, last: boolean, longest: number): Lines | null {
    const { wide } = this;
    const start = this.lineStart(buffer, length, wide);
    const end = lastLineEnd(buffer, length, wide);
    if (end > start) return this.advance(toUtf8(buffer.subarray(start, end), wide), end);
    if (start > 0) return this.advance(buffer.subarray(0, 0), start);
    if (length > longest) {
      this.skipping = true;
      // Just long enough for the engine to count it.
      const counted = Buffer.alloc(longest + 2, '?');
      counted[longest + 1] = LINE_FEED;
      return this.advance(counted, length - (wide === null ? 0 : length % MAX_WIDTH));
    }
    if (!last) return null;
    const line = toUtf8(buffer.subarray(0, length), wide);
    return this.advance(Buffer.concat([line, Buffer.of(LINE_FEED)]), length);
  }

  /** Behind the rest of a line that is too long, and behind the hole that a writer leaves who was truncated. */
  private lineStart(buffer: Buffer, length: number, wide: Wide): number {
    let start = 0;
    if (this.skipping) {
      const end = nextLineEnd(buffer, 0, length, wide);
      if (end < 0) return length - (wide === null ? 0 : length % MAX_WIDTH);
      this.skipping = false;
      start = end;
    }
    while (wide === null && start < length && buffer[start] === 0) start += 1;
    return start;
  }

  private advance(bytes: Uint8Array, by: number): Lines {
    const from = this.offset;
    this.offset += by;
    return { bytes, from, to: this.offset };
  }

  async close(): Promise<void> {
    await this.content.close();
  }
}

async function prefixOf(content: FileBytes, prefixBytes: number): Promise<Prefix> {
  const buffer = Buffer.alloc(prefixBytes);
  const bytes = buffer.subarray(0, await content.readAt(buffer, prefixBytes, 0));
  return prefixFrom(bytes);
}

function prefixFrom(head: Buffer): Prefix {
  const prefixHash = createHash('sha256').update(head).digest('hex').slice(0, 32);
  return { head, prefixBytes: head.length, prefixHash };
}
