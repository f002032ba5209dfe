/**
 * Batches that the collector will never take, kept for people to look at: one JSON line each. Two files of half the
 * bound take turns, so the oldest go first.
 */
import { appendFile, mkdir, rename, stat } from 'node:fs/promises';
import { join } from 'node:path';

export class Quarantine {
  private readonly path: string;

  constructor(
    private readonly folder: string,
    private readonly maxBytes = 1024 * 1024,
  ) {
    this.path = join(folder, 'quarantine.jsonl');
  }

  /** `batch` are the bytes as they were sent; null when they could not be read. */
  async add(at: string, code: string, batch: Buffer | null): Promise<void> {
    await mkdir(this.folder, { recursive: true, mode: 0o700 });
    const line = `${JSON.stringify({ at, code, batch: batch?.toString('utf8') ?? null })}\n`;
    if (Buffer.byteLength(line) > this.maxBytes / 2) {
      return this.write(`${JSON.stringify({ at, code, batch: null, bytes: batch?.length ?? 0 })}\n`);
    }
    return this.write(line);
  }

  private async write(line: string): Promise<void> {
    const size = await stat(this.path).then(
      (stats) => stats.size,
      () => 0,
    );
    if (size + Buffer.byteLength(line) > this.maxBytes / 2) {
      await rename(this.path, `${this.path}.1`).catch(() => {});
    }
    await appendFile(this.path, line, { mode: 0o600 });
  }
}
