/** A plain loop that shows what machine it is: JSON into SQLite, on one thread, without any of ours. */
import { mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { ROOT } from '../../agent/packaging/stage.mjs';
import { Payloads } from './ingest-payload.mjs';

const Sqlite = createRequire(join(ROOT, 'collector', 'package.json'))('better-sqlite3');
/** Batches of one transaction. */
const GROUP = 100;

/** Windows a second that are parsed and inserted, each as one row of three columns. */
export function plainRate(parent, seconds) {
  const folder = mkdtempSync(join(parent, 'plain-'));
  const database = new Sqlite(join(folder, 'plain.db'));
  database.pragma('journal_mode = WAL');
  database.pragma('synchronous = FULL');
  database.exec('CREATE TABLE windows (id INTEGER PRIMARY KEY, device TEXT, body TEXT)');
  const insert = database.prepare('INSERT INTO windows (device, body) VALUES (?, ?)');
  const place = { agent: 'gw-000', boot: '0'.repeat(16), createdMs: Date.now() };
  const payloads = new Payloads(10);
  const batches = Array.from({ length: 8 }, (_, at) =>
    payloads.batch('calm', { ...place, sequence: at + 1 }),
  );
  let rows = 0;
  const group = database.transaction(() => {
    for (let at = 0; at < GROUP; at++) {
      for (const window of JSON.parse(batches[at % batches.length].toString('utf8')).windows) {
        insert.run(window.device, JSON.stringify(window.features));
        rows++;
      }
    }
  });
  const startMs = performance.now();
  while (performance.now() - startMs < seconds * 1000) group();
  const rate = rows / ((performance.now() - startMs) / 1000);
  database.close();
  rmSync(folder, { recursive: true });
  return rate;
}
