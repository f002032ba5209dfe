/**
 * Process entry: checks tables one after the other, resting between them, and ends. A process of its own, because the
 * check of a table cannot be interrupted, and a process can.
 */
import { setPriority } from 'node:os';
import { setTimeout } from 'node:timers/promises';
import Sqlite from 'better-sqlite3';
import { toThreadError } from './answer-calls.js';
import { checkTable, tablesByNeed } from './store-check.js';

/** A fifth of a core at most. */
const REST = 4;
const LOWEST_PRIORITY = 19;

const [path, ...tables] = process.argv.slice(2) as [string, ...string[]];

setPriority(LOWEST_PRIORITY);
process.on('disconnect', () => process.exit());
const database = new Sqlite(path, { readonly: true });
try {
  for (const table of tables.length > 0 ? tables : tablesByNeed(database)) {
    const began = performance.now();
    checkTable(database, table);
    await setTimeout(REST * (performance.now() - began));
  }
} catch (error) {
  const told = toThreadError(path, error);
  if (told.damage) process.send?.(told.message);
} finally {
  database.close();
  process.disconnect();
}
