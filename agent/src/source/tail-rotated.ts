/**
 * The rotated files beside a followed path, oldest first: `a.log.2.gz`, `a.log.1`, `a.log-20260102`, `a-20260102.log`.
 * Only names that rotation gives count, so that a copy somebody made by hand is never read. Files that rotation moves
 * to another folder are not seen. Of a file and its packed form only the first counts, for the other is in the making.
 */
import type { Stats } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { basename, dirname, extname, join } from 'node:path';

const MAX_NAMES = 4096;
/** Longer numbers are dates. */
const MAX_INDEX_DIGITS = 5;
const MARK = String.raw`[.-](\d[\d.T_-]*)`;
const PACKED = /\.(gz|bz2|xz|zst|lz4|Z)$/;

export interface Rotated {
  path: string;
  stats: Stats;
  /** What rotation put into the name: a number or a date. */
  mark: string;
}

/** Whether the name is a packed file's. */
export function isPackedName(name: string): boolean {
  return PACKED.test(name);
}

/** What rotation put into `name`, a name without folder; null when it is no rotated form of `base`. */
export function rotationMark(base: string, name: string): string | null {
  const plain = name.endsWith('.gz') ? name.slice(0, -3) : name;
  const extension = extname(base);
  const patterns = [`${escaped(base)}${MARK}`];
  if (extension) patterns.push(`${escaped(base.slice(0, -extension.length))}${MARK}${escaped(extension)}`);
  for (const pattern of patterns) {
    const match = new RegExp(`^${pattern}$`).exec(plain);
    if (match) return match[1]!;
  }
  return null;
}

/** The name that this one was made of, if it looks like a rotated one's. */
export function rotationBases(name: string): string[] {
  const plain = name.endsWith('.gz') ? name.slice(0, -3) : name;
  const behind = new RegExp(`^(.+?)${MARK}$`).exec(plain);
  const before = new RegExp(`^(.+?)${MARK}(\\.[^.]*)$`).exec(plain);
  return [behind?.[1], before && `${before[1]}${before[3]}`].filter((base) => typeof base === 'string');
}

/** Paths in the same folder, whatever their names add to that of `path` or put into it, that have this inode. */
export async function withInode(path: string, inode: number): Promise<string[]> {
  const base = basename(path);
  const stem = base.slice(0, base.length - extname(base).length);
  const found = await neighbours(
    path,
    (name) => name.startsWith(base) || (name.startsWith(stem) && /^[._-]/.test(name.slice(stem.length))),
  );
  return found.filter(({ stats }) => stats.ino === inode).map((neighbour) => neighbour.path);
}

/** All rotated files of `path`, oldest first. */
async function rotatedFiles(path: string): Promise<Rotated[]> {
  const base = basename(path);
  const current = await stat(path).catch(() => null);
  const found: Rotated[] = [];
  for (const neighbour of await neighbours(path, (name) => rotationMark(base, name) !== null)) {
    if (neighbour.stats.ino === current?.ino) continue;
    found.push({ ...neighbour, mark: rotationMark(base, basename(neighbour.path))! });
  }
  const plain = new Set(found.map((rotated) => rotated.path));
  const once = found.filter(
    (rotated) => !rotated.path.endsWith('.gz') || !plain.has(rotated.path.slice(0, -3)),
  );
  return once.sort(oldestFirst);
}

/** The same, taken when no rotation was under way: names change one by one, and one that moves may be missed. */
export async function settledRotatedFiles(path: string): Promise<Rotated[] | null> {
  let before = await rotatedFiles(path);
  for (let attempt = 0; attempt < 8; attempt++) {
    const now = await rotatedFiles(path);
    if (sameFiles(before, now)) return now;
    before = now;
  }
  return null;
}

function sameFiles(a: readonly Rotated[], b: readonly Rotated[]): boolean {
  return (
    a.length === b.length &&
    a.every(({ path, stats }, index) => path === b[index]!.path && sameStats(stats, b[index]!.stats))
  );
}

function sameStats(a: Stats, b: Stats): boolean {
  return a.ino === b.ino && a.size === b.size && a.mtimeMs === b.mtimeMs;
}

function oldestFirst(a: Rotated, b: Rotated): number {
  const [first, second] = [indexOf(a.mark), indexOf(b.mark)];
  if (first !== null && second !== null) return second - first;
  if (first === null && second === null && a.mark !== b.mark) return a.mark < b.mark ? -1 : 1;
  return a.stats.mtimeMs - b.stats.mtimeMs;
}

/** `.1` is newer than `.2`; dates go the other way. */
function indexOf(mark: string): number | null {
  return /^\d+$/.test(mark) && mark.length <= MAX_INDEX_DIGITS ? Number(mark) : null;
}

function escaped(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&');
}

/** Plain files in the folder of `path`, but not itself. */
async function neighbours(
  path: string,
  wanted: (name: string) => boolean,
): Promise<{ path: string; stats: Stats }[]> {
  const folder = dirname(path);
  const names = (await readdir(folder).catch(() => [])).filter(
    (name) => name !== basename(path) && wanted(name),
  );
  const found: { path: string; stats: Stats }[] = [];
  for (const name of names.slice(0, MAX_NAMES)) {
    const neighbour = join(folder, name);
    const stats = await stat(neighbour).catch(() => null);
    if (stats?.isFile()) found.push({ path: neighbour, stats });
  }
  return found;
}
