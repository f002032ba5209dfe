/**
 * For tests: the spool's files of a process that dies at its n-th change of them. Reads are not counted. Nothing is
 * really flushed, so that a thousand deaths take seconds; what a power loss would take is known and taken away.
 */
import { truncateSync } from 'node:fs';
import { nodeFiles, type SpoolFile, type SpoolFiles } from './files.js';

/**
 * `clean`: dies before the change. `torn`: in its midst, half of a write is there; anything else is done.
 * `power`: before it, and nothing that was not flushed is there any more.
 */
export type Death = 'clean' | 'torn' | 'power';

export class Died extends Error {}

export class DyingFiles implements SpoolFiles {
  /** Changes so far. */
  changes = 0;
  dead = false;
  private readonly handles = new Set<SpoolFile>();
  /** Flushed length of every file that was written to, by path. */
  private readonly flushed = new Map<string, number>();

  constructor(
    private readonly death: Death,
    private readonly diesAt: number,
  ) {}

  makeFolder = (path: string) => this.change(() => nodeFiles.makeFolder(path));
  list = (folder: string) => this.read(() => nodeFiles.list(folder));
  readAll = (path: string) => this.read(() => nodeFiles.readAll(path));
  truncate = (path: string, length: number) => this.change(() => nodeFiles.truncate(path, length));
  copy = (from: string, to: string) => this.change(() => nodeFiles.copy(from, to));
  syncFolder = () => this.change(async () => {});

  remove = (path: string) =>
    this.change(async () => {
      this.flushed.delete(path);
      await nodeFiles.remove(path);
    });

  rename = (from: string, to: string) =>
    this.change(async () => {
      await nodeFiles.rename(from, to);
      this.flushed.set(to, this.flushed.get(from) ?? 0);
      this.flushed.delete(from);
    });

  async open(path: string, create: boolean): Promise<SpoolFile> {
    const open = () => nodeFiles.open(path, create);
    // A death in its midst leaves the file there, and nobody who would close it.
    const half = async () => (await open()).close();
    const file = create ? await this.change(open, half) : await this.read(open);
    if (create) this.flushed.set(path, 0);
    this.handles.add(file);
    if (this.dead) {
      await this.bury();
      throw new Died();
    }
    return this.wrapped(path, file);
  }

  /** Closes what the dead process held open. */
  async bury(): Promise<void> {
    for (const file of this.handles) await file.close();
    this.handles.clear();
  }

  private wrapped(path: string, file: SpoolFile): SpoolFile {
    let length = this.flushed.get(path) ?? 0;
    return {
      write: (bytes, from, at) =>
        this.change(
          async () => {
            const written = await file.write(bytes, from, at);
            length = at + written;
            return written;
          },
          () => file.write(bytes.subarray(0, from + ((bytes.length - from) >> 1)), from, at),
        ),
      read: (into, at) => this.read(() => file.read(into, at)),
      datasync: () => this.change(async () => void this.flushed.set(path, length)),
      truncate: (to) => this.change(() => file.truncate(to)),
      close: async () => {
        if (this.dead || !this.handles.delete(file)) return;
        await file.close();
      },
    };
  }

  private read<T>(work: () => Promise<T>): Promise<T> {
    return this.dead ? Promise.reject(new Died()) : work();
  }

  private async change<T>(work: () => Promise<T>, half: () => Promise<unknown> = work): Promise<T> {
    if (this.dead) throw new Died();
    this.changes += 1;
    if (this.changes !== this.diesAt) return work();
    this.dead = true;
    if (this.death === 'torn') await half();
    if (this.death === 'power') for (const [path, length] of this.flushed) truncateSync(path, length);
    throw new Died();
  }
}
