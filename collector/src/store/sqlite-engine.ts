/**
 * The store on SQLite, what writes it: synchronous, runs in the worker thread. WAL with full synchronisation, so that a
 * commit that has returned survives kill -9 and power loss. A batch that was received before is not written again.
 */
import type { Alert, Training } from '@lineheron/models';
import type { Database, Statement } from 'better-sqlite3';
import type { BootKey, ReceivedRange } from '../spans.js';
import type { CommitRows } from './commit-rows.js';
import { explain, faultOf } from './faults.js';
import { identityOf, sizeOf } from './files.js';
import { type BatchKey, ReceivedTable } from './received.js';
import { SliceKeeper, type StoreUsage } from './slice-keeper.js';
import { SliceWriter } from './slice-writer.js';
import { type Settings, StoreError, type StoreLimits } from './store.js';

const KEPT_TRAININGS = 50;
/** Bytes of the log: written back at this share of what the store may hold, but not more often or seldom than this. */
const LOG_SHARE = 256;
const MIN_LOG = 1024 * 1024;
const MAX_LOG = 16 * 1024 * 1024;
/** A log that is so many times as long is waited for, and at this share of the store no commit is taken any more. */
const LONG_LOG = 4;
const MAX_LOG_SHARE = 8;
const LOG_WAIT_MS = 500;
const LOG_RETRY_MS = 5000;
/** So far over its bytes the store takes no commit while old windows cannot be removed. */
const OVERFULL = 1.1;
const BUSY_MS = 2000;

export interface EngineUsage extends StoreUsage {
  /** Why the last upkeep failed, for people. */
  upkeepFault: string | null;
}

export class SqliteEngine {
  private readonly statements = new Map<string, Statement>();
  private readonly received: ReceivedTable;
  private readonly keeper: SliceKeeper;
  private readonly writer: SliceWriter;
  private readonly identity: string | null;
  private readonly logBytes: number;
  private upkeepFault: string | null = null;
  private logTriedMs = Number.NEGATIVE_INFINITY;

  /** Of a database that is open, checked and of our newest version. */
  constructor(
    private readonly database: Database,
    private readonly path: string,
    private readonly limits: StoreLimits,
  ) {
    this.identity = identityOf(path);
    this.logBytes = Math.min(MAX_LOG, Math.max(MIN_LOG, limits.maxBytes / LOG_SHARE));
    database.pragma(`busy_timeout = ${BUSY_MS}`);
    database.pragma(`wal_autocheckpoint = ${Math.round(this.logBytes / 4096)}`);
    database.pragma(`journal_size_limit = ${Math.round(this.logBytes)}`);
    this.keeper = new SliceKeeper(database, path, limits, (newest) => {
      this.statements.clear();
      if (newest !== this.writer.slice) this.writer.moveTo(newest);
    });
    this.received = new ReceivedTable(database, () => this.keeper.numbers);
    this.writer = new SliceWriter(database, this.keeper.newest.n);
  }

  close(): void {
    this.database.close();
  }

  /** Returns what the store holds now. */
  commit(commit: CommitRows): EngineUsage {
    this.checkFiles();
    const { receivedMs } = commit;
    this.keeper.beginIfOld(receivedMs);
    const before = this.keeper.liveBytes();
    let grown = 0;
    this.write(() => {
      const plan = this.writer.plan(commit, (batch) => this.received.isStored(batch));
      this.received.add(commit.ranges);
      this.writer.write(commit, plan);
      for (const alert of commit.alerts) this.putAlert(alert);
      const add = this.sql(
        'INSERT INTO totals VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = value + excluded.value',
      );
      for (const [name, value] of Object.entries(commit.totals)) if (value !== 0) add.run(name, value);
      if (commit.windows.length + commit.records.length > 0) {
        grown = Math.max(1, this.keeper.liveBytes() - before);
        this.keeper.grown(grown, receivedMs);
      }
    });
    this.maintain(() => this.keeper.maintain(grown, receivedMs));
    return this.usage(receivedMs);
  }

  receivedRanges(boots?: readonly BootKey[]): ReceivedRange[] {
    return this.received.ranges(boots);
  }

  hasBatches(batches: readonly BatchKey[]): boolean[] {
    return this.received.hasBatches(batches);
  }

  totals(): Record<string, number> {
    const rows = this.sql('SELECT name, value FROM totals').all() as Array<{ name: string; value: number }>;
    return Object.fromEntries(rows.map(({ name, value }) => [name, value]));
  }

