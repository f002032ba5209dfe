/**
 * What a part has learnt, kept in a file so that a restart forgets nothing: read at the start, written at intervals and
 * at the end, whole or as it was before. What is damaged, or was learnt of another model, is told and begins anew.
 */
import { readFile, stat } from 'node:fs/promises';
import { writeFileAtomic } from './atomic-file.js';

/** Of how many what was known goes on, and of how many it begins anew because their model is another one. */
export interface Recalled {
  known: number;
  anew: number;
}

export interface KeptOptions {
  /** In the log: "the baselines". */
  what: string;
  path: string;
  everyMs: number;
  /** Null: there is nothing to keep. */
  save: () => Uint8Array | null;
  /** Throws when it cannot use them; then nothing has changed. */
  load: (bytes: Uint8Array) => Recalled;
  monotonicMs: () => number;
  log: Record<'info' | 'warn', (fields: object, message: string) => void>;
  onWriteError?: () => void;
}

/** Far more than anything here comes to. */
const MAX_BYTES = 128 * 1024 * 1024;

export class Kept {
  private keptAtMs = 0;
  private writing: Promise<void> | null = null;

  constructor(private readonly options: KeptOptions) {}

  /** Takes up what the last run kept. Never rejects. */
  async start(): Promise<void> {
    const { what, path, load, log, monotonicMs } = this.options;
    this.keptAtMs = monotonicMs();
    try {
      const { size } = await stat(path);
      if (size > MAX_BYTES) throw new Error(`it has ${size} bytes`);
      const { known, anew } = load(await readFile(path));
      if (known > 0) log.info({ known }, `${what} go on as before the restart`);
      if (anew > 0) log.warn({ anew }, `${what} begin anew: their model is another one`);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
      log.warn({ path, error: messageOf(error) }, `${what} begin anew`);
    }
  }

  /** Writes when it is time to. Cheap to call often; never rejects. */
  keepDue(): void {
    const { monotonicMs, everyMs } = this.options;
    if (this.writing || monotonicMs() - this.keptAtMs < everyMs) return;
    void this.keep();
  }

  /** Writes now, after what is being written. Never rejects. */
  async keep(): Promise<void> {
    // In a chain: of two that wait for the same write, one would else overtake the other.
    const own = (this.writing ?? Promise.resolve()).then(() => this.write());
    this.writing = own;
    await own;
    if (this.writing === own) this.writing = null;
  }

  private async write(): Promise<void> {
    const { what, path, save, log, monotonicMs, onWriteError } = this.options;
    this.keptAtMs = monotonicMs();
    try {
      const bytes = save();
      if (bytes) await writeFileAtomic(path, bytes);
    } catch (error) {
      onWriteError?.();
      log.warn({ path, error: messageOf(error) }, `cannot keep ${what}`);
    }
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
