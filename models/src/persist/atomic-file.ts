/** Writes a file so that a reader, and a start after kill -9 or power loss, sees the old content or the new, whole. */
import { open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';

/** Writes aside, flushes, renames over `path`, flushes the folder. The folder must exist. */
export async function writeFileAtomic(path: string, content: string | Uint8Array): Promise<void> {
  const aside = `${path}.${process.pid}.${Math.random().toString(36).slice(2)}.tmp`;
  try {
    const file = await open(aside, 'wx', 0o600);
    try {
      await file.writeFile(content);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(aside, path);
  } catch (error) {
    await rm(aside, { force: true });
    throw error;
  }
  await syncFolder(dirname(path));
}

/** Makes a rename, a new name or a removal in `folder` durable. */
export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
