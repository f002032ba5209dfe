/**
 * What a program keeps is for its own user alone: new files by the process's umask, and those that are there already, from
 * before or from a backup, by their rights. Touches nothing in the folder that is not the program's, and follows no link.
 */
import { chmod, lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';

const OTHERS = 0o077;

/** From here on in this process: 0600 for files, 0700 for folders, unless something asks for less. */
export function createPrivately(): void {
  process.umask(OTHERS);
}

/** `isOwn` says which entries of the folder are the program's. Returns what could not be made private, for people. */
export async function makePrivate(folder: string, isOwn: (name: string) => boolean): Promise<string[]> {
  const complaints: string[] = [];
  const names = await readdir(folder);
  // A folder that holds other things may be meant for others too.
  if (names.every(isOwn)) await tighten(folder, complaints);
  else if (await isOpen(folder)) {
    complaints.push(
      `${folder} may be read by other users: chmod 700 it, or set data_dir to a folder of its own`,
    );
  }
  for (const name of names) if (isOwn(name)) await tightenTree(join(folder, name), complaints);
  return complaints;
}

async function tightenTree(path: string, complaints: string[]): Promise<void> {
  const found = await lstat(path).catch(() => null);
  if (!found || found.isSymbolicLink()) return;
  await tighten(path, complaints);
  if (!found.isDirectory()) return;
  for (const name of await readdir(path).catch(() => [])) await tightenTree(join(path, name), complaints);
}

async function tighten(path: string, complaints: string[]): Promise<void> {
  const found = await lstat(path).catch(() => null);
  if (!found || (found.mode & OTHERS) === 0) return;
  await chmod(path, found.mode & 0o700).catch(() => {
    complaints.push(
      `${path} may be read by other users, and that cannot be changed: see that it belongs to this user`,
    );
  });
}

async function isOpen(path: string): Promise<boolean> {
  return ((await lstat(path)).mode & OTHERS) !== 0;
}
