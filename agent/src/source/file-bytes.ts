/**
 * The bytes of a file by their place in it, plain or unpacked from gzip. A packed file is unpacked from its start and
 * forward; going back begins anew. Never writes, and never waits for a FIFO's other end.
 */
import { constants, type Stats } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';

export interface FileBytes {
  /** Its content is not what is on the disk, and does not change. */
  readonly packed: boolean;
  /** Fills `buffer` from `position` in the content; less than `length` only at the end. */
  readAt(buffer: Buffer, length: number, position: number): Promise<number>;
  /** Of the content. Of a packed file modulo 2³², as its last bytes say. */
  size(): Promise<number>;
  stats(): Promise<Stats>;
  /** Why the content ends early, if it does. */
  readonly fault: string | null;
  close(): Promise<void>;
}

/** A file that cannot be followed. The message is for people. */
export class NotAFile extends Error {}

const GZIP_MAGIC = 0x8b1f;
const PIECE_BYTES = 64 * 1024;

/** Null when there is no such file; throws NotAFile with advice for what is none. */
export async function openBytes(path: string): Promise<FileBytes | null> {
  // Without O_NONBLOCK the opening of a FIFO lasts until somebody writes to it.
  const handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK).catch(
    (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return null;
      if (error.code === 'ELOOP') throw new NotAFile('a symbolic link that leads back to itself');
      if (error.code === 'ENXIO') throw new NotAFile('a socket, and no plain file');
      throw error;
    },
  );
  if (!handle) return null;
  try {
    const stats = await handle.stat();
    if (!stats.isFile()) throw new NotAFile(whatInstead(stats));
    const packed = path.endsWith('.gz') && (await isGzip(handle));
    return packed ? new GzipBytes(handle) : new PlainBytes(handle);
  } catch (error) {
    await handle.close();
    throw error;
  }
}

function whatInstead(stats: Stats): string {
  if (stats.isDirectory()) return 'a folder: name files in it, such as by /folder/*.log';
  if (stats.isFIFO()) return 'a FIFO: read it by the source stdin';
  return 'a device or socket, and no plain file';
}

async function isGzip(handle: FileHandle): Promise<boolean> {
  const magic = Buffer.alloc(2);
  const { bytesRead } = await handle.read(magic, 0, 2, 0);
  return bytesRead === 2 && magic.readUInt16LE(0) === GZIP_MAGIC;
}

class PlainBytes implements FileBytes {
  readonly packed = false;
  readonly fault = null;

  constructor(private readonly handle: FileHandle) {}

  async readAt(buffer: Buffer, length: number, position: number): Promise<number> {
    let filled = 0;
    while (filled < length) {
      const { bytesRead } = await this.handle.read(buffer, filled, length - filled, position + filled);
      if (bytesRead === 0) break;
      filled += bytesRead;
    }
    return filled;
  }

  async size(): Promise<number> {
    return (await this.stats()).size;
  }

  stats(): Promise<Stats> {
    return this.handle.stat();
  }

  close(): Promise<void> {
    return this.handle.close();
  }
}

class GzipBytes implements FileBytes {
  readonly packed = true;
  fault: string | null = null;
  private pieces: AsyncIterator<Buffer> | null = null;
  private stop: () => void = () => {};
  /** What is unpacked and may still be asked for. */
  private held: Buffer = Buffer.alloc(0);
  private heldFrom = 0;

  constructor(private readonly handle: FileHandle) {}

  async readAt(buffer: Buffer, length: number, position: number): Promise<number> {
    if (!this.pieces || position < this.heldFrom) this.begin();
    while (this.heldFrom + this.held.length < position + length) {
      const piece = await this.next();
      if (!piece) break;
      const useless = Math.min(Math.max(0, position - this.heldFrom), this.held.length);
      this.held = Buffer.concat([this.held.subarray(useless), piece]);
      this.heldFrom += useless;
    }
    const from = position - this.heldFrom;
    return from >= this.held.length ? 0 : this.held.copy(buffer, 0, from, from + length);
  }

  async size(): Promise<number> {
    const { size } = await this.stats();
    const trailer = Buffer.alloc(4);
    await this.handle.read(trailer, 0, 4, Math.max(0, size - 4));
    return trailer.readUInt32LE(0);
  }

  stats(): Promise<Stats> {
    return this.handle.stat();
  }

  async close(): Promise<void> {
    this.stop();
    await this.handle.close();
  }

  private begin(): void {
    this.stop();
    const packed = Readable.from(this.packedPieces());
    const unpacked = packed.pipe(createGunzip());
    packed.on('error', (error) => unpacked.destroy(error));
    this.stop = () => {
      packed.destroy();
      unpacked.destroy();
    };
    this.pieces = unpacked[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
    this.held = Buffer.alloc(0);
    this.heldFrom = 0;
  }

  private async *packedPieces(): AsyncGenerator<Buffer> {
    for (let position = 0; ; ) {
      const piece = Buffer.allocUnsafe(PIECE_BYTES);
      const { bytesRead } = await this.handle.read(piece, 0, PIECE_BYTES, position);
      if (bytesRead === 0) return;
      position += bytesRead;
      yield piece.subarray(0, bytesRead);
    }
  }

  /** What is damaged ends the content there. */
  private async next(): Promise<Buffer | null> {
    try {
      const { value, done } = await this.pieces!.next();
      return done ? null : value;
    } catch (error) {
      this.fault = (error as Error).message;
      return null;
    }
  }
}
