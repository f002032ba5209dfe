/**
 * Windows and records lie in slices: sets of tables named `…_<n>`, each with what arrived in one stretch of time. Only
 * the newest grows. Retention drops the oldest whole, which costs a tenth of a second where deleting its rows would
 * cost as much as inserting them did; and the trees that ingest inserts into stay small. What repeats is written once
 * in a slice: `batches_<n>` (agent, boot, sequence, arrival) and `lines_<n>` (agent, device, scope, fingerprint).
 */
import type { Database } from 'better-sqlite3';

export interface Slice {
  n: number;
  beganMs: number;
  endedMs: number;
  /** What it added to the file so far. */
  bytes: number;
  /** Its records were dropped before its windows. */
  hasRecords: boolean;
}

interface SliceRow {
  n: number;
  began_ms: number;
  ended_ms: number;
  bytes: number;
  has_records: number;
}

export const SLICES_TABLE = `
  CREATE TABLE slices (
    n INTEGER PRIMARY KEY, began_ms INTEGER NOT NULL, ended_ms INTEGER NOT NULL, bytes INTEGER NOT NULL,
    has_records INTEGER NOT NULL
  );
`;

/** Each filter of the API has its index, ordered by row id (which follows arrival) within equal values. */
const INDEXES = { line: 'line', device: 'device', agent: 'agent, scope', scope: 'scope' } as const;

const TABLES = ['windows', 'records', 'batches', 'lines'] as const;

/** Row ids follow arrival. `agent` and `device` of a window are numbers from `lines_<n>`. */
export function createSlice(database: Database, n: number, beganMs: number): Slice {
  database.exec(`
    CREATE TABLE lines_${n} (
      line INTEGER PRIMARY KEY,
      agent TEXT NOT NULL, device TEXT NOT NULL, scope TEXT NOT NULL, fingerprint TEXT NOT NULL,
      agent_number INTEGER NOT NULL, device_number INTEGER NOT NULL,
      UNIQUE (agent, device, scope, fingerprint)
    );
    CREATE INDEX lines_${n}_device ON lines_${n} (device, scope);
    CREATE TABLE batches_${n} (
      batch INTEGER PRIMARY KEY,
      agent TEXT NOT NULL, boot TEXT NOT NULL, sequence INTEGER NOT NULL, received_ms INTEGER NOT NULL,
      first_id INTEGER NOT NULL, last_id INTEGER NOT NULL,
      UNIQUE (agent, boot, sequence)
    );
    CREATE TABLE windows_${n} (
      id INTEGER PRIMARY KEY,
      batch INTEGER NOT NULL, idx INTEGER NOT NULL,
      line INTEGER NOT NULL, device INTEGER NOT NULL, agent INTEGER NOT NULL, scope INTEGER NOT NULL,
      anomalous INTEGER NOT NULL,
      end_ms INTEGER NOT NULL, state TEXT NOT NULL, records INTEGER NOT NULL,
      latency_ms REAL, packet_loss_pct REAL, traffic_volume_mb REAL,
      forest_score REAL, forest_threshold REAL, forest_suspect INTEGER NOT NULL,
      baseline_score REAL, baseline_threshold REAL, baseline_suspect INTEGER NOT NULL, baseline_strangeness REAL,
      autoencoder_score REAL, autoencoder_threshold REAL, autoencoder_suspect INTEGER NOT NULL,
      alert TEXT, reasons TEXT, is_anomaly INTEGER, anomaly_type TEXT, historical INTEGER NOT NULL,
      features BLOB NOT NULL
    );
    ${Object.entries(INDEXES)
      .map(([name, columns]) => `CREATE INDEX windows_${n}_${name} ON windows_${n} (${columns}, anomalous);`)
      .join('\n')}
    CREATE TABLE records_${n} (id INTEGER PRIMARY KEY, body TEXT NOT NULL);
  `);
  database.prepare('INSERT INTO slices VALUES (?, ?, ?, 0, 1)').run(n, beganMs, beganMs);
  return { n, beganMs, endedMs: beganMs, bytes: 0, hasRecords: true };
}

/** Oldest first. */
export function readSlices(database: Database): Slice[] {
  const rows = database.prepare('SELECT * FROM slices ORDER BY n').all() as SliceRow[];
  return rows.map(({ n, began_ms, ended_ms, bytes, has_records }) => ({
    n,
    beganMs: began_ms,
    endedMs: ended_ms,
    bytes,
    hasRecords: has_records === 1,
  }));
}

export function dropSlice(database: Database, { n, hasRecords }: Slice): void {
  database.transaction(() => {
    for (const table of TABLES)
      if (table !== 'records' || hasRecords) database.exec(`DROP TABLE ${table}_${n}`);
    database.prepare('DELETE FROM slices WHERE n = ?').run(n);
  })();
}

export function dropRecords(database: Database, slice: Slice): void {
  database.transaction(() => {
    database.exec(`DROP TABLE records_${slice.n}`);
    database.prepare('UPDATE slices SET has_records = 0 WHERE n = ?').run(slice.n);
  })();
  slice.hasRecords = false;
}
