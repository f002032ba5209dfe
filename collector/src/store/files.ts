/** The files of a store: their rights, their sizes, and whether they are where they were. */
import { chmodSync, closeSync, openSync, statSync } from 'node:fs';
import { StoreError } from './store.js';

/** SQLite's own files beside the database. */
export const COMPANIONS = ['', '-wal', '-shm'] as const;

/** Makes the file if it is missing. Only its owner may read it, whatever the umask; its companions inherit that. */
export function ensurePrivate(path: string): void {
  // A pipe would wait for ever, and a folder is no file.
  if (statSync(path, { throwIfNoEntry: false })?.isFile() === false) {
    throw new StoreError(`the store ${path} is no file: move away what is there, or set another data_dir.`);
  }
  closeSync(openSync(path, 'a', 0o600));
  for (const suffix of COMPANIONS) {
    const file = path + suffix;
    const mode = statSync(file, { throwIfNoEntry: false })?.mode;
    if (mode !== undefined && (mode & 0o077) !== 0) chmodSync(file, 0o600);
  }
}

export function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}

export const sizeOfAll = (path: string): number =>
  COMPANIONS.reduce((sum, suffix) => sum + sizeOf(path + suffix), 0);

/** Which file a path names; null when there is none. */
export function identityOf(path: string): string | null {
  const found = statSync(path, { throwIfNoEntry: false });
  return found ? `${found.dev}/${found.ino}` : null;
}
