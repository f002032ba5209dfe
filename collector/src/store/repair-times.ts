/**
 * Puts right what an earlier version took from wrong clocks: windows and alerts that are far ahead of their arrival get
 * its time, or they would stand first in every list for years. Once, as a step of the schema.
 */
import { type Alert, parseWindowId } from '@lineheron/models';
import type { Database } from 'better-sqlite3';

const AHEAD_MS = 5 * 60_000;

export function repairTimes(database: Database): void {
  database.exec(`UPDATE windows SET end_ms = received_ms WHERE end_ms > received_ms + ${AHEAD_MS}`);
  const newest = database.prepare('SELECT max(received_ms) AS ms FROM windows').get() as {
    ms: number | null;
  };
  const nowMs = newest.ms ?? Date.now();
  const arrivalOf = database.prepare(
    'SELECT received_ms AS ms FROM windows WHERE agent = ? AND boot = ? AND sequence = ? AND idx = ?',
  );
  const put = database.prepare('UPDATE alerts SET opened_ms = ?, body = ? WHERE id = ?');
  const rows = database.prepare('SELECT id, body FROM alerts').all() as Array<{ id: string; body: string }>;
  for (const { id, body } of rows) {
    const alert = JSON.parse(body) as Alert;
    const window = parseWindowId(id);
    const row = window && arrivalOf.get(window.agent, window.boot, window.sequence, window.index);
    const arrivedMs = (row as { ms: number } | undefined)?.ms ?? nowMs;
    const openedMs = bounded(alert.opened_at, arrivedMs);
    const lastMs = Math.max(openedMs, bounded(alert.last_suspect_at, nowMs));
    const closedMs = alert.closed_at === null ? null : Math.max(lastMs, bounded(alert.closed_at, nowMs));
    const repaired: Alert = {
      ...alert,
      opened_at: iso(openedMs),
      last_suspect_at: iso(lastMs),
      closed_at: closedMs === null ? null : iso(closedMs),
    };
    const text = JSON.stringify(repaired);
    if (text !== body) put.run(openedMs, text, id);
  }
}

function bounded(time: string, byMs: number): number {
  const ms = Date.parse(time);
  return ms > byMs + AHEAD_MS ? byMs : ms;
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}
