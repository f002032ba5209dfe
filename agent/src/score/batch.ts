/**
 * Builds score batches. A window's id holds its batch's sequence and its index in it, so both are settled the moment
 * a window comes in. A record and the windows it ended stay in one batch. Batches are cut by size and by count.
 */
import {
  type LineRecord,
  MAX_BATCH_BYTES,
  MAX_BATCH_WINDOWS,
  type ScoredWindow,
  windowId,
} from '@lineheron/models';

export interface BuiltBatch {
  boot: string;
  sequence: number;
  windows: number;
  bytes: Buffer;
}

export interface BatchOrigin {
  agent: string;
  boot: string;
  fingerprint: string;
}

/** What one line gave: it goes into one batch. `windows` are made once their index is known. */
export interface LineResult {
  record: LineRecord | null;
  windows: ((id: string, record: number | undefined) => ScoredWindow)[];
}

export class BatchBuilder {
  private sequence = 1;
  private windows: string[] = [];
  private records: string[] = [];
  private bytes = 0;
  private done: BuiltBatch[] = [];
  private doneBytes = 0;

  constructor(
    private readonly origin: BatchOrigin,
    private readonly nowMs: () => number,
  ) {}

  /** Bytes that wait to be taken. */
  get pendingBytes(): number {
    return this.doneBytes + this.bytes;
  }

  add(line: LineResult): void {
    const full =
      this.windows.length + line.windows.length > MAX_BATCH_WINDOWS ||
      this.records.length >= MAX_BATCH_WINDOWS;
    // The size of a line's result is known only once it is made, and it is made with its id: so half the bound is
    // kept free, which no single line can fill.
    if (full || this.bytes > MAX_BATCH_BYTES / 2) this.cut();
    const record = line.record ? this.records.length : undefined;
    if (line.record) this.push(this.records, line.record);
    for (const make of line.windows) {
      const id = windowId(this.origin.agent, this.origin.boot, this.sequence, this.windows.length);
      this.push(this.windows, make(id, record));
    }
  }

  /** All batches so far, whole; the builder goes on empty. */
  take(): BuiltBatch[] {
    this.cut();
    const batches = this.done;
    this.done = [];
    this.doneBytes = 0;
    return batches;
  }

  private push(list: string[], value: unknown): void {
    const text = JSON.stringify(value);
    list.push(text);
    this.bytes += Buffer.byteLength(text) + 1;
  }

  private cut(): void {
    if (this.windows.length === 0 && this.records.length === 0) return;
    const { agent, boot, fingerprint } = this.origin;
    const created_at = new Date(this.nowMs()).toISOString();
    const head = JSON.stringify({ v: 1, agent, boot, sequence: this.sequence, created_at, fingerprint });
    const body = `"windows":[${this.windows.join(',')}],"records":[${this.records.join(',')}]`;
    const bytes = Buffer.from(`${head.slice(0, -1)},${body}}`);
    this.done.push({ boot, sequence: this.sequence, windows: this.windows.length, bytes });
    this.doneBytes += bytes.length;
    this.sequence += 1;
    this.windows = [];
    this.records = [];
    this.bytes = 0;
  }
}
