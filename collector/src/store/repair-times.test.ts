import Sqlite from 'better-sqlite3';
import { expect, it } from 'vitest';
import { at, BOOT, FINGERPRINT, START_MS } from '../testing/messages.js';
import { makeAlert } from '../testing/stored.js';
import { repairTimes } from './repair-times.js';
import { migrate } from './schema.js';

/** The format that the step finds. */
const BEFORE = 5;
const FUTURE = '2099-01-01T00:00:00.000Z';

it('a store with windows and alerts of a wrong clock has them at their arrival, and all else as it was', () => {
  const database = new Sqlite(':memory:');
  migrate(database, BEFORE);
  const insert = database.prepare(
    `INSERT INTO windows (agent, boot, sequence, idx, device, scope, fingerprint, end_ms, received_ms, state, records,
     forest_suspect, autoencoder_suspect, anomalous, features)
     VALUES ('gw-1', '${BOOT}', ?, 0, 'modem-1', 'device', '${FINGERPRINT}', ?, ?, 'scored', 30, 0, 0, 0, x'00')`,
  );
  insert.run(1, Date.parse(FUTURE), START_MS + 1000);
  insert.run(2, START_MS + 100_000, START_MS + 101_000);
  const put = database.prepare('INSERT INTO alerts VALUES (?, ?, ?, ?, ?, ?)');
  const id = (n: number) => `gw-1/${BOOT}/${n}/0`;
  const wrong = makeAlert({ id: id(1), opened_at: FUTURE, last_suspect_at: FUTURE });
  const gone = makeAlert({
    ...{ id: id(9), status: 'closed', opened_at: FUTURE, last_suspect_at: FUTURE, closed_at: FUTURE },
  });
  const right = makeAlert({ id: id(2), opened_at: at(90), last_suspect_at: at(100) });
  for (const alert of [wrong, gone, right]) {
    const { agent, device, status, opened_at } = alert;
    put.run(alert.id, agent, device, status, Date.parse(opened_at), JSON.stringify(alert));
  }
  repairTimes(database);
  const ends = database.prepare('SELECT end_ms FROM windows ORDER BY sequence').pluck().all();
  expect(ends).toEqual([START_MS + 1000, START_MS + 100_000]);
  const rows = database.prepare('SELECT opened_ms, body FROM alerts ORDER BY id').all() as Array<{
    opened_ms: number;
    body: string;
  }>;
  expect(rows.map(({ opened_ms }) => opened_ms - START_MS)).toEqual([1000, 90_000, 101_000]);
  const [first, second, third] = rows.map(({ body }) => JSON.parse(body));
  expect(first).toEqual({ ...wrong, opened_at: at(1), last_suspect_at: at(101) });
  expect(second).toEqual(right);
  expect(third).toMatchObject({ opened_at: at(101), last_suspect_at: at(101), closed_at: at(101) });
  database.close();
});
