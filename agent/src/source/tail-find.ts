/**
 * Finds again the file that a position speaks of: at its path, renamed beside it, or as the copy that
 * copy-and-truncate rotation made of it. Opens nothing that it is not sure of: a wrong file would be read twice.
 */
import { type FileIdentity, TailFile } from './tail-file.js';
import { copiesOf, withInode } from './tail-rotated.js';

/** A shorter prefix may well be the same in another file. */
const MIN_TELLING_BYTES = 64;

/** A file and how far it has been read. */
export interface ReadSoFar extends FileIdentity {
  offset: number;
}

/** The file at `path`, when it is the one that was read. */
export async function openIfSame(path: string, read: ReadSoFar): Promise<TailFile | null> {
  const file = await TailFile.open(path, read.offset);
  if (!file) return null;
  try {
    // Without first bytes to compare, only the inode tells two empty files apart.
    const known = file.inode === read.inode || read.prefixBytes >= MIN_TELLING_BYTES;
    if (known && (await file.size()) >= read.offset && (await file.beginsLike(read))) return file;
  } catch (error) {
    await file.close();
    throw error;
  }
  await file.close();
  return null;
}

/** The file was renamed while nobody watched: its inode is looked for beside its path. */
export async function findRenamed(path: string, read: ReadSoFar): Promise<TailFile | null> {
  for (const neighbour of await withInode(path, read.inode)) {
    const file = await openNeighbour(neighbour, read);
    if (file) return file;
  }
  return null;
}

/**
 * The file was emptied: its old bytes are looked for in a rotated copy, at least `minBytes` long and last written no
 * earlier than `sinceMs`. When two copies begin alike nobody knows which is meant, and none is taken.
 */
export async function findCopy(
  path: string,
  read: ReadSoFar,
  { minBytes, sinceMs }: { minBytes: number; sinceMs: number },
): Promise<TailFile | null> {
  if (read.prefixBytes < MIN_TELLING_BYTES) return null;
  const found: TailFile[] = [];
  for (const { path: copy, stats } of await copiesOf(path, read.inode)) {
    if (stats.size < minBytes || stats.mtimeMs < sinceMs) continue;
    const file = await openNeighbour(copy, read);
    if (file) found.push(file);
    if (found.length > 1) break;
  }
  if (found.length <= 1) return found[0] ?? null;
  for (const file of found) await file.close();
  return null;
}

/** A rotated file from its start. Null when it is gone or not for us. */
export function openRotated(path: string): Promise<TailFile | null> {
  return TailFile.open(path, 0).catch(passOver);
}

function openNeighbour(path: string, read: ReadSoFar): Promise<TailFile | null> {
  return openIfSame(path, read).catch(passOver);
}

/** What we may never read must not stop us from reading on. */
function passOver(error: NodeJS.ErrnoException): null {
  if (error.code === 'EACCES' || error.code === 'EPERM') return null;
  throw error;
}
