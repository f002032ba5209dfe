/**
 * The text of log files and of standard input, in blocks of whole lines. Gzip and UTF-16 are recognised by their first
 * bytes. The
 * blocks depend on the bytes alone, not on how a pipe cut them: the same input gives the same output. At most one
 * block and one line are in memory; a line longer than a document may be comes in pieces, which the engine counts and
 * skips.
 */
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdtemp, open, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { EXIT, ExitError } from '../exit-code.js';
import { MAX_DOCUMENT_BYTES } from '../source/line-cutter.js';
import { type Encoding, utf8Stream, wideOf } from '../text-encoding.js';

const BLOCK_BYTES = 256 * 1024;
const LINE_FEED = 10;
/** Enough to know an encoding. */
const HEAD_BYTES = 256;

/** A file that can be read again and again. */
export interface InputFile {
  /** As it was named: `-` is standard input. */
  name: string;
  path: string;
  gzip: boolean;
  /** Its bytes are its text: neither packed nor in another encoding. */
  plain: boolean;
  encoding: Encoding;
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

async function examined(name: string, path: string, encoding: Encoding): Promise<InputFile> {
  const stats = await stat(path);
  if (!stats.isFile())
    throw new Error(stats.isDirectory() ? 'is a folder' : 'is no regular file (use - for a pipe)');
  const file = await open(path);
  try {
    const { bytesRead, buffer } = await file.read(Buffer.alloc(HEAD_BYTES), 0, HEAD_BYTES, 0);
    const head = buffer.subarray(0, bytesRead);
    const gzip = head[0] === 0x1f && head[1] === 0x8b;
    const plain = !gzip && wideOf(head, encoding) === null;
    return { name, path, gzip, plain, encoding, writtenMs: Math.ceil(stats.mtimeMs) };
  } finally {
    await file.close();
  }
}

/** Standard input is kept in a file of its own while it is needed, because training reads its first part first. */
async function kept(stdin: Readable, folder: string, encoding: Encoding): Promise<InputFile> {
  const path = join(folder, 'stdin');
  await pipeline(stdin, createWriteStream(path, { mode: 0o600 }));
  return examined('-', path, encoding);
}

/** Does the work with the named inputs at hand, then cleans up. Throws ExitError when one cannot be read. */
export async function withInputs<T>(
  names: readonly string[],
  stdin: Readable,
  work: (files: readonly InputFile[]) => Promise<T>,
  encoding: Encoding = 'auto',
): Promise<T> {
  let folder: string | null = null;
  try {
    const files: InputFile[] = [];
    for (const name of names) {
      if (name === '-') folder ??= await mkdtemp(join(tmpdir(), 'lineheron-replay-'));
      const file = await (name === '-'
        ? kept(stdin, folder!, encoding)
        : examined(name, name, encoding)
      ).catch((error) => {
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
  const stages = [
    ...(file.gzip ? [createGunzip({ chunkSize: BLOCK_BYTES })] : []),
    ...(file.plain ? [] : [utf8Stream(file.encoding)]),
  ];
  const stream = stages.reduce<Readable>((from, to) => {
    from.on('error', (error) => to.destroy(error));
    return from.pipe(to);
  }, raw);
  try {
    for await (const piece of stream) yield piece as Buffer;
  } catch (error) {
    throw unreadable(file.name, error);
  } finally {
    raw.destroy();
    stream.destroy();
  }
}

/** Whole lines, block by block; a last line without its end gets one. A line may be as long as a document. */
export async function* blocks(file: InputFile): AsyncGenerator<Buffer> {
  let waiting: Buffer[] = [];
  let size = 0;
  let wanted = BLOCK_BYTES;
  for await (const piece of pieces(file)) {
    waiting.push(piece);
    size += piece.length;
    while (size >= wanted) {
      const all = waiting.length === 1 ? waiting[0]! : Buffer.concat(waiting);
      const end = all.subarray(0, wanted).lastIndexOf(LINE_FEED) + 1 || wanted;
      if (all[end - 1] !== LINE_FEED && wanted <= MAX_DOCUMENT_BYTES) {
        waiting = [all];
        wanted *= 2;
        continue;
      }
      wanted = BLOCK_BYTES;
      yield all.subarray(0, end);
      waiting = [all.subarray(end)];
      size = all.length - end;
    }
  }
  if (size === 0) return;
  const rest = Buffer.concat(waiting);
  yield rest[rest.length - 1] === LINE_FEED ? rest : Buffer.concat([rest, Buffer.of(LINE_FEED)]);
}

/** Bytes of the text of all files together. */
export async function totalBytes(files: readonly InputFile[]): Promise<number> {
  let total = 0;
  for (const file of files) {
    if (file.plain) total += (await stat(file.path)).size;
    else for await (const piece of pieces(file)) total += piece.length;
  }
  return total;
}
