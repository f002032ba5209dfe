/** One thing a user can ask for: whether it is under way and how the last attempt failed, as signals. */
import { type Signal, signal } from '@preact/signals-core';
import type { Failure } from './api.js';

export class Action {
  readonly pending: Signal<boolean> = signal(false);
  readonly failure: Signal<Failure | null> = signal(null);

  /** A second call while one is under way does nothing. */
  async run(call: () => Promise<Failure | null>): Promise<void> {
    if (this.pending.value) return;
    this.pending.value = true;
    this.failure.value = null;
    try {
      this.failure.value = await call();
    } finally {
      this.pending.value = false;
    }
  }
}
