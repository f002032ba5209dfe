/**
 * The bytes of log files and of standard input, in blocks of whole lines. Gzip is recognised by its first bytes. The
 * blocks depend on the bytes alone, not on how a pipe cut them: the same input gives the same output. At most one
 * block and one line are in memory; a line longer than a block comes in pieces, which the engine counts and skips.
 */
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdtemp, open, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { EXIT, ExitError } from '../exit-code.js';

const BLOCK_BYTES = 256 * 1024;
const TAIL_BYTES = 64 * 1024;
const LINE_FEED = 10;

/** A file that can be read again and again. */
export interface InputFile {
  /** As it was named: `-` is standard input. */
  name: string;
  path: string;
  gzip: boolean;
  /** When it was last written, epoch ms: all of its lines had been received by then. */
  writtenMs: number;
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  EACCES: 'may not be read',
  EISDIR: 'is a folder',
};

function unreadable(name: string, error: unknown): ExitError {
  const { code, message } = error as NodeJS.ErrnoException;
  return new ExitError(EXIT.noInput, `${name}: ${REASONS[code ?? ''] ?? message}`);
}

async function examined(name: string, path: string): Promise<InputFile> {
  const stats = await stat(path);
  if (!stats.isFile())
    throw new Error(stats.isDirectory() ? 'is a folder' : 'is no regular file (use - for a pipe)');
  const file = await open(path);
  try {
    const head = Buffer.alloc(2);
    await file.read(head, 0, 2, 0);
    return { name, path, gzip: head[0] === 0x1f && head[1] === 0x8b, writtenMs: Math.ceil(stats.mtimeMs) };
  } finally {
    await file.close();
  }
}

/** Standard input is kept in a file of its own while it is needed, because training reads its first part first. */
async function kept(stdin: Readable, folder: string): Promise<InputFile> {
  const path = join(folder, 'stdin');
  await pipeline(stdin, createWriteStream(path, { mode: 0o600 }));
  return examined('-', path);
}

/** Does the work with the named inputs at hand, then cleans up. Throws ExitError when one cannot be read. */
export async function withInputs<T>(
  names: readonly string[],
  stdin: Readable,
  work: (files: readonly InputFile[]) => Promise<T>,
): Promise<T> {
  let folder: string | null = null;
  try {
    const files: InputFile[] = [];
    for (const name of names) {
      if (name === '-') folder ??= await mkdtemp(join(tmpdir(), 'lineheron-replay-'));
      const file = await (name === '-' ? kept(stdin, folder!) : examined(name, name)).catch((error) => {
        throw unreadable(name, error);
      });
      files.push(file);
    }
    return await work(files);
  } finally {
    if (folder) await rm(folder, { recursive: true, force: true });
  }
}

async function* pieces(file: InputFile): AsyncGenerator<Buffer> {
  const raw = createReadStream(file.path, { highWaterMark: BLOCK_BYTES });
  const stream: Readable = file.gzip ? raw.pipe(createGunzip({ chunkSize: BLOCK_BYTES })) : raw;
  const failed = (error: Error) => stream.destroy(error);
  raw.on('error', failed);
  try {
    for await (const piece of stream) yield piece as Buffer;
  } catch (error) {
    throw unreadable(file.name, error);
  } finally {
    raw.destroy();
    stream.destroy();
  }
}

/** Whole lines, block by block; a last line without its end gets one. */
export async function* blocks(file: InputFile): AsyncGenerator<Buffer> {
  let waiting: Buffer[] = [];
  let size = 0;
  for await (const piece of pieces(file)) {
    waiting.push(piece);
    size += piece.length;
    while (size >= BLOCK_BYTES) {
      const all = waiting.length === 1 ? waiting[0]! : Buffer.concat(waiting);
      const end = all.subarray(0, BLOCK_BYTES).lastIndexOf(LINE_FEED) + 1 || BLOCK_BYTES;
      yield all.subarray(0, end);
      waiting = [all.subarray(end)];
      size = all.length - end;
    }
  }
  if (size === 0) return;
  const rest = Buffer.concat(waiting);
  yield rest[rest.length - 1] === LINE_FEED ? rest : Buffer.concat([rest, Buffer.of(LINE_FEED)]);
}

/** Uncompressed bytes of all files together. */
export async function totalBytes(files: readonly InputFile[]): Promise<number> {
  let total = 0;
  for (const file of files) {
    if (!file.gzip) total += (await stat(file.path)).size;
    else for await (const piece of pieces(file)) total += piece.length;
  }
  return total;
}

/** The last lines of a file; empty for a compressed one. */
export async function lastLines(file: InputFile): Promise<Buffer> {
  if (file.gzip) return Buffer.alloc(0);
  const { size } = await stat(file.path);
  const handle = await open(file.path);
  try {
    const from = Math.max(0, size - TAIL_BYTES);
    const buffer = Buffer.alloc(size - from + 1, LINE_FEED);
    await handle.read(buffer, 0, size - from, from);
    return from === 0 ? buffer : buffer.subarray(buffer.indexOf(LINE_FEED) + 1);
  } finally {
    await handle.close();
  }
}
