/**
 * One open file of a tail: reads whole lines from an offset, and knows the file again by inode and by a hash of its
 * first bytes. Never writes.
 */
import { createHash } from 'node:crypto';
import type { Stats } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';

/** Enough to hold the first line of nearly every log, time stamp included. */
const FINGERPRINT_BYTES = 256;

/** What a file is known by: names come and go with rotation. */
export interface FileIdentity {
  inode: number;
  /** How many of its first bytes were hashed. */
  prefixBytes: number;
  prefixHash: string;
}

export interface Lines {
  bytes: Uint8Array;
  /** Where the first byte stands in the file. */
  from: number;
  to: number;
}

export class TailFile {
  private constructor(
    private readonly handle: FileHandle,
    readonly inode: number,
    private identityNow: FileIdentity,
    /** After the last line that was handed out. */
    public offset: number,
  ) {}

  /** Null when there is no such file. */
  static async open(path: string, offset: number): Promise<TailFile | null> {
    const handle = await open(path, 'r').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return null;
      throw error;
    });
    if (!handle) return null;
    try {
      const stats = await handle.stat();
      if (!stats.isFile()) throw new Error(`${path} is not a plain file`);
      const prefixBytes = Math.min(stats.size, FINGERPRINT_BYTES);
      const identity = { inode: stats.ino, prefixBytes, prefixHash: await hashOf(handle, prefixBytes) };
      return new TailFile(handle, stats.ino, identity, offset);
    } catch (error) {
      await handle.close();
      throw error;
    }
  }

  get identity(): FileIdentity {
    return this.identityNow;
  }

  stats(): Promise<Stats> {
    return this.handle.stat();
  }

  async size(): Promise<number> {
    return (await this.stats()).size;
  }

  /** Whether the file still begins with the bytes that `identity` was made of. */
  async beginsLike(identity: FileIdentity): Promise<boolean> {
    return (await hashOf(this.handle, identity.prefixBytes)) === identity.prefixHash;
  }

  /** A young file's first bytes come with time: they are taken into its identity. */
  async refreshIdentity(size: number): Promise<void> {
    if (this.identityNow.prefixBytes >= FINGERPRINT_BYTES || size <= this.identityNow.prefixBytes) return;
    const prefixBytes = Math.min(size, FINGERPRINT_BYTES);
    const prefixHash = await hashOf(this.handle, prefixBytes);
    this.identityNow = { inode: this.inode, prefixBytes, prefixHash };
  }

  /** The file's content was replaced in place: begin again with what it holds now. */
  async startOver(): Promise<void> {
    const prefixBytes = Math.min(await this.size(), FINGERPRINT_BYTES);
    this.identityNow = { inode: this.inode, prefixBytes, prefixHash: await hashOf(this.handle, prefixBytes) };
    this.offset = 0;
  }

  /**
   * Whole lines from the offset on, at most `maxBytes` and not past `limit`; null when there is none. A line longer
   * than `maxBytes` comes in pieces: the engine counts and skips it. With `last` a final line without its line end
   * counts as whole.
   */
  async readLines(maxBytes: number, options: { limit?: number; last?: boolean } = {}): Promise<Lines | null> {
    const { limit = Number.MAX_SAFE_INTEGER, last = false } = options;
    const wanted = Math.min(maxBytes, limit - this.offset);
    if (wanted <= 0) return null;
    const buffer = Buffer.allocUnsafe(wanted + 1);
    const bytesRead = await readFully(this.handle, buffer, wanted, this.offset);
    if (bytesRead === 0) return null;
    const end = buffer.lastIndexOf(10, bytesRead - 1) + 1;
    const from = this.offset;
    if (end > 0) {
      this.offset += end;
      return { bytes: buffer.subarray(0, end), from, to: this.offset };
    }
    if (bytesRead === maxBytes) {
      this.offset += bytesRead;
      return { bytes: buffer.subarray(0, bytesRead), from, to: this.offset };
    }
    if (!last) return null;
    this.offset += bytesRead;
    buffer[bytesRead] = 10;
    return { bytes: buffer.subarray(0, bytesRead + 1), from, to: this.offset };
  }

  async close(): Promise<void> {
    await this.handle.close();
  }
}

async function readFully(
  handle: FileHandle,
  buffer: Buffer,
  wanted: number,
  offset: number,
): Promise<number> {
  let filled = 0;
  while (filled < wanted) {
    const { bytesRead } = await handle.read(buffer, filled, wanted - filled, offset + filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return filled;
}

async function hashOf(handle: FileHandle, prefixBytes: number): Promise<string> {
  const buffer = Buffer.alloc(prefixBytes);
  const bytesRead = await readFully(handle, buffer, prefixBytes, 0);
  return createHash('sha256').update(buffer.subarray(0, bytesRead)).digest('hex').slice(0, 32);
}
