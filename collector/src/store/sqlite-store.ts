/**
 * The store on SQLite: one thread writes, one answers questions, one reads for trainings, so that a slow disk never holds
 * up the event loop and no question holds up a commit. The death of the thread that writes is told to the owner.
 */
import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Alert, RecordView, Training, WindowView } from '@lineheron/models';
import type { BootKey, ReceivedRange } from '../spans.js';
import { BackgroundCheck } from './background-check.js';
import { toCommitRows } from './commit-rows.js';
import { Reads } from './reads.js';
import type { BatchKey } from './received.js';
import type { EngineUsage, SqliteEngine } from './sqlite-engine.js';
import type { SqliteReader } from './sqlite-reader.js';
import {
  type AlertFilter,
  type Commit,
  type HistoryQuery,
  type HistoryRows,
  type Settings,
  type Store,
  StoreError,
  type StoreLimits,
  type StoreState,
  type WindowFilter,
  type WindowPageQuery,
} from './store.js';
import { StoreHealth } from './store-health.js';
import { ThreadCalls } from './thread-calls.js';

const QUESTIONS = { limitMs: 3000, maxWaiting: 32 };
const TRAININGS = { limitMs: 60_000, maxWaiting: 64 };

export interface SqliteStoreOptions {
  path: string;
  limits: StoreLimits;
  now?: () => number;
  /** The thread that writes has ended by itself. */
  onDeath?: (error: Error) => void;
  /** Something that an operator must know, once. */
  onProblem?: (message: string) => void;
}

interface Ready {
  unchecked: string[];
  setAside: string | null;
  usage: EngineUsage;
}

export class SqliteStore implements Store {
  private writer: ThreadCalls | null = null;
  private readonly questions: Reads;
  private readonly histories: Reads;
  private readonly check: BackgroundCheck;
  private readonly health: StoreHealth;

  constructor(private readonly options: SqliteStoreOptions) {
    const { path, limits, now = Date.now, onProblem = () => {} } = options;
    this.health = new StoreHealth(path, limits, now, onProblem);
    const onDamage = (message: string) => this.health.damaged(message);
    this.questions = new Reads(path, QUESTIONS, onDamage);
    this.histories = new Reads(path, TRAININGS, onDamage);
    this.check = new BackgroundCheck(path, onDamage);
  }

  get isOpen(): boolean {
    return this.writer !== null;
  }

  get state(): StoreState {
    return this.health.state;
  }

  async open(): Promise<void> {
    const { path, limits, onDeath = () => {} } = this.options;
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    const writer = new ThreadCalls(
      'sqlite-worker',
      { path, limits },
      {
        end: (error) => {
          // One that could not open the store has said so.
          if (this.writer === null) return;
          this.writer = null;
          onDeath(error);
        },
        damage: (message) => this.health.damaged(message),
      },
    );
    const { unchecked, setAside, usage } = (await writer.ready) as Ready;
    this.writer = writer;
    this.health.opened(setAside, usage);
    this.questions.start();
    this.check.start(unchecked);
  }

  /** Readers first: whoever closes last writes the log back. */
  async close(): Promise<void> {
    const { writer } = this;
    if (!writer) return;
    this.check.stop();
    await Promise.all([this.questions.close(), this.histories.close()]);
    this.writer = null;
    await writer.close();
  }

  commit = (commit: Commit) =>
    this.tried(
      async () => this.health.used(await this.write('commit', toCommitRows(commit))),
      commit.windows.length + commit.records.length > 0,
    );
  saveTraining = (training: Training) => this.tried(() => this.write('saveTraining', training));
  saveSettings = (settings: Partial<Settings>) => this.tried(() => this.write('saveSettings', settings));
  probe = () => this.tried(() => this.write('probe'));
  receivedRanges = (boots?: readonly BootKey[]): Promise<ReceivedRange[]> =>
    this.write('receivedRanges', boots);
  hasBatches = (batches: readonly BatchKey[]): Promise<boolean[]> => this.write('hasBatches', batches);
  totals = (): Promise<Record<string, number>> => this.write('totals');
  settings = (): Promise<Partial<Settings>> => this.write('settings');

  async prune(nowMs: number): Promise<boolean> {
    const { more, usage } = await this.write('prune', nowMs);
    this.health.used(usage);
    this.check.startDaily();
    return more;
  }

  recentWindows = (filter: WindowFilter): Promise<WindowView[]> => this.ask('recentWindows', filter);
  windowPage = (query: WindowPageQuery): Promise<WindowView[]> => this.ask('windowPage', query);
  recentRecords = (limit: number): Promise<RecordView[]> => this.ask('recentRecords', limit);
  alerts = (filter: AlertFilter): Promise<Alert[]> => this.ask('alerts', filter);
  alert = (id: string): Promise<Alert | null> => this.ask('alert', id);
  trainings = (limit: number): Promise<Training[]> => this.ask('trainings', limit);
  training = (id: string): Promise<Training | null> => this.ask('training', id);

  history(query: HistoryQuery): Promise<HistoryRows> {
    this.assertOpen();
    return this.histories.call('history', [query]) as Promise<HistoryRows>;
  }

  private async ask<M extends Exclude<keyof SqliteReader, 'close'>>(
    method: M,
    ...args: Parameters<SqliteReader[M]>
  ): Promise<ReturnType<SqliteReader[M]>> {
    this.assertOpen();
    return (await this.questions.call(method, args)) as ReturnType<SqliteReader[M]>;
  }

  private async write<M extends Exclude<keyof SqliteEngine, 'close'>>(
    method: M,
    ...args: Parameters<SqliteEngine[M]>
  ): Promise<ReturnType<SqliteEngine[M]>> {
    return (await this.assertOpen().call(method, args)) as ReturnType<SqliteEngine[M]>;
  }

  /** Whether writes succeed is what readiness goes by. */
  private async tried(work: () => Promise<void>, withWindows = false): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (this.isOpen) this.health.failed((error as Error).message);
      throw error;
    }
    this.health.succeeded(withWindows);
  }

  private assertOpen(): ThreadCalls {
    if (!this.writer) throw new StoreError('the store is not open');
    return this.writer;
  }
}
