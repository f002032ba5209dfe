/** Tables of the SQLite store and how older ones become newer: one step a version, counted in `user_version`. */
import type { Database } from 'better-sqlite3';
import { repairTimes } from './repair-times.js';

/** Step n brings a database from version n to n + 1. Steps are never edited once released. */
const MIGRATIONS: readonly (string | ((database: Database) => void))[] = [
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
];

/** Brings the database to the newest version; refuses one that a newer collector wrote. */
export function migrate(database: Database): void {
  const version = database.pragma('user_version', { simple: true }) as number;
  if (version > MIGRATIONS.length) {
    throw new Error(
      `it was written by a newer version of lineheron (format ${version}); update this collector`,
    );
  }
  for (let step = version; step < MIGRATIONS.length; step++) {
    database.transaction(() => {
      const change = MIGRATIONS[step]!;
      if (typeof change === 'string') database.exec(change);
      else change(database);
      database.pragma(`user_version = ${step + 1}`);
    })();
  }
}
