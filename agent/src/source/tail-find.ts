/**
 * Finds again the file that a position speaks of: at its path, renamed beside it, packed, or as the copy that
 * copy-and-truncate rotation made of it; and the file that was written after it. Opens nothing that it is not sure
 * of: a wrong file would be read twice.
 */
import { type FileIdentity, MIN_TELLING_BYTES, TailFile } from './tail-file.js';
import { type Rotated, rotatedFiles, settledRotatedFiles, withInode } from './tail-rotated.js';

/** How many rotated files are looked into for a known beginning, the newest first. */
const MAX_LOOKED_INTO = 64;

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
    const file = await openIfSame(neighbour, read).catch(passOver);
    if (file) return file;
  }
  return null;
}

/**
 * The file was emptied or packed: its old bytes are looked for in a rotated file, at least `minBytes` long and last
 * written no earlier than `sinceMs`. When two of them begin alike nobody knows which is meant, and none is taken.
 */
export async function findCopy(
  path: string,
  read: ReadSoFar,
  { minBytes, sinceMs }: { minBytes: number; sinceMs: number },
): Promise<TailFile | null> {
  if (read.prefixBytes === 0) return null;
  const found: TailFile[] = [];
  for (const { path: copy, stats } of newestFew(await rotatedFiles(path))) {
    if (stats.ino === read.inode || stats.mtimeMs < sinceMs) continue;
    const file = await openLike(copy, read);
    if (file && (await file.size()) >= minBytes) found.push(file);
    else await file?.close();
    if (found.length > 1) break;
  }
  const [only, other] = found;
  if (only && !other) {
    only.offset = read.offset;
    return only;
  }
  for (const file of found) await file.close();
  return null;
}

/** Of a file that has been read to its end. */
export interface Finished {
  identity: FileIdentity;
  mtimeMs: number;
  birthtimeMs: number;
}

/**
 * The rotated file that was written next after `old`, from its start. Null when the one at the path itself is the
 * next; undefined when that cannot be told now, because a rotation is under way. Files in `done` have been read.
 */
export async function openNext(
  path: string,
  old: Finished,
  done: readonly FileIdentity[],
): Promise<TailFile | null | undefined> {
  const chain = await settledRotatedFiles(path);
  if (!chain) return undefined;
  const place = await placeOf(chain, old.identity);
  const later = place === null ? chain.filter((one) => isLater(one, old)) : chain.slice(place + 1);
  for (const { path: next, stats } of later) {
    const file = await TailFile.open(next, 0).catch(passOver);
    if (file?.inode !== stats.ino) {
      await file?.close();
      return undefined;
    }
    if (!(await isOneOf(file, done))) return file;
    await file.close();
  }
  return null;
}

/** For a file of which nothing telling is known: the one after the last that was done. */
export async function findAfterDone(
  path: string,
  done: readonly FileIdentity[],
): Promise<TailFile | null | undefined> {
  const last = done.at(-1);
  const chain = last && (await settledRotatedFiles(path));
  if (!chain || (await placeOf(chain, last)) === null) return undefined;
  return openNext(path, { identity: last, mtimeMs: 0, birthtimeMs: 0 }, done);
}

function isLater({ path, stats }: Rotated, old: Finished): boolean {
  if (stats.ino === old.identity.inode || stats.mtimeMs < old.mtimeMs) return false;
  // A packed file was made when it was packed.
  return path.endsWith('.gz') || stats.birthtimeMs >= old.birthtimeMs;
}

/** Where the file with this identity, or its packed form or copy, stands in the chain. */
async function placeOf(chain: readonly Rotated[], identity: FileIdentity): Promise<number | null> {
  const byInode = chain.findIndex(({ stats }) => stats.ino === identity.inode);
  if (byInode >= 0) return byInode;
  for (const { path } of newestFew(chain)) {
    const file = await openLike(path, identity);
    if (!file) continue;
    await file.close();
    return chain.findIndex((one) => one.path === path);
  }
  return null;
}

async function isOneOf(file: TailFile, known: readonly FileIdentity[]): Promise<boolean> {
  for (const identity of known) {
    if (identity.prefixBytes > 0 && (await file.isLike(identity))) return true;
  }
  return false;
}

async function openLike(path: string, identity: FileIdentity): Promise<TailFile | null> {
  const file = await TailFile.open(path, 0).catch(passOver);
  if (!file || (await file.isLike(identity))) return file;
  await file.close();
  return null;
}

function newestFew(chain: readonly Rotated[]): Rotated[] {
  return chain.slice(-MAX_LOOKED_INTO).reverse();
}

/** What we may never read must not stop us from reading on. */
function passOver(error: NodeJS.ErrnoException): null {
  if (error.code === 'EACCES' || error.code === 'EPERM') return null;
  throw error;
}
