/**
 * Finds rotated files beside a followed path: the one that was being read, by its inode, what may be a copy of it, and
 * the one written after it, when a file was rotated more than once while nobody looked. Only names that rotation gives (`.1`, `-20260102`)
 * count, so that a copy somebody made by hand is never read.
 */
import type { Stats } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

const MAX_NAMES = 4096;
const ROTATION_SUFFIX = /^[.-]\d[\d.T_-]*$/;

export interface Neighbour {
  path: string;
  stats: Stats;
}

/** Paths in the same folder that have this inode. */
export async function withInode(path: string, inode: number): Promise<string[]> {
  const found = await neighbours(path, () => true);
  return found.filter(({ stats }) => stats.ino === inode).map((neighbour) => neighbour.path);
}

/** Rotated files that are neither the file with this inode nor the current one. */
export async function copiesOf(path: string, inode: number): Promise<Neighbour[]> {
  const current = await stat(path).catch(() => null);
  return (await rotated(path)).filter(({ stats }) => stats.ino !== inode && stats.ino !== current?.ino);
}

/**
 * The file that was written next after `old`, which stands at no name of its own any more: created no earlier, last
 * written no earlier, and not the current file. Null when the current file is the next.
 */
export async function writtenAfter(path: string, old: Stats): Promise<string | null> {
  const current = await stat(path).catch(() => null);
  const later = (await rotated(path))
    .filter(({ stats }) => stats.ino !== old.ino && stats.ino !== current?.ino)
    .filter(({ stats }) => stats.mtimeMs >= old.mtimeMs && stats.birthtimeMs >= old.birthtimeMs)
    .sort((a, b) => a.stats.mtimeMs - b.stats.mtimeMs);
  return later[0]?.path ?? null;
}

function rotated(path: string): Promise<Neighbour[]> {
  const base = basename(path);
  return neighbours(path, (name) => ROTATION_SUFFIX.test(name.slice(base.length)));
}

/** Plain files in the folder of `path` whose name begins with its own. */
async function neighbours(path: string, wanted: (name: string) => boolean): Promise<Neighbour[]> {
  const folder = dirname(path);
  const base = basename(path);
  const names = await readdir(folder).catch(() => []);
  const found: Neighbour[] = [];
  for (const name of names.filter((other) => other.startsWith(base) && wanted(other)).slice(0, MAX_NAMES)) {
    const neighbour = join(folder, name);
    const stats = await stat(neighbour).catch(() => null);
    if (stats?.isFile()) found.push({ path: neighbour, stats });
  }
  return found;
}
