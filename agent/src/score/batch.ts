/**
 * Builds score batches. A window's id holds its batch's sequence and its index in it, so room is reserved for all that a
 * line gave before the first of its windows is named. A record and the windows it ended stay in one batch. Batches are
 * cut by count, and by size before they exceed it: the most that a window can be is known before it is serialised.
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

/** Names windows in their order and collects what is to be published. */
export interface BatchSink {
  /** Bytes that wait to be taken. */
  readonly pendingBytes: number;
  /**
   * Starts what one line gave: its record, and so many windows, no larger than `mostWindowBytes` all together as JSON in
   * UTF-8. Returns the record's index in its batch.
   */
  reserve(record: LineRecord | null, windows: number, mostWindowBytes: number): number | undefined;
  /** Id of the window that is appended next. */
  nextId(): string;
  append(window: { readonly wire: ScoredWindow }): void;
  /** All batches so far, whole. */
  take(): BuiltBatch[];
}

export class BatchBuilder implements BatchSink {
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

  get pendingBytes(): number {
    return this.doneBytes + this.bytes;
  }

  reserve(record: LineRecord | null, windows: number, mostWindowBytes: number): number | undefined {
    const full =
      this.windows.length + windows > MAX_BATCH_WINDOWS || this.records.length >= MAX_BATCH_WINDOWS;
    const text = record && JSON.stringify(record);
    const most = (text === null ? 0 : Buffer.byteLength(text) + 1) + mostWindowBytes;
    if (full || FRAME_BYTES + this.bytes + most > this.maxBytes()) this.cut();
    if (text === null) return undefined;
    this.push(this.records, text);
    return this.records.length - 1;
  }

  nextId(): string {
    return windowId(this.origin.agent, this.origin.boot, this.sequence, this.windows.length);
  }

  append({ wire }: { readonly wire: ScoredWindow }): void {
    if (wire.suspect || wire.episode !== null) this.mark(wire);
    this.push(this.windows, JSON.stringify(wire));
  }

  /** The builder goes on empty. */
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
