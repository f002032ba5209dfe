/**
 * The store on SQLite, synchronous: runs in the worker thread. WAL with full synchronisation, so that a commit that
 * has returned survives kill -9 and power loss. Keys make every write idempotent.
 */
import { statSync } from 'node:fs';
import type { Alert, RecordView, Training, WindowView } from '@lineheron/models';
import { parseWindowId } from '@lineheron/models';
import Sqlite, { type Database, type Statement } from 'better-sqlite3';
import type { BootKey, ReceivedRange } from '../spans.js';
import { readHistory } from './history.js';
import { ReceivedTable } from './received.js';
import { toRow, toView, WINDOW_COLUMNS, type WindowRow } from './rows.js';
import { migrate } from './schema.js';
import type {
  AlertFilter,
  Commit,
  HistoryQuery,
  HistoryRows,
  Retention,
  Settings,
  WindowFilter,
} from './store.js';

const MAX_CHECKED_BYTES = 64 * 1024 * 1024;
const KEPT_TRAININGS = 50;
/** A row that is there already stays; any other fault still fails the commit, as `OR IGNORE` would not. */
const UNLESS_KNOWN = 'ON CONFLICT (agent, boot, sequence, idx) DO NOTHING';
const NAMED_COLUMNS = WINDOW_COLUMNS.map((name) => `@${name}`).join(', ');

export class SqliteEngine {
  private readonly database: Database;
  private readonly statements = new Map<string, Statement>();
  private readonly received: ReceivedTable;

  constructor(path: string) {
    this.database = new Sqlite(path);
    this.database.pragma('journal_mode = WAL');
    this.database.pragma('synchronous = FULL');
    this.database.pragma('cache_size = -16000');
    this.check(path);
    migrate(this.database);
    this.received = new ReceivedTable(this.database);
  }

  close(): void {
    this.database.close();
  }

  /** Reads a small database whole; a large one shows its damage on use, since a start must not take minutes. */
  private check(path: string): void {
    if (statSync(path).size > MAX_CHECKED_BYTES) return;
    const [answer] = this.database.pragma('quick_check(1)') as Array<{ quick_check: string }>;
    if (answer?.quick_check !== 'ok') throw new Error(answer?.quick_check ?? 'the check gave no answer');
  }

  commit(commit: Commit): void {
    this.database.transaction(() => {
      this.received.add(commit.ranges);
      this.insertWindows(commit);
      this.insertRecords(commit);
      for (const alert of commit.alerts) this.putAlert(alert);
      const add = this.sql(
        'INSERT INTO totals VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = value + excluded.value',
      );
      for (const [name, value] of Object.entries(commit.totals)) if (value !== 0) add.run(name, value);
    })();
  }

  receivedRanges(boots?: readonly BootKey[]): ReceivedRange[] {
    return this.received.ranges(boots);
  }

  hasBatches(batches: readonly (BootKey & { sequence: number })[]): boolean[] {
    return this.received.hasBatches(batches);
  }

  totals(): Record<string, number> {
    const rows = this.sql('SELECT name, value FROM totals').all() as Array<{ name: string; value: number }>;
    return Object.fromEntries(rows.map(({ name, value }) => [name, value]));
  }

  recentWindows(filter: WindowFilter): WindowView[] {
    const { limit, anomalous, sinceMs, ...exact } = filter;
    const { text, values } = where(exact, [
      [anomalous === undefined ? null : `anomalous = ${anomalous ? 1 : 0}`],
    ]);
    // Row ids follow arrival. The limit comes first, so that no more than that many rows are ever looked at.
    const newest = `SELECT * FROM windows ${text} ORDER BY id DESC LIMIT ?`;
    const rows = this.sql(`SELECT * FROM (${newest}) WHERE received_ms >= ? ORDER BY id DESC`).all(
      ...values,
      limit,
      sinceMs ?? 0,
    );
    return (rows as WindowRow[]).map(toView);
  }

  windowPage(query: { limit: number; agent?: string | undefined; after?: string | undefined }): WindowView[] {
    const after = query.after === undefined ? null : parseWindowId(query.after);
    const { text, values } = where({ agent: query.agent }, [
      [
        after && '(agent, boot, sequence, idx) > (?, ?, ?, ?)',
        ...(after ? [after.agent, after.boot, after.sequence, after.index] : []),
      ],
    ]);
    const order = 'ORDER BY agent, boot, sequence, idx LIMIT ?';
    return (
      this.sql(`SELECT * FROM windows ${text} ${order}`).all(...values, query.limit) as WindowRow[]
    ).map(toView);
  }

  recentRecords(limit: number): RecordView[] {
    return bodies<RecordView>(this.sql('SELECT body FROM records ORDER BY id DESC LIMIT ?').all(limit));
  }

  alerts(filter: AlertFilter): Alert[] {
    const { limit, ...exact } = filter;
    if (exact.status === undefined) {
      const open = this.alerts({ ...filter, status: 'open' });
      const left = limit - open.length;
      return left > 0 ? open.concat(this.alerts({ ...filter, limit: left, status: 'closed' })) : open;
    }
    const { text, values } = where(exact, []);
    const order = 'ORDER BY opened_ms DESC LIMIT ?';
    return bodies<Alert>(this.sql(`SELECT body FROM alerts ${text} ${order}`).all(...values, limit));
  }

