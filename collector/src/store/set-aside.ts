/**
 * A damaged store is renamed and kept, and what can be read of its small tables goes into the new one: settings, totals,
 * trainings, alerts and the ranges of what was received. Nothing is deleted here.
 */
import {
  closeSync,
  existsSync,
  fsyncSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import Sqlite, { type Database } from 'better-sqlite3';
import { COMPANIONS, sizeOfAll } from './files.js';
import { StoreError } from './store.js';

/** More than these in one folder: the disk fails, and another store would fare no better. */
const MAX_SET_ASIDE = 5;

/** Tables whose rows are carried over: their key, and what a row must be so that it is no rubble. */
const CARRIED = [
  ['settings', 'key', 'json_valid(value)'],
  ['totals', 'name', "typeof(value) = 'integer'"],
  ['trainings', 'id', 'json_valid(body)'],
  ['alerts', 'id', "json_valid(body) AND typeof(opened_ms) = 'integer'"],
  [
    'received',
    'agent, boot, first',
    "typeof(first) = 'integer' AND typeof(last) = 'integer' AND first <= last AND complete IN (0, 1)",
  ],
] as const;

const prefixOf = (path: string) => `${path}.damaged-`;
const markOf = (path: string) => `${path}.check-failed`;

/** Remembers over a restart that damage was found. */
export function markDamaged(path: string, reason: string): void {
  writeFileSync(markOf(path), reason, { mode: 0o600 });
}

/** Why the store is to be set aside; null when nothing was found. */
export function markedDamage(path: string): string | null {
  return existsSync(path) && existsSync(markOf(path))
    ? readFileSync(markOf(path), 'utf8').slice(0, 500)
    : null;
}

/** Returns the new path. The log goes first: beside a new database it would be taken for its own. */
export function setAside(path: string, nowMs: number): string {
  const before = setAsideStores(path);
  if (before.length >= MAX_SET_ASIDE) {
    throw new StoreError(
      `the store ${path} is damaged again, and ${before.length} damaged ones lie beside it already: look after the disk, then move them away and start again.`,
    );
  }
  const stamp = new Date(nowMs).toISOString().replace(/[-:]|\.\d+/g, '');
  let aside = prefixOf(path) + stamp;
  for (let n = 2; existsSync(aside); n++) aside = `${prefixOf(path)}${stamp}-${n}`;
  for (const suffix of [...COMPANIONS].reverse()) {
    if (existsSync(path + suffix)) renameSync(path + suffix, aside + suffix);
  }
  rmSync(markOf(path), { force: true });
  const folder = openSync(dirname(path), 'r');
  fsyncSync(folder);
  closeSync(folder);
  return aside;
}

/** What was carried over, in words; empty when nothing could be read. */
export function salvage(damaged: string, into: Database): string {
  let from: Database;
  try {
    from = new Sqlite(damaged, { readonly: true });
  } catch {
    return '';
  }
  try {
    return CARRIED.map(([table, key, sound]) => [copyTable(from, into, table, key, sound), table] as const)
      .filter(([rows]) => rows > 0)
      .map(([rows, table]) => `${rows} ${table}`)
      .join(', ');
  } finally {
    from.close();
  }
}

/** From both ends up to what cannot be read. */
function copyTable(from: Database, into: Database, table: string, key: string, sound: string): number {
  const columns = (into.pragma(`table_info(${table})`) as Array<{ name: string }>).map(({ name }) => name);
  const places = columns.map(() => '?').join(', ');
  const put = into.prepare(`INSERT OR IGNORE INTO ${table} (${columns.join(', ')}) VALUES (${places})`);
  let rows = 0;
  for (const order of [
    key,
    key
      .split(', ')
      .map((column) => `${column} DESC`)
      .join(', '),
  ]) {
    const select = `SELECT ${columns.join(', ')} FROM ${table} WHERE ${sound} ORDER BY ${order}`;
    const copied = into.transaction(() => {
      let [whole, added] = [false, 0];
      try {
        for (const row of from.prepare(select).raw().iterate()) added += put.run(row as unknown[]).changes;
        whole = true;
      } catch {
        // What comes after this cannot be read from this end.
      }
      return { whole, added };
    })();
    rows += copied.added;
    if (copied.whole) break;
  }
  return rows;
}

export interface SetAsideStore {
  path: string;
  sinceMs: number;
  bytes: number;
}

/** Stores that lie aside, oldest first. */
export function setAsideStores(path: string): SetAsideStore[] {
  const prefix = basename(prefixOf(path));
  return readdirSync(dirname(path))
    .filter((name) => name.startsWith(prefix) && !/-(wal|shm)$/.test(name))
    .sort()
    .map((name) => {
      const aside = join(dirname(path), name);
      const stamp = name.slice(prefix.length, prefix.length + 16);
      const time = stamp.replace(/^(\d{4})(\d\d)(\d\dT\d\d)(\d\d)(\d\dZ)$/, '$1-$2-$3:$4:$5');
      return { path: aside, sinceMs: Date.parse(time) || 0, bytes: sizeOfAll(aside) };
    });
}
