/**
 * A little disk space held back: on a full disk it lets the spool begin a new segment, so that it can remove an old
 * one. Without it a disk that the spool itself has filled would stay full for ever.
 */
import { join } from 'node:path';
import { replaceFile, type SpoolFiles } from './files.js';

const RESERVE_BYTES = 64 * 1024;

export class Reserve {
  private readonly path: string;

  constructor(
    private readonly files: SpoolFiles,
    folder: string,
  ) {
    this.path = join(folder, 'reserve');
  }

  /** Takes the space, if there is any: a disk that is full already simply has no reserve. */
  async take(): Promise<void> {
    await replaceFile(this.files, this.path, Buffer.alloc(RESERVE_BYTES, 0x5a)).catch(() => {});
  }

  async release(): Promise<void> {
    await this.files.remove(this.path);
  }
}
