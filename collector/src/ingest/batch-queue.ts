/**
 * Gathers what arrives for a moment and hands it on as one group, one group at a time, so that scoring and commits
 * are paid once for many batches. Bounded: what does not fit is dropped unacknowledged, and its agent sends it again.
 */
import type { Incoming } from './decode.js';

export type ScoreMessage = Extract<Incoming, { kind: 'score' }>;

const MAX_GROUP_WINDOWS = 50_000;

export interface BatchQueueOptions {
  gatherMs: number;
  /** Most batches of a group. */
  maxGroup: number;
  /** Most windows of a group; a batch that holds more makes a group of its own. */
  maxGroupWindows?: number;
  maxBatches: number;
  maxBytes: number;
  /** Resolves when the group is dealt with; must not reject. */
  handle: (group: ScoreMessage[]) => Promise<void>;
}

export class BatchQueue {
  /** Batches dropped because the queue was full. */
  dropped = 0;
  private waiting: ScoreMessage[] = [];
  private bytes = 0;
  private timer: NodeJS.Timeout | null = null;
  private running: Promise<void> | null = null;
  private closed = false;

  constructor(private readonly options: BatchQueueOptions) {}

  push(message: ScoreMessage): void {
    const { maxBatches, maxBytes, maxGroup, gatherMs } = this.options;
    if (this.closed || this.waiting.length >= maxBatches || this.bytes + message.bytes > maxBytes) {
      this.dropped++;
      return;
    }
    this.waiting.push(message);
    this.bytes += message.bytes;
    if (this.waiting.length >= maxGroup) this.run();
    else this.timer ??= setTimeout(() => this.run(), gatherMs);
  }

  /** Takes nothing more and deals with what is waiting. */
  async close(): Promise<void> {
    this.closed = true;
    this.run();
    await this.running;
  }

  private run(): void {
    if (this.timer) clearTimeout(this.timer);
    this.timer = null;
    this.running ??= this.drain().finally(() => {
      this.running = null;
    });
  }

  private async drain(): Promise<void> {
    while (this.waiting.length > 0) {
      const group = this.waiting.splice(0, this.groupSize());
      for (const message of group) this.bytes -= message.bytes;
      await this.options.handle(group);
    }
  }

  /** How many of the waiting batches are dealt with next. */
  private groupSize(): number {
    const { maxGroup, maxGroupWindows = MAX_GROUP_WINDOWS } = this.options;
    let [size, windows] = [0, 0];
    for (const { batch } of this.waiting) {
      windows += batch.windows.length;
      if (size === maxGroup || (size > 0 && windows > maxGroupWindows)) break;
      size++;
    }
    return size;
  }
}
