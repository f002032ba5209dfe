/** The lock of a data folder. */
import { spawn } from 'node:child_process';
import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { FolderLock, LockedError } from './lock.js';
import { withFolder } from './test-support.js';

it('keeps a second living process out and lets it in after the release', () =>
  withFolder(async (folder) => {
    const other = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)']);
    try {
      const first = new FolderLock(folder, other.pid!);
      await first.acquire();
      await expect(new FolderLock(folder, process.pid).acquire()).rejects.toThrow(LockedError);
      await first.release();
      await new FolderLock(folder, process.pid).acquire();
    } finally {
      other.kill('SIGKILL');
    }
  }));

it('takes over the lock of a dead process, of a process id that came again, and a damaged one', () =>
  withFolder(async (folder) => {
    const gone = spawn(process.execPath, ['-e', '']);
    await new Promise((resolve) => gone.on('exit', resolve));
    const path = join(folder, 'agent.lock');
    for (const text of [`{"pid":${gone.pid},"started":null}`, '{"pid":1,"started":"-1"}', '{"pi']) {
      await writeFile(path, text);
      const lock = new FolderLock(folder, process.pid);
      await lock.acquire();
      await lock.release();
    }
    expect(await readdir(folder)).toEqual([]);
  }));
