/** Accounts of what was received, on a real database. */
import Sqlite, { type Database } from 'better-sqlite3';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { MAX_SPANS } from '../spans.js';
import { ReceivedTable } from './received.js';
import { migrate } from './schema.js';

let database: Database;
let table: ReceivedTable;

beforeEach(() => {
  database = new Sqlite(':memory:');
  migrate(database);
  table = new ReceivedTable(database, () => [1], 1000);
});
afterEach(() => database.close());

const range = (boot: string, first: number, last = first, agent = 'gw-1') => ({
  ...{ agent, boot, first, last },
  complete: true,
});
const storeBatch = (boot: string, sequence: number) =>
  database
    .prepare(
      "INSERT INTO batches_1 (agent, boot, sequence, received_ms, first_id, last_id) VALUES ('gw-1', ?, ?, 0, 0, 0)",
    )
    .run(boot, sequence);
const rows = () => table.ranges().length;

describe('the account of what was received', () => {
  it('keeps a bounded number of rows of a boot whose batches have gaps between them', () => {
    for (let sequence = 1; sequence < 2000; sequence += 2) table.add([range('b1', sequence)]);
    expect(rows()).toBe(MAX_SPANS);
    expect(table.ranges().at(-1)).toEqual(range('b1', 1999));
  });

  it('keeps a bounded number of boots of an agent, the newest, and takes nobody else’s place', () => {
    table.add([range('other', 1, 5, 'gw-2')]);
    for (let boot = 0; boot < 900; boot++) {
      table.add([range(`b${boot}`, 1)]);
      table.add([range('live', boot + 1)]);
    }
    expect(rows()).toBeLessThan(300);
    expect(table.ranges([{ agent: 'gw-1', boot: 'live' }])).toEqual([range('live', 1, 900)]);
    expect(table.ranges([{ agent: 'gw-2', boot: 'other' }])).toEqual([range('other', 1, 5, 'gw-2')]);
  });

  it('keeps a bounded number of rows altogether, whole boots at a time', () => {
    for (let agent = 0; agent < 1200; agent++) table.add([range('b', 1, 1, `gw-${agent}`)]);
    expect(table.shrink()).toBe(200);
    expect(table.shrink()).toBe(0);
    expect(table.ranges([{ agent: 'gw-199', boot: 'b' }])).toEqual([]);
    expect(table.ranges([{ agent: 'gw-200', boot: 'b' }])).toHaveLength(1);
  });

  it('knows a boot without rows by what is stored of it, and each of its batches by itself', () => {
    for (const sequence of [3, 4, 9]) storeBatch('gone', sequence);
    const reach = { agent: 'gw-1', boot: 'gone', first: 3, last: 9, complete: false };
    expect(table.ranges([{ agent: 'gw-1', boot: 'gone' }])).toEqual([reach]);
    const asked = [3, 5, 9].map((sequence) => ({ agent: 'gw-1', boot: 'gone', sequence }));
    expect(table.hasBatches(asked)).toEqual([true, false, true]);
    table.add([range('gone', 10)]);
    expect(table.ranges()).toEqual([reach, range('gone', 10)]);
  });
});
