/**
 * Builds score batches. A window's id holds its batch's sequence and its index in it, so both are settled the moment
 * a window comes in. A record and the windows it ended stay in one batch. Batches are cut by count, and by size before
 * they pass it: what a line gives is made with its id and so in its batch, but the most that it can be is known before.
 */
import {
  type LineRecord,
  MAX_BATCH_BYTES,
  MAX_BATCH_WINDOWS,
  type ScoredWindow,
  windowId,
} from '@lineheron/models';
import type { Mark } from '../spool/entry.js';

export interface BuiltBatch {
  boot: string;
  sequence: number;
  windows: number;
  bytes: Buffer;
  /** Epoch ms. */
  createdMs: number;
  /** Suspects and episodes in it, in event time. */
  marks: Mark[];
}

export interface BatchOrigin {
  agent: string;
  boot: string;
  fingerprint: string;
}

/** All of a batch but its windows and records, and what marks it as historical later. */
const FRAME_BYTES = 512;

/** What one line gave: it goes into one batch. `windows` are made once their index is known. */
export interface LineResult {
  record: LineRecord | null;
  /** The windows are no larger than this, all together, as JSON in UTF-8. */
  mostWindowBytes: number;
  windows: ((id: string, record: number | undefined) => ScoredWindow)[];
}

export class BatchBuilder {
  private sequence = 1;
  private windows: string[] = [];
  private records: string[] = [];
  private marks = new Map<string, Mark>();
  private bytes = 0;
  private done: BuiltBatch[] = [];
  private doneBytes = 0;

  /** `maxBytes` of a batch, as it is known now. */
  constructor(
    private readonly origin: BatchOrigin,
    private readonly nowMs: () => number,
    private readonly maxBytes: () => number = () => MAX_BATCH_BYTES,
  ) {}

  /** Bytes that wait to be taken. */
  get pendingBytes(): number {
    return this.doneBytes + this.bytes;
  }

  add(line: LineResult): void {
    const full =
      this.windows.length + line.windows.length > MAX_BATCH_WINDOWS ||
      this.records.length >= MAX_BATCH_WINDOWS;
    const text = line.record && JSON.stringify(line.record);
    const most = (text === null ? 0 : Buffer.byteLength(text) + 1) + line.mostWindowBytes;
    if (full || FRAME_BYTES + this.bytes + most > this.maxBytes()) this.cut();
    const record = text === null ? undefined : this.records.length;
    if (text !== null) this.push(this.records, text);
    for (const make of line.windows) {
      const id = windowId(this.origin.agent, this.origin.boot, this.sequence, this.windows.length);
      const window = make(id, record);
      if (window.suspect || window.episode !== null) this.mark(window);
      this.push(this.windows, JSON.stringify(window));
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

  private mark({ device, end }: ScoredWindow): void {
    const atMs = Date.parse(end);
    const known = this.marks.get(device);
    this.marks.set(device, [device, Math.min(known?.[1] ?? atMs, atMs), Math.max(known?.[2] ?? atMs, atMs)]);
  }

  private push(list: string[], text: string): void {
    list.push(text);
    this.bytes += Buffer.byteLength(text) + 1;
  }

  private cut(): void {
    if (this.windows.length === 0 && this.records.length === 0) return;
    const { agent, boot, fingerprint } = this.origin;
    const createdMs = this.nowMs();
    const created_at = new Date(createdMs).toISOString();
    const head = JSON.stringify({ v: 1, agent, boot, sequence: this.sequence, created_at, fingerprint });
    const body = `"windows":[${this.windows.join(',')}],"records":[${this.records.join(',')}]`;
    const bytes = Buffer.from(`${head.slice(0, -1)},${body}}`);
    const marks = [...this.marks.values()];
    this.done.push({ boot, sequence: this.sequence, windows: this.windows.length, bytes, createdMs, marks });
    this.doneBytes += bytes.length;
    this.sequence += 1;
    this.windows = [];
    this.records = [];
    this.marks = new Map();
    this.bytes = 0;
  }
}
