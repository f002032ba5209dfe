/** Names windows where nothing is published: `replay`, `evaluate` and other programs that only want to know. */
import { windowId } from '@lineheron/models';
import type { BatchSink, BuiltBatch } from './batch.js';

const WINDOWS_PER_SEQUENCE = 1_000_000;

export class Unpublished implements BatchSink {
  readonly pendingBytes = 0;
  private next = 0;

  constructor(private readonly origin: { agent: string; boot: string }) {}

  reserve(): undefined {
    return undefined;
  }

  nextId(): string {
    const index = this.next % WINDOWS_PER_SEQUENCE;
    return windowId(
      this.origin.agent,
      this.origin.boot,
      1 + (this.next - index) / WINDOWS_PER_SEQUENCE,
      index,
    );
  }

  append(): void {
    this.next += 1;
  }

  take(): BuiltBatch[] {
    return [];
  }
}
