/**
 * Looks for damage: pages that are no part of what they should be. At the start a small store is checked whole, a large
 * one for some seconds, what is most needed first; the rest is left to the background. A value that was changed in place
 * is not found: SQLite keeps no checksums.
 */
import type { Database } from 'better-sqlite3';
import { sizeOfAll } from './files.js';

const AT_START = { wholeBytes: 64 * 1024 * 1024, startMs: 3000 };

export class DamageError extends Error {
  override name = 'DamageError';
  readonly code = 'SQLITE_CORRUPT';
}

/** Throws DamageError. Returns the tables for which there was no time. */
export function checkAtStart(database: Database, path: string, { wholeBytes, startMs } = AT_START): string[] {
  if (sizeOfAll(path) <= wholeBytes) {
    report(database.pragma('quick_check(1)'));
    return [];
  }
  const end = performance.now() + startMs;
  const tables = tablesByNeed(database);
  while (tables.length > 0 && performance.now() < end) checkTable(database, tables.shift()!);
  return tables;
}

/** Throws DamageError. A table that is not there any more has no damage. */
export function checkTable(database: Database, table: string): void {
  const found = database.prepare("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?").get(table);
  if (found) report(database.pragma(`quick_check('${table}')`), table);
}

/** First what a start reads, then the slices, newest first. */
export function tablesByNeed(database: Database): string[] {
  const rows = database
    .prepare("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'")
    .all() as Array<{ name: string }>;
  const sliceOf = (name: string) => Number(/_(\d+)$/.exec(name)?.[1] ?? Number.POSITIVE_INFINITY);
  return rows
    .map(({ name }) => name)
    .sort((a, b) => (sliceOf(a) === sliceOf(b) ? 0 : sliceOf(b) > sliceOf(a) ? 1 : -1));
}

function report(answer: unknown, table?: string): void {
  const [first] = answer as Array<{ quick_check: string }>;
  if (first?.quick_check === 'ok') return;
  const found = first?.quick_check.split('\n')[0] ?? 'the check gave no answer';
  throw new DamageError(table === undefined ? found : `${found} (table ${table})`);
}
