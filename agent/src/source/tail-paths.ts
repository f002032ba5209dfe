/**
 * Which files a tail follows: the paths that are named, and up to `maxFiles` that its patterns find. First come, first
 * kept; of many at once those written last. More of them are told, counted and not read; however many there are, no
 * more than twice `maxFiles` names are held in memory.
 *
 * Rotated and packed forms of a file, and a second name of one that is followed, are left to whoever follows it; also
 * while nothing stands under the file's own name, as between a rotation and the writer's next line.
 */
import { stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { globPaths, isPattern } from './glob.js';
import { isPackedName, rotationBases } from './tail-rotated.js';

export interface Found {
  path: string;
  /** Device and inode. */
  id: string;
  writtenMs: number;
  createdMs: number;
}

export interface Finding {
  /** New ones, at most as many as there is room for. */
  found: Found[];
  /** All that fit, rotated ones left out. */
  matches: number;
  /** Of those that were followed, the ones that are no longer there. */
  gone: string[];
}

/**
 * What the patterns among `paths` find beside what is `followed`, each path with the id of the file that is open for it.
 * Rotated forms of `known` paths are left, too.
 */
export async function findFiles(
  paths: readonly string[],
  followed: ReadonlyMap<string, string | null>,
  known: ReadonlySet<string>,
  maxFiles: number,
): Promise<Finding> {
  const room = maxFiles - followed.size;
  const newest = new Newest(room);
  const ids = new Set(followed.values());
  const gone = new Set(followed.keys());
  let matches = 0;
  let unknown: string[] = [];
  const look = async () => {
    for (const found of await Promise.all(unknown.map((path) => foundAt(path, known)))) {
      if (!found || ids.has(found.id)) continue;
      matches += 1;
      newest.add(found);
    }
    unknown = [];
  };
  for (const pattern of paths.filter(isPattern)) {
    for await (const path of globPaths(pattern)) {
      gone.delete(path);
      const name = basename(path);
      // Where there is no room, what looks like a rotated form is not looked into, and not counted.
      if (followed.has(path) || (room <= 0 && !isPackedName(name) && rotationBases(name).length === 0))
        matches += 1;
      else if (room > 0) unknown.push(path);
      if (unknown.length >= LOOKED_AT_ONCE) await look();
    }
  }
  await look();
  return { found: newest.take(), matches, gone: [...gone] };
}

const LOOKED_AT_ONCE = 64;

/** Null for what is nobody's to follow. */
async function foundAt(path: string, known: ReadonlySet<string>): Promise<Found | null> {
  const name = basename(path);
  if (isPackedName(name)) return null;
  for (const base of rotationBases(name)) {
    const original = join(dirname(path), base);
    if (known.has(original) || (await stat(original).catch(() => null))) return null;
  }
  const stats = await stat(path).catch(() => null);
  if (stats && !stats.isFile()) return null;
  // What cannot even be looked at is followed all the same, so that it is told why it is not read.
  return {
    path,
    id: stats ? `${stats.dev}:${stats.ino}` : path,
    writtenMs: stats?.mtimeMs ?? 0,
    createdMs: stats?.birthtimeMs ?? 0,
  };
}

/** The few written last among any number. */
class Newest {
  private kept: Found[] = [];
  private readonly ids = new Set<string>();

  constructor(private readonly room: number) {}

  add(found: Found): void {
    if (this.ids.has(found.id)) return;
    this.kept.push(found);
    this.ids.add(found.id);
    if (this.kept.length > 2 * Math.max(this.room, 64)) this.cut();
  }

  take(): Found[] {
    this.cut();
    return this.kept.sort((a, b) => (a.path < b.path ? -1 : 1));
  }

  private cut(): void {
    this.kept.sort((a, b) => b.writtenMs - a.writtenMs || (a.path < b.path ? -1 : 1));
    for (const { id } of this.kept.splice(Math.max(0, this.room))) this.ids.delete(id);
  }
}
