/**
 * Every file operation of the spool behind one small interface, so that a test can let the process die at any of
 * them. The real ones do what they say and nothing else: no buffering, no retries.
 */
import { constants } from 'node:fs';
import {
  copyFile,
  type FileHandle,
  mkdir,
  open,
  readdir,
  readFile,
  rename,
  rm,
  truncate,
} from 'node:fs/promises';
import { dirname } from 'node:path';
import { syncFolder } from '@lineheron/models/persist';

export interface SpoolFile {
  /** Writes some of `bytes` from `from` on at `at` of the file; returns how many. */
  write(bytes: Buffer, from: number, at: number): Promise<number>;
  /** Fills `into` from `at` of the file; returns how many bytes there were. */
  read(into: Buffer, at: number): Promise<number>;
  datasync(): Promise<void>;
  truncate(length: number): Promise<void>;
  close(): Promise<void>;
}

export interface SpoolFiles {
  makeFolder(path: string): Promise<void>;
  /** Names of the plain files in a folder. */
  list(folder: string): Promise<string[]>;
  readAll(path: string): Promise<Buffer>;
  /** `create`: a file that is there already is begun anew. */
  open(path: string, create: boolean): Promise<SpoolFile>;
  truncate(path: string, length: number): Promise<void>;
  rename(from: string, to: string): Promise<void>;
  copy(from: string, to: string): Promise<void>;
  /** A file that is not there is no error. */
  remove(path: string): Promise<void>;
  /** Makes a new name, a rename or a removal in the folder durable. */
  syncFolder(folder: string): Promise<void>;
}

class NodeFile implements SpoolFile {
  constructor(private readonly handle: FileHandle) {}

  async write(bytes: Buffer, from: number, at: number): Promise<number> {
    return (await this.handle.write(bytes, from, bytes.length - from, at)).bytesWritten;
  }

  async read(into: Buffer, at: number): Promise<number> {
    return (await this.handle.read(into, 0, into.length, at)).bytesRead;
  }

  datasync(): Promise<void> {
    return this.handle.datasync();
  }

  truncate(length: number): Promise<void> {
    return this.handle.truncate(length);
  }

  close(): Promise<void> {
    return this.handle.close();
  }
}

export const nodeFiles: SpoolFiles = {
  async makeFolder(path) {
    await mkdir(path, { recursive: true, mode: 0o700 });
  },
  async list(folder) {
    const files = await readdir(folder, { withFileTypes: true });
    return files.filter((file) => file.isFile()).map(({ name }) => name);
  },
  readAll: (path) => readFile(path),
  async open(path, create) {
    const flags = create ? constants.O_RDWR | constants.O_CREAT | constants.O_TRUNC : constants.O_RDWR;
    return new NodeFile(await open(path, flags, 0o600));
  },
  truncate: (path, length) => truncate(path, length),
  rename: (from, to) => rename(from, to),
  copy: (from, to) => copyFile(from, to),
  remove: (path) => rm(path, { force: true }),
  syncFolder: (folder) => syncFolder(folder),
};

export async function writeFully(file: SpoolFile, bytes: Buffer, at: number): Promise<void> {
  let written = 0;
  while (written < bytes.length) written += await file.write(bytes, written, at + written);
}

/** Puts `bytes` in the place of `path`: written aside, flushed, renamed, so that the old or the new is there, whole. */
export async function replaceFile(files: SpoolFiles, path: string, bytes: Buffer): Promise<void> {
  const aside = `${path}${ASIDE}`;
  try {
    const file = await files.open(aside, true);
    try {
      await writeFully(file, bytes, 0);
      await file.datasync();
    } finally {
      await file.close();
    }
    await files.rename(aside, path);
  } catch (error) {
    await files.remove(aside).catch(() => {});
    throw error;
  }
  // Until the folder is flushed a power loss brings the old content back, which is as good.
  await files.syncFolder(dirname(path)).catch(() => {});
}

/** Ends the name of a file that was not finished; one that is found is of no use. */
export const ASIDE = '.new';
