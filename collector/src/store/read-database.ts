/** A connection that cannot write, with a time limit: what takes longer ends between two rows. */
import Sqlite, { type Database, type Statement } from 'better-sqlite3';
import { readSlices, type Slice } from './slices.js';
import { StoreTimeoutError } from './store.js';

/** Statements name slices, and slices come and go. */
const MAX_STATEMENTS = 2000;
/** The clock is looked at once in so many rows. */
const ROWS_A_LOOK = 16;

export class ReadDatabase {
  private readonly database: Database;
  private readonly statements = new Map<string, Statement>();
  private endMs = Number.POSITIVE_INFINITY;

  /** `onStatement` is told of every new one. */
  constructor(
    path: string,
    private readonly onStatement: (text: string) => void = () => {},
  ) {
    this.database = new Sqlite(path, { readonly: true, fileMustExist: true });
    this.database.pragma('query_only = ON');
    this.database.pragma('cache_size = -8000');
  }

  close(): void {
    this.database.close();
  }

  /** One view of the store from first row to last, for so many milliseconds at most. */
  within<T>(limitMs: number, work: () => T): T {
    this.endMs = performance.now() + limitMs;
    return this.database.transaction(work)();
  }

  /** Oldest first. */
  slices(): Slice[] {
    return readSlices(this.database);
  }

  all<T>(text: string, ...values: unknown[]): T[] {
    this.checkTime();
    return this.sql(text).all(...values) as T[];
  }

  /** A statement of its own for each walk, since several of one text may be under way. */
  *rows<T>(text: string, ...values: unknown[]): Generator<T> {
    this.onStatement(text);
    let count = 0;
    for (const row of this.database.prepare(text).iterate(...values)) {
      if (count++ % ROWS_A_LOOK === 0) this.checkTime();
      yield row as T;
    }
  }

  private checkTime(): void {
    if (performance.now() > this.endMs) throw new StoreTimeoutError('the question took too long');
  }

  private sql(text: string): Statement {
    const known = this.statements.get(text);
    if (known) return known;
    this.onStatement(text);
    if (this.statements.size >= MAX_STATEMENTS) this.statements.clear();
    const prepared = this.database.prepare(text);
    this.statements.set(text, prepared);
    return prepared;
  }
}
