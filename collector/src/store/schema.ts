/** Tables of the SQLite store and how older ones become newer: one step a version, counted in `user_version`. */
import type { Database } from 'better-sqlite3';
import { repairTimes } from './repair-times.js';
import { createSlice, SLICES_TABLE } from './slices.js';

/** Step n brings a database from version n to n + 1. Steps are never edited once released. */
const MIGRATIONS: ReadonlyArray<string | ((database: Database) => void)> = [
  `
  CREATE TABLE windows (
    id INTEGER PRIMARY KEY,
    agent TEXT NOT NULL, boot TEXT NOT NULL, sequence INTEGER NOT NULL, idx INTEGER NOT NULL,
    device TEXT NOT NULL, scope TEXT NOT NULL, fingerprint TEXT NOT NULL,
    end_ms INTEGER NOT NULL, received_ms INTEGER NOT NULL, state TEXT NOT NULL, records INTEGER NOT NULL,
    latency_ms REAL, packet_loss_pct REAL, traffic_volume_mb REAL,
    forest_score REAL, forest_threshold REAL, forest_suspect INTEGER NOT NULL,
    autoencoder_score REAL, autoencoder_threshold REAL, autoencoder_suspect INTEGER NOT NULL,
    anomalous INTEGER NOT NULL, alert TEXT, reasons TEXT, is_anomaly INTEGER, anomaly_type TEXT,
    features BLOB NOT NULL,
    UNIQUE (agent, boot, sequence, idx)
  );
  CREATE INDEX windows_line ON windows (agent, device, id);
  CREATE INDEX windows_history ON windows (agent, scope, fingerprint, id);
  CREATE INDEX windows_anomalous ON windows (id) WHERE anomalous = 1;

  CREATE TABLE records (
    id INTEGER PRIMARY KEY,
    agent TEXT NOT NULL, boot TEXT NOT NULL, sequence INTEGER NOT NULL, idx INTEGER NOT NULL,
    received_ms INTEGER NOT NULL, body TEXT NOT NULL,
    UNIQUE (agent, boot, sequence, idx)
  );

  CREATE TABLE received (
    agent TEXT NOT NULL, boot TEXT NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL,
    PRIMARY KEY (agent, boot, first)
  ) WITHOUT ROWID;

  CREATE TABLE alerts (
    id TEXT PRIMARY KEY,
    agent TEXT NOT NULL, device TEXT NOT NULL, status TEXT NOT NULL, opened_ms INTEGER NOT NULL,
    body TEXT NOT NULL
  ) WITHOUT ROWID;
  CREATE INDEX alerts_status ON alerts (status, opened_ms);
  CREATE INDEX alerts_line ON alerts (agent, device, opened_ms);

  CREATE TABLE trainings (id TEXT PRIMARY KEY, requested_ms INTEGER NOT NULL, body TEXT NOT NULL) WITHOUT ROWID;
  CREATE TABLE settings (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
  CREATE TABLE totals (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
  `,
  'ALTER TABLE windows ADD COLUMN historical INTEGER NOT NULL DEFAULT 0',
  `
  ALTER TABLE windows ADD COLUMN baseline_nats REAL;
  ALTER TABLE windows ADD COLUMN baseline_threshold REAL;
  ALTER TABLE windows ADD COLUMN baseline_suspect INTEGER NOT NULL DEFAULT 0;
  `,
  'ALTER TABLE windows ADD COLUMN baseline_strangeness REAL',
  // What was merged before may hold claims of batches that never came: none of it is taken for complete.
  `
  ALTER TABLE received ADD COLUMN complete INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE received ADD COLUMN touched INTEGER NOT NULL DEFAULT 0;
  `,
  repairTimes,
  intoSlices,
];

/** The first slice takes what the tables of before hold. */
function intoSlices(database: Database): void {
  database.exec(`${SLICES_TABLE}
    CREATE TABLE probe (id INTEGER PRIMARY KEY, written_ms INTEGER NOT NULL);
    DROP INDEX alerts_line;
    CREATE INDEX alerts_line ON alerts (agent, device, status, opened_ms);
    CREATE INDEX alerts_agent ON alerts (agent, status, opened_ms);
    CREATE INDEX alerts_device ON alerts (device, status, opened_ms);
  `);
  const row = database
    .prepare('SELECT min(received_ms) AS began, max(received_ms) AS ended FROM windows')
    .get();
  const { began, ended } = row as { began: number | null; ended: number | null };
  createSlice(database, 1, began ?? Date.now());
  database.exec(`
    INSERT INTO lines_1 (agent, device, scope, fingerprint, agent_number, device_number)
      SELECT DISTINCT agent, device, scope, fingerprint, 0, 0 FROM windows;
    UPDATE lines_1 SET
      agent_number = (SELECT min(line) FROM lines_1 AS other WHERE other.agent = lines_1.agent),
      device_number = (SELECT min(line) FROM lines_1 AS other
        WHERE other.device = lines_1.device AND other.scope = lines_1.scope);
    INSERT INTO batches_1 (agent, boot, sequence, received_ms, first_id, last_id)
      SELECT agent, boot, sequence, max(received_ms), min(id), max(id) FROM windows GROUP BY agent, boot, sequence;
    INSERT INTO windows_1
      SELECT w.id, b.batch, w.idx, l.line, l.device_number, l.agent_number, w.scope = 'gateway', w.anomalous, w.end_ms,
        w.state, w.records, w.latency_ms, w.packet_loss_pct, w.traffic_volume_mb, w.forest_score,
        w.forest_threshold, w.forest_suspect, w.baseline_nats, w.baseline_threshold, w.baseline_suspect,
        w.baseline_strangeness, w.autoencoder_score, w.autoencoder_threshold, w.autoencoder_suspect, w.alert,
        w.reasons, w.is_anomaly, w.anomaly_type, w.historical, w.features
      FROM windows AS w JOIN batches_1 AS b USING (agent, boot, sequence)
        JOIN lines_1 AS l USING (agent, device, scope, fingerprint) ORDER BY w.id;
    INSERT INTO records_1 SELECT id, body FROM records;
  `);
  const size = database.prepare(
    "SELECT coalesce(sum(pgsize), 0) AS bytes FROM dbstat WHERE name IN ('windows', 'records')",
  );
  const { bytes } = size.get() as { bytes: number };
  database
    .prepare('UPDATE slices SET ended_ms = ?, bytes = ?')
    .run(ended ?? Date.now(), ended === null ? 0 : bytes);
  database.exec('DROP TABLE windows; DROP TABLE records;');
}

/** Refuses a database that a newer collector wrote. */
export function checkVersion(database: Database): void {
  const version = versionOf(database);
  if (version <= MIGRATIONS.length) return;
  throw new Error(
    `it was written by a newer version of lineheron (format ${version}); update this collector, or give it another data_dir`,
  );
}

/** Brings the database to the newest version; tests make older ones. */
export function migrate(database: Database, newest: number = MIGRATIONS.length): void {
  for (let step = versionOf(database); step < newest; step++) {
    database.transaction(() => {
      const change = MIGRATIONS[step]!;
      if (typeof change === 'string') database.exec(change);
      else change(database);
      database.pragma(`user_version = ${step + 1}`);
    })();
  }
}

const versionOf = (database: Database) => database.pragma('user_version', { simple: true }) as number;
