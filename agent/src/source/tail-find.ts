/**
 * Finds again the file that a position speaks of: at its path, renamed beside it, packed, or as the copy that
 * copy-and-truncate rotation made of it; and the file that was written after it. Opens nothing that it is not sure
 * of: a wrong file would be read twice.
 */
import { stat } from 'node:fs/promises';
import { type FileIdentity, MIN_TELLING_BYTES, TailFile } from './tail-file.js';
import { type Rotated, settledRotatedFiles, withInode } from './tail-rotated.js';

/** How many rotated files are looked into for a known beginning, the newest first. */
const MAX_LOOKED_INTO = 64;
/** An empty rotated file that is younger may become a copy. */
const IN_THE_MAKING_MS = 2_000;

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
 * The file was emptied or packed: its old bytes are looked for in a rotated file, last written no earlier than
 * `sinceMs`. When two of them begin alike nobody knows which is meant, and none is taken. One that is shorter than
 * what was read, because the copy was made before the last lines, is at its end. Undefined when it cannot be told
 * now, because a rotation is under way.
 */
export async function findCopy(
  path: string,
  read: ReadSoFar,
  sinceMs: number,
): Promise<TailFile | null | undefined> {
  if (read.prefixBytes === 0) return null;
  const chain = await settledRotatedFiles(path);
  const found: TailFile[] = [];
  let moving = chain === null;
  for (const { path: copy, stats } of newestFew(chain ?? [])) {
    if (stats.mtimeMs < sinceMs) continue;
    const file = await openSettled(copy, stats.ino);
    if (file && (await file.isLike(read))) found.push(file);
    else await file?.close();
    moving ||= file === undefined;
    if (moving || found.length > 1) break;
  }
  const [only, other] = found;
  if (only && !other && !moving) {
    only.offset = Math.min(read.offset, await only.size());
    return only;
  }
  for (const file of found) await file.close();
  return moving ? undefined : null;
}

/** What stands at the path is older than this file: it was copied from there, not moved. Packed, nobody can tell. */
export async function isCopy(file: TailFile, birthtimeMs: number, path: string): Promise<boolean> {
  if (file.packed) return false;
  const current = await stat(path).catch(() => null);
  return current !== null && current.ino !== file.inode && current.birthtimeMs < birthtimeMs;
}

/** Of a file that has been read to its end. */
export interface Finished {
  identity: FileIdentity;
  mtimeMs: number;
  birthtimeMs: number;
}

/**
 * The file that was written next after `old`, from its start: a rotated one, or the one at the path. Null when there
 * is none at the path; undefined when it cannot be told now, because a rotation is under way. Files in `done` have
 * been read.
 */
export async function openNext(
  path: string,
  old: Finished,
  done: readonly FileIdentity[],
): Promise<TailFile | null | undefined> {
  // Opened before the chain is read: whatever is rotated from now on shows up in the chain.
  const current = await TailFile.open(path, 0);
  const rotated = await openRotatedNext(path, old, done, current).catch(async (error) => {
    await current?.close();
    throw error;
  });
  if (rotated === null) return current;
  await current?.close();
  return rotated;
}

/** The rotated file that was written next after the last that was done; null when that is the one at the path. */
export async function openMissed(
  path: string,
  done: readonly FileIdentity[],
  current: TailFile | null,
): Promise<TailFile | null | undefined> {
  const last = done.at(-1);
  const old = last && { identity: last, mtimeMs: Number.POSITIVE_INFINITY, birthtimeMs: 0 };
  return old ? openRotatedNext(path, old, done, current) : null;
}

async function openRotatedNext(
  path: string,
  old: Finished,
  done: readonly FileIdentity[],
  current: TailFile | null,
): Promise<TailFile | null | undefined> {
  const chain = await settledRotatedFiles(path);
  const place = chain && (await placeOf(chain, old.identity));
  if (!chain || place === undefined) return undefined;
  const later = place === null ? chain.filter((one) => isLater(one, old)) : chain.slice(place + 1);
  for (const { path: next, stats } of later) {
    // It was rotated meanwhile, and comes before what is newer.
    if (stats.ino === current?.inode) return null;
    const file = await openSettled(next, stats.ino);
    if (!file) {
      if (file === undefined) return undefined;
      continue;
    }
    if (file.identity.prefixBytes === 0 && Math.abs(Date.now() - stats.mtimeMs) < IN_THE_MAKING_MS) {
      await file.close();
      return undefined;
    }
    const empty = file.identity.prefixBytes === 0;
    if (!empty && (await current?.beginsLike(file.identity))) {
      // The current file itself, packed since it was opened, or a copy of it in the making: it is the next.
      await file.close();
      return null;
    }
    if (!empty && !(await isOneOf(file, [...done, old.identity]))) return file;
    await file.close();
  }
  return null;
}

function isLater({ path, stats }: Rotated, old: Finished): boolean {
  if (stats.ino === old.identity.inode || stats.mtimeMs < old.mtimeMs) return false;
  // A packed file was made when it was packed.
  return path.endsWith('.gz') || stats.birthtimeMs >= old.birthtimeMs;
}

/** Where the file with this identity, or its packed form or copy, stands in the chain; undefined when it moves. */
async function placeOf(
  chain: readonly Rotated[],
  identity: FileIdentity,
): Promise<number | null | undefined> {
  // The number of an inode that is gone is given to the next file: a beginning that tells must be the same too.
  const tells = identity.prefixBytes > 0;
  const byInode = chain.filter(({ stats }) => stats.ino === identity.inode);
  if (!tells) return byInode[0] ? chain.indexOf(byInode[0]) : null;
  for (const one of [...byInode, ...newestFew(chain)]) {
    const file = await openSettled(one.path, one.stats.ino);
    if (file === undefined) return undefined;
    const sameFile = one.stats.ino === identity.inode && file?.beginsLike(identity);
    const found = (await (sameFile || file?.isLike(identity))) ?? false;
    await file?.close();
    if (found) return chain.indexOf(one);
  }
  return null;
}

async function isOneOf(file: TailFile, known: readonly FileIdentity[]): Promise<boolean> {
  for (const identity of known) {
    if (identity.prefixBytes > 0 && (await file.isLike(identity))) return true;
  }
  return false;
}

/** Null when it is not for us, undefined when it is no longer the one that was listed. */
async function openSettled(path: string, inode: number): Promise<TailFile | null | undefined> {
  try {
    const file = await TailFile.open(path, 0);
    if (file?.inode === inode) return file;
    await file?.close();
    return undefined;
  } catch (error) {
    return passOver(error as NodeJS.ErrnoException);
  }
}

function newestFew(chain: readonly Rotated[]): Rotated[] {
  return chain.slice(-MAX_LOOKED_INTO).reverse();
}

/** What we may never read must not stop us from reading on. */
function passOver(error: NodeJS.ErrnoException): null {
  if (error.code === 'EACCES' || error.code === 'EPERM') return null;
  throw error;
}
