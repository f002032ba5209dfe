/** Opens the store's database for writing: checked, brought up to date, and a new one where the old one is damaged. */
import { existsSync, renameSync, rmSync } from 'node:fs';
import Sqlite, { type Database } from 'better-sqlite3';
import { explainOpening, faultOf, isDamage } from './faults.js';
import { COMPANIONS, ensurePrivate, sizeOf } from './files.js';
import { checkVersion, migrate } from './schema.js';
import { markedDamage, salvage, setAside } from './set-aside.js';
import { StoreError } from './store.js';
import { checkAtStart } from './store-check.js';

export interface OpenedStore {
  database: Database;
  /** Tables that are still to be checked. */
  unchecked: string[];
  /** What was done about a damaged store, for people; null when there was none. */
  setAside: string | null;
}

/** Throws StoreError where a new store would be no remedy. */
export function openStore(path: string, nowMs: number): OpenedStore {
  takeNext(path);
  const marked = markedDamage(path);
  if (marked !== null) return beginAnew(path, marked, nowMs);
  try {
    return { ...openDatabase(path), setAside: null };
  } catch (error) {
    if (error instanceof StoreError) throw error;
    const fault = faultOf(error);
    if (isDamage(fault)) return beginAnew(path, fault.message, nowMs);
    throw new StoreError(explainOpening(path, fault));
  }
}

function openDatabase(path: string): { database: Database; unchecked: string[] } {
  ensurePrivate(path);
  const database = new Sqlite(path);
  try {
    checkVersion(database);
    // Only a new file takes it: pages that become free can then be given back to the disk.
    if (sizeOf(path) === 0) database.pragma('auto_vacuum = INCREMENTAL');
    database.pragma('journal_mode = WAL');
    database.pragma('synchronous = FULL');
    database.pragma('cache_size = -16000');
    const unchecked = checkAtStart(database, path);
    migrate(database);
    return { database, unchecked };
  } catch (error) {
    database.close();
    throw error;
  }
}

/**
 * What can be read is carried into a file beside it first: whenever the process ends in between, the next start finds
 * either the damaged store, or the new one ready to take its place.
 */
function beginAnew(path: string, reason: string, nowMs: number): OpenedStore {
  const next = nextOf(path);
  for (const suffix of COMPANIONS) rmSync(next + suffix, { force: true });
  const { database: fresh } = openDatabase(next);
  const carried = salvage(path, fresh);
  fresh.close();
  const aside = setAside(path, nowMs);
  takeNext(path);
  const message =
    `the store ${path} was damaged (${reason}). It was set aside as ${aside}, nothing was deleted, and a new store ` +
    `was begun; ${carried === '' ? 'nothing could be carried over' : `carried over: ${carried}`}. Windows and records ` +
    `from before are only in the old file: \`sqlite3 ${aside} .recover\` reads what can be read`;
  return { ...openDatabase(path), setAside: message };
}

const nextOf = (path: string) => `${path}.next`;

function takeNext(path: string): void {
  if (!existsSync(path) && existsSync(nextOf(path))) renameSync(nextOf(path), path);
}