  settings(): Partial<Settings> {
    const rows = this.sql('SELECT key, value FROM settings').all() as Array<{ key: string; value: string }>;
    return Object.fromEntries(rows.map(({ key, value }) => [key, JSON.parse(value)])) as Partial<Settings>;
  }

  saveSettings(settings: Partial<Settings>): void {
    this.checkFiles();
    const put = this.sql('INSERT OR REPLACE INTO settings VALUES (?, ?)');
    this.write(() => {
      for (const [key, value] of Object.entries(settings)) put.run(key, JSON.stringify(value));
    });
  }

  saveTraining(training: Training): void {
    this.checkFiles();
    this.write(() => {
      this.sql('INSERT OR REPLACE INTO trainings VALUES (?, ?, ?)').run(
        training.id,
        Date.parse(training.requested_at),
        JSON.stringify(training),
      );
      this.sql(
        `DELETE FROM trainings WHERE id NOT IN
         (SELECT id FROM trainings ORDER BY requested_ms DESC, id LIMIT ${KEPT_TRAININGS})`,
      ).run();
    });
  }

  prune(nowMs: number): { more: boolean; usage: EngineUsage } {
    this.checkFiles();
    let more = false;
    this.maintain(() => {
      const shrunk = this.received.shrink() > 0;
      more = this.keeper.prune(nowMs) || shrunk;
    });
    return { more, usage: this.usage(nowMs) };
  }

  probe(): void {
    this.checkFiles();
    this.sql('INSERT OR REPLACE INTO probe VALUES (1, ?)').run(Date.now());
  }

  usage(nowMs: number): EngineUsage {
    return { ...this.keeper.usage(nowMs), upkeepFault: this.upkeepFault };
  }

  /** What is committed stays committed: a fault here is told beside it. */
  private maintain(work: () => void): void {
    try {
      work();
      this.shortenLog();
      this.upkeepFault = null;
    } catch (error) {
      this.upkeepFault = `old windows cannot be removed: ${explain(this.path, faultOf(error))}`;
      this.keeper.reload();
      this.writer.moveTo(this.keeper.newest.n);
    }
  }

  private write(work: () => void): void {
    try {
      this.database.transaction(work)();
    } catch (error) {
      this.writer.reload();
      this.received.reload();
      throw error;
    }
  }

  /** A file that was removed or replaced still takes commits, and nobody would ever see them again. */
  private checkFiles(): void {
    if (identityOf(this.path) !== this.identity) {
      throw new StoreError(
        `the store ${this.path} is not the file any more that was opened: it was moved, removed or replaced. Put it back, or restart the collector`,
      );
    }
    if (this.upkeepFault !== null && this.keeper.liveBytes() > OVERFULL * this.limits.maxBytes) {
      throw new StoreError(this.upkeepFault);
    }
    const log = `${this.path}-wal`;
    const most = Math.max(LONG_LOG * LONG_LOG * this.logBytes, this.limits.maxBytes / MAX_LOG_SHARE);
    if (sizeOf(log) <= most) return;
    this.truncateLog();
    if (sizeOf(log) <= most) return;
    throw new StoreError(
      `the log ${log} has grown to ${Math.round(sizeOf(log) / 1e6)} MB, because another program has been reading the store ${this.path} all the while: end that program. The agents keep what is not stored`,
    );
  }

  /** The log is written back as commits go; only where readers are always in it, it must wait for them. */
  private shortenLog(): void {
    const isLong = sizeOf(`${this.path}-wal`) > LONG_LOG * this.logBytes;
    if (isLong && performance.now() - this.logTriedMs > LOG_RETRY_MS) this.truncateLog();
  }

  private truncateLog(): void {
    this.logTriedMs = performance.now();
    this.database.pragma(`busy_timeout = ${LOG_WAIT_MS}`);
    this.database.pragma('wal_checkpoint(TRUNCATE)');
    this.database.pragma(`busy_timeout = ${BUSY_MS}`);
  }

  /** An alert that changes keeps its place in the indexes, as long as it is open. */
  private putAlert(alert: Alert): void {
    this.sql(
      `INSERT INTO alerts VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET
       agent = excluded.agent, device = excluded.device, status = excluded.status,
       opened_ms = excluded.opened_ms, body = excluded.body`,
    ).run(
      alert.id,
      alert.agent,
      alert.device,
      alert.status,
      Date.parse(alert.opened_at),
      JSON.stringify(alert),
    );
  }

  /** Prepared once a text; the texts are few. */
  private sql(text: string): Statement {
    const prepared = this.statements.get(text) ?? this.database.prepare(text);
    this.statements.set(text, prepared);
    return prepared;
  }
}
