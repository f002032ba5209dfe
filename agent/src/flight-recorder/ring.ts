/**
 * The last raw lines on disk, in a few files of which the oldest goes when a new one is begun: bounded in bytes,
 * written without flushing, because what the last seconds before a power loss said may be missing here.
 */
import { appendFile, mkdir, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type Block, scanBlocks } from './block.js';

const FILES = 8;
const NAME = /^(\d{12})\.ring$/;

interface RingFile {
  number: number;
  bytes: number;
  /** Of the newest block; unknown of an earlier run. */
  toMs: number;
}

export class Ring {
  /** Oldest first. */
  private readonly files: RingFile[] = [];
  private isNew = true;

  constructor(
    private readonly folder: string,
    private readonly maxBytes: number,
  ) {}

  /** Takes up what an earlier run left; its last file may be torn, so it is not written to any more. */
  async start(): Promise<void> {
    await mkdir(this.folder, { recursive: true, mode: 0o700 });
    const names = (await readdir(this.folder)).sort();
    for (const name of names) {
      const number = Number(NAME.exec(name)?.[1] ?? Number.NaN);
      if (Number.isNaN(number)) continue;
      const bytes = (await readFile(join(this.folder, name))).length;
      this.files.push({ number, bytes, toMs: Number.POSITIVE_INFINITY });
    }
    await this.trim();
  }

  async append(block: Block): Promise<void> {
    let last = this.files.at(-1);
    if (!last || this.isNew || last.bytes + block.bytes.length > this.maxBytes / FILES) {
      last = { number: (last?.number ?? 0) + 1, bytes: 0, toMs: block.toMs };
      this.files.push(last);
      this.isNew = false;
    }
    // Counted before it is tried: a disk that refuses may have taken a part.
    last.bytes += block.bytes.length;
    last.toMs = block.toMs;
    await this.trim();
    await appendFile(this.path(last), block.bytes, { mode: 0o600 });
  }

  /** Blocks with something of between these moments, oldest first. */
  async read(fromMs: number, toMs: number): Promise<Block[]> {
    const found: Block[] = [];
    for (const file of this.files.filter((each) => each.toMs >= fromMs)) {
      const bytes = await readFile(this.path(file)).catch(() => Buffer.alloc(0));
      found.push(...scanBlocks(bytes).filter((block) => block.toMs >= fromMs && block.fromMs <= toMs));
    }
    return found;
  }

  private async trim(): Promise<void> {
    const total = () => this.files.reduce((sum, { bytes }) => sum + bytes, 0);
    while (this.files.length > 1 && total() > this.maxBytes) {
      await rm(this.path(this.files.shift()!), { force: true });
    }
  }

  private path({ number }: RingFile): string {
    return join(this.folder, `${String(number).padStart(12, '0')}.ring`);
  }
}
