/**
 * Questions to the store, answered by a thread with a connection of its own. Bounded in number and in time: one that is
 * too many is refused at once, one that takes too long ends, and a thread that does not come back is replaced.
 */
import { StoreBusyError, StoreTimeoutError } from './store.js';
import { sharedNow, ThreadCalls } from './thread-calls.js';

export interface ReadLimits {
  /** From the call to the answer. */
  limitMs: number;
  maxWaiting: number;
}

/** The thread ends a question by itself between two rows; after this it is in one that never ends. */
const GRACE_MS = 2000;
/** Of threads that did not come back from one; as long as they do not, no other is sent after them. */
const MAX_LOST = 3;

export class Reads {
  private thread: ThreadCalls | null = null;
  private waiting = 0;
  /** Threads that have not come back yet. */
  private lost = 0;

  constructor(
    private readonly path: string,
    private readonly limits: ReadLimits,
    private readonly onDamage: (message: string) => void,
  ) {}

  async call(method: string, args: unknown[]): Promise<unknown> {
    const { limitMs, maxWaiting } = this.limits;
    if (this.lost >= MAX_LOST) throw new StoreBusyError('the disk gives no answer to earlier questions');
    if (this.waiting >= maxWaiting) throw new StoreBusyError(`${maxWaiting} questions are waiting already`);
    this.waiting++;
    const thread = this.open();
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        this.replace(thread);
        reject(new StoreTimeoutError(`there was no answer within ${(limitMs + GRACE_MS) / 1000} s`));
      }, limitMs + GRACE_MS);
    });
    try {
      // That the thread begins is no part of its time.
      const answer = thread.ready.then(() => thread.call(method, args, sharedNow() + limitMs));
      return await Promise.race([answer, late]);
    } finally {
      clearTimeout(timer);
      this.waiting--;
    }
  }

  async close(): Promise<void> {
    const { thread } = this;
    this.thread = null;
    await thread?.close().catch(() => {});
  }

  /** So that the first question finds it open. */
  start(): void {
    this.open();
  }

  private open(): ThreadCalls {
    if (this.thread) return this.thread;
    const { path, onDamage } = this;
    const thread = new ThreadCalls(
      'reader-worker',
      { path, limitMs: this.limits.limitMs },
      { end: () => this.replace(thread), damage: onDamage },
    );
    // A thread that cannot begin fails its calls.
    thread.ready.catch(() => this.replace(thread));
    this.thread = thread;
    return thread;
  }

  private replace(thread: ThreadCalls): void {
    if (this.thread !== thread) return;
    this.thread = null;
    this.lost++;
    void thread.gone.then(() => this.lost--);
    thread.retire();
  }
}