  alert(id: string): Alert | null {
    return bodies<Alert>(this.sql('SELECT body FROM alerts WHERE id = ?').all(id))[0] ?? null;
  }

  history(query: HistoryQuery): HistoryRows {
    return readHistory(this.database, query);
  }

  saveTraining(training: Training): void {
    this.database.transaction(() => {
      this.sql('INSERT OR REPLACE INTO trainings VALUES (?, ?, ?)').run(
        training.id,
        Date.parse(training.requested_at),
        JSON.stringify(training),
      );
      this.sql(
        `DELETE FROM trainings WHERE id NOT IN
         (SELECT id FROM trainings ORDER BY requested_ms DESC, id LIMIT ${KEPT_TRAININGS})`,
      ).run();
    })();
  }

  trainings(limit: number): Training[] {
    return bodies(this.sql('SELECT body FROM trainings ORDER BY requested_ms DESC, id LIMIT ?').all(limit));
  }

  training(id: string): Training | null {
    return bodies<Training>(this.sql('SELECT body FROM trainings WHERE id = ?').all(id))[0] ?? null;
  }

  settings(): Partial<Settings> {
    const rows = this.sql('SELECT key, value FROM settings').all() as Array<{ key: string; value: string }>;
    return Object.fromEntries(rows.map(({ key, value }) => [key, JSON.parse(value)])) as Partial<Settings>;
  }

  saveSettings(settings: Partial<Settings>): void {
    const put = this.sql('INSERT OR REPLACE INTO settings VALUES (?, ?)');
    this.database.transaction(() => {
      for (const [key, value] of Object.entries(settings)) put.run(key, JSON.stringify(value));
    })();
  }

  prune(retention: Retention): number {
    const { windowsBeforeMs, maxWindows, recordsBeforeMs, maxRecords, maxAlerts, step } = retention;
    return (
      this.pruneTable('windows', windowsBeforeMs, maxWindows, step) +
      this.pruneTable('records', recordsBeforeMs, maxRecords, step) +
      this.received.shrink() +
      this.sql(
        `DELETE FROM alerts WHERE id IN (SELECT id FROM alerts WHERE status = 'closed'
         ORDER BY opened_ms DESC LIMIT ? OFFSET ?)`,
      ).run(step, maxAlerts).changes
    );
  }

  /** Row ids follow arrival, so the oldest rows are the lowest ids and counting is a subtraction. */
  private pruneTable(table: 'windows' | 'records', beforeMs: number, max: number, step: number): number {
    return this.sql(
      `DELETE FROM ${table} WHERE id IN (
         SELECT id FROM (SELECT id, received_ms FROM ${table} ORDER BY id LIMIT ?)
         WHERE received_ms < ? OR id <= (SELECT coalesce(max(id), 0) FROM ${table}) - ?)`,
    ).run(step, beforeMs, max).changes;
  }

  private insertWindows({ windows }: Commit): void {
    const insert = this.sql(
      `INSERT INTO windows (${WINDOW_COLUMNS.join(', ')}) VALUES (${NAMED_COLUMNS}) ${UNLESS_KNOWN}`,
    );
    for (const window of windows) insert.run(toRow(window));
  }

  private insertRecords({ records, windows }: Commit): void {
    const insert = this.sql(
      `INSERT INTO records (agent, boot, sequence, idx, received_ms, body) VALUES (?, ?, ?, ?, ?, ?) ${UNLESS_KNOWN}`,
    );
    const received = windows[0] ? Date.parse(windows[0].view.received_at) : Date.now();
    for (const { view, boot, sequence, index } of records) {
      insert.run(view.agent, boot, sequence, index, received, JSON.stringify(view));
    }
  }

  private putAlert(alert: Alert): void {
    this.sql('INSERT OR REPLACE INTO alerts VALUES (?, ?, ?, ?, ?, ?)').run(
      alert.id,
      alert.agent,
      alert.device,
      alert.status,
      Date.parse(alert.opened_at),
      JSON.stringify(alert),
    );
  }

  /** Prepared once a text. The texts are few: they vary only with the filters in use. */
  private sql(text: string): Statement {
    const prepared = this.statements.get(text) ?? this.database.prepare(text);
    this.statements.set(text, prepared);
    return prepared;
  }
}

type Condition = [text: string | null, ...values: unknown[]];

/** A WHERE clause from columns that must equal a value and from further conditions; absent ones are left out. */
function where(exact: Record<string, unknown>, more: Condition[]): { text: string; values: unknown[] } {
  const conditions = Object.entries(exact)
    .filter(([, value]) => value !== undefined)
    .map(([column, value]): Condition => [`${column} = ?`, value])
    .concat(more.filter(([text]) => text !== null));
  if (conditions.length === 0) return { text: '', values: [] };
  return {
    text: `WHERE ${conditions.map(([text]) => text).join(' AND ')}`,
    values: conditions.flatMap(([, ...values]) => values),
  };
}

function bodies<T>(rows: unknown[]): T[] {
  return (rows as Array<{ body: string }>).map(({ body }) => JSON.parse(body) as T);
}
