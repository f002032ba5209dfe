/** Calls to a worker thread: each is a message there and a message back. The thread's end fails every waiting call. */
import { Worker } from 'node:worker_threads';
import { workerUrl } from '../worker-url.js';
import { StoreBusyError, StoreError, StoreTimeoutError } from './store.js';

export interface ThreadCall {
  id: number;
  method: string;
  args: unknown[];
  /** Not worth beginning after this, in ms of `sharedNow`. */
  expiresMs?: number;
}

export interface ThreadReply {
  id: number;
  result?: unknown;
  error?: ThreadError;
}

export interface ThreadError {
  name: string;
  /** For people. */
  message: string;
  /** The store is damaged. */
  damage: boolean;
}

interface Waiting {
  resolve: (value: unknown) => void;
  reject: (error: Error) => void;
}

/** One clock for all threads, that no one sets. */
export const sharedNow = (): number => performance.timeOrigin + performance.now();

export class ThreadCalls {
  /** What the thread says when it is ready. */
  readonly ready: Promise<unknown>;
  private readonly worker: Worker;
  private readonly exit: Promise<void>;
  private readonly waiting = new Map<number, Waiting>();
  private lastId = 0;
  private closing = false;

  constructor(
    entry: string,
    workerData: unknown,
    private readonly on: { end: (error: Error) => void; damage: (message: string) => void },
  ) {
    this.ready = new Promise((resolve, reject) => this.waiting.set(0, { resolve, reject }));
    this.worker = new Worker(workerUrl(import.meta.url, entry), { workerData });
    this.worker.on('message', (reply: ThreadReply) => this.settle(reply));
    this.worker.on('error', (error: unknown) =>
      this.end(error instanceof Error ? error : new Error(String(error))),
    );
    this.worker.on('exit', (code) => this.end(new Error(`the store's thread ended with code ${code}`)));
    this.exit = new Promise((resolve) => this.worker.once('exit', () => resolve()));
  }

  call(method: string, args: unknown[], expiresMs?: number): Promise<unknown> {
    const id = ++this.lastId;
    return new Promise((resolve, reject) => {
      this.waiting.set(id, { resolve, reject });
      this.worker.postMessage({
        id,
        method,
        args,
        ...(expiresMs !== undefined && { expiresMs }),
      } satisfies ThreadCall);
    });
  }

  /** After the calls that wait already. */
  async close(): Promise<void> {
    this.closing = true;
    await this.call('close', []);
    await this.exit;
  }

  /**
   * Gives up on the thread, which ends when it comes back. It cannot be terminated: SQLite's binding ends the whole
   * process when its thread is taken away while it throws.
   */
  retire(): void {
    if (this.closing) return;
    this.closing = true;
    this.call('close', []).catch(() => {});
    this.worker.unref();
  }

  /** Resolves when the thread is gone. */
  get gone(): Promise<void> {
    return this.exit;
  }

  private settle({ id, result, error }: ThreadReply): void {
    const waiting = this.waiting.get(id);
    this.waiting.delete(id);
    if (error?.damage) this.on.damage(error.message);
    if (error) waiting?.reject(toError(error));
    else waiting?.resolve(result);
  }

  /** Its exit may be told in one turn with its last answer: what was to end is no death. */
  private end(error: Error): void {
    for (const { reject } of this.waiting.values()) reject(error);
    this.waiting.clear();
    if (!this.closing) this.on.end(error);
    this.closing = true;
  }
}

function toError({ name, message }: ThreadError): StoreError {
  if (name === 'StoreBusyError') return new StoreBusyError(message);
  return name === 'StoreTimeoutError' ? new StoreTimeoutError(message) : new StoreError(message);
}
