/** The lock of a data folder. */
import { spawn } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { FolderLock, LockedError } from './folder-lock.js';

async function withFolder(work: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'lineheron-lock-'));
  try {
    await work(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

it('keeps a second living process out and lets it in after the release', () =>
  withFolder(async (folder) => {
    const other = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)']);
    try {
      const first = new FolderLock(folder, 'agent', other.pid!);
      await first.acquire();
      await expect(new FolderLock(folder, 'agent', process.pid).acquire()).rejects.toThrow(LockedError);
      await first.release();
      await new FolderLock(folder, 'agent', process.pid).acquire();
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
      const lock = new FolderLock(folder, 'agent', process.pid);
      await lock.acquire();
      await lock.release();
    }
    expect(await readdir(folder)).toEqual([]);
  }));

it.skipIf(process.platform !== 'linux')(
  'takes over the lock of a process that has ended but was not reaped',
  () =>
    withFolder(async (folder) => {
      // The shell's child ends when its input does; what the shell has turned into by then never asks for it.
      const parent = spawn('sh', ['-c', 'cat <&3 >/dev/null & echo $!; exec 3<&-; exec sleep 1000'], {
        stdio: ['ignore', 'pipe', 'ignore', 'pipe'],
      });
      try {
        const told = await new Promise((resolve) => parent.stdout!.once('data', resolve));
        const pid = Number(String(told));
        const lock = new FolderLock(folder, 'agent', pid);
        await lock.acquire();
        await expect(new FolderLock(folder, 'agent', process.pid).acquire()).rejects.toThrow(LockedError);
        await expect.poll(() => readFile(`/proc/${parent.pid}/stat`, 'utf8')).toContain('(sleep)');
        parent.stdio[3]!.destroy();
        await expect.poll(() => readFile(`/proc/${pid}/stat`, 'utf8')).toMatch(/\) Z /);
        await new FolderLock(folder, 'agent', process.pid).acquire();
      } finally {
        parent.kill('SIGKILL');
      }
    }),
);
