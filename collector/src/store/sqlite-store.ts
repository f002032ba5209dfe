/**
 * The store in its worker thread: each call is a message there and a message back, so a slow disk never holds up the
 * event loop. The thread's death fails every waiting call and is told to the owner.
 */
import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { Training } from '@lineheron/models';
import type { BootKey } from '../spans.js';
import { workerUrl } from '../worker-url.js';
import type { SqliteEngine } from './sqlite-engine.js';
import {
  type AlertFilter,
  type Commit,
  type HistoryQuery,
  type Retention,
  type Settings,
  type Store,
  StoreError,
  type WindowFilter,
} from './store.js';

type Methods = SqliteEngine;
type Method = keyof Methods;

export interface EngineCall {
  id: number;
  method: Method;
  args: unknown[];
}

export interface EngineReply {
  id: number;
  result?: unknown;
  error?: string;
}

interface Waiting {
  resolve: (value: unknown) => void;
  reject: (error: Error) => void;
}

export class SqliteStore implements Store {
  private worker: Worker | null = null;
  private readonly waiting = new Map<number, Waiting>();
  private lastId = 0;
  /** From here on the thread's end is no death: its exit may be told in one turn with its last answer. */
  private closing = false;

  constructor(
    private readonly path: string,
    private readonly onDeath: (error: Error) => void = () => {},
  ) {}

  get isOpen(): boolean {
    return this.worker !== null;
  }

  async open(): Promise<void> {
    this.closing = false;
    await mkdir(dirname(this.path), { recursive: true, mode: 0o700 });
    const worker = new Worker(workerUrl(import.meta.url, 'sqlite-worker'), {
      workerData: { path: this.path },
    });
    this.worker = worker;
    const opened = new Promise((resolve, reject) => this.waiting.set(0, { resolve, reject }));
    worker.on('message', (reply: EngineReply) => this.settle(reply));
    worker.on('error', (error: unknown) =>
      this.fail(error instanceof Error ? error : new Error(String(error))),
    );
    worker.on('exit', (code) => this.fail(new Error(`the store's thread ended with code ${code}`)));
    try {
      await opened;
    } catch (error) {
      this.worker = null;
      await worker.terminate();
      throw new StoreError(openingFault(this.path, (error as Error).message));
    }
  }

  async close(): Promise<void> {
    const worker = this.worker;
    if (!worker) return;
    const ended = new Promise<void>((resolve) => worker.once('exit', () => resolve()));
    this.closing = true;
    await this.call('close');
    this.worker = null;
    await ended;
  }

  commit = (commit: Commit) => this.call('commit', commit);
  receivedRanges = (boots?: readonly BootKey[]) => this.call('receivedRanges', boots);
  hasBatches = (batches: readonly (BootKey & { sequence: number })[]) => this.call('hasBatches', batches);
  totals = () => this.call('totals');
  recentWindows = (filter: WindowFilter) => this.call('recentWindows', filter);
  windowPage = (query: { limit: number; agent?: string | undefined; after?: string | undefined }) =>
    this.call('windowPage', query);
  recentRecords = (limit: number) => this.call('recentRecords', limit);
  alerts = (filter: AlertFilter) => this.call('alerts', filter);
  alert = (id: string) => this.call('alert', id);
  history = (query: HistoryQuery) => this.call('history', query);
  saveTraining = (training: Training) => this.call('saveTraining', training);
  trainings = (limit: number) => this.call('trainings', limit);
  training = (id: string) => this.call('training', id);
  settings = () => this.call('settings');
  saveSettings = (settings: Partial<Settings>) => this.call('saveSettings', settings);
  prune = (retention: Retention) => this.call('prune', retention);

  private call<M extends Method>(
    method: M,
    ...args: Parameters<Methods[M]>
  ): Promise<ReturnType<Methods[M]>> {
    const worker = this.worker;
    if (!worker) return Promise.reject(new StoreError('the store is not open'));
    const id = ++this.lastId;
    return new Promise((resolve, reject) => {
      this.waiting.set(id, { resolve: resolve as (value: unknown) => void, reject });
      worker.postMessage({ id, method, args } satisfies EngineCall);
    });
  }

  private settle({ id, result, error }: EngineReply): void {
    const waiting = this.waiting.get(id);
    this.waiting.delete(id);
    if (error === undefined) waiting?.resolve(result);
    else waiting?.reject(new StoreError(error));
  }

  private fail(error: Error): void {
    for (const { reject } of this.waiting.values()) reject(error);
    this.waiting.clear();
    if (this.worker === null) return;
    this.worker = null;
    if (!this.closing) this.onDeath(error);
  }
}

/** What to do depends on whether the file or the installation is at fault. */
function openingFault(path: string, message: string): string {
  if (message.includes('bindings file')) {
    return 'better-sqlite3 is not built for this machine: run `npm rebuild better-sqlite3` and start again.';
  }
  return (
    `the store ${path} cannot be opened: ${message}. Restore it from a backup, or move it away together with its ` +
    '-wal and -shm files to begin with an empty one.'
  );
}
