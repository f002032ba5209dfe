/**
 * One process a data folder: a lock file names the process that holds it, with its start time where the system tells
 * it, because process ids come again. The lock of a dead process is taken over.
 */
import { link, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Another process holds the folder. */
export class LockedError extends Error {}

interface Holder {
  pid: number;
  /** Clock ticks from boot to the process's start; null where unknown. */
  started: string | null;
}

const MAX_ATTEMPTS = 5;

export class FolderLock {
  private readonly path: string;

  constructor(
    private readonly folder: string,
    /** What takes it: the lock is `<program>.lock`. */
    private readonly program: 'agent' | 'collector',
    private readonly pid: number,
  ) {
    this.path = lockPath(folder, program);
  }

  async acquire(): Promise<void> {
    const started = (await statOf(this.pid))?.started ?? null;
    const mine = JSON.stringify({ pid: this.pid, started } satisfies Holder);
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
      if (await this.create(mine)) return;
      const text = await readFile(this.path, 'utf8').catch(() => null);
      if (text === null) continue;
      const holder = parseHolder(text);
      if (holder && (await isAlive(holder, this.pid))) {
        throw new LockedError(
          `data_dir ${this.folder} is in use by another ${this.program} (process ${holder.pid})`,
        );
      }
      await this.takeAway(text);
    }
    throw new LockedError(`data_dir ${this.folder}: cannot take the lock ${this.path}`);
  }

  async release(): Promise<void> {
    await rm(this.path, { force: true });
  }

  private async create(text: string): Promise<boolean> {
    const aside = `${this.path}.${this.pid}.new`;
    // Linked into place, not written there: a lock never appears without its content.
    await writeFile(aside, text, { mode: 0o600 });
    try {
      await link(aside, this.path);
      return true;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
      throw error;
    } finally {
      await rm(aside, { force: true });
    }
  }

  /** Moves a stale lock away; puts it back when it was no longer the one that was found stale. */
  private async takeAway(stale: string): Promise<void> {
    const aside = `${this.path}.${this.pid}`;
    try {
      await rename(this.path, aside);
    } catch {
      return;
    }
    const moved = await readFile(aside, 'utf8').catch(() => '');
    if (moved === stale) await rm(aside, { force: true });
    else await rename(aside, this.path);
  }
}

/** The other process that holds the folder now; null when none does. */
export async function lockHolder(
  folder: string,
  program: 'agent' | 'collector',
  ownPid: number,
): Promise<number | null> {
  const text = await readFile(lockPath(folder, program), 'utf8').catch(() => null);
  const holder = text === null ? null : parseHolder(text);
  return holder && (await isAlive(holder, ownPid)) ? holder.pid : null;
}

function lockPath(folder: string, program: string): string {
  return join(folder, `${program}.lock`);
}

function parseHolder(text: string): Holder | null {
  try {
    const value = JSON.parse(text) as Partial<Holder>;
    if (typeof value.pid !== 'number') return null;
    return { pid: value.pid, started: typeof value.started === 'string' ? value.started : null };
  } catch {
    return null;
  }
}

async function isAlive(holder: Holder, ownPid: number): Promise<boolean> {
  if (holder.pid === ownPid) return false;
  try {
    process.kill(holder.pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
  }
  const stat = await statOf(holder.pid);
  if (stat === null) return true;
  // A process that has ended keeps its id until its parent asks for it; it holds nothing any more.
  if (stat.state === 'Z' || stat.state === 'X') return false;
  return holder.started === null || stat.started === null || stat.started === holder.started;
}

/**
 * State and start time in `/proc/<pid>/stat`: the first and the 20th field after the name in brackets, which may hold
 * brackets itself. Null where the system does not tell.
 */
async function statOf(pid: number): Promise<{ state: string; started: string | null } | null> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => null);
  if (text === null) return null;
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return { state: fields[0] ?? '', started: fields[19] ?? null };
}
