/**
 * Reads windows to train on: the newest, spread fairly over agents, so that a talkative one does not crowd out. What
 * lies in an episode of the edge's is left out, as it is there; a model's own alerts, and a forest's, keep nothing out,
 * or a bad one could never be replaced.
 */
import type { Database } from 'better-sqlite3';
import { unpackFeatures } from './rows.js';
import type { HistoryQuery, HistoryRows } from './store.js';

interface Row {
  device: string;
  end_ms: number;
  features: Buffer;
}

/** Agents with few windows leave room for the others, who are asked again for that many more. */
export function readHistory(database: Database, query: HistoryQuery): HistoryRows {
  const { scope, fingerprint, limit, agents = allAgents(database) } = query;
  const select = database.prepare(
    `SELECT device, end_ms, features FROM windows WHERE agent = ? AND scope = ? AND fingerprint = ?
     AND state <> 'warming_up' AND (alert IS NULL OR NOT EXISTS (SELECT 1 FROM alerts
       WHERE alerts.id = windows.alert AND alerts.body ->> 'opened_by' = 'edge'
       AND alerts.body ->> 'active_model' <> 'isolation_forest'))
     ORDER BY id DESC LIMIT ? OFFSET ?`,
  );
  const taken = new Map<string, Row[]>();
  let hungry: readonly string[] = agents;
  let left = limit;
  while (left > 0 && hungry.length > 0) {
    const share = Math.max(1, Math.floor(left / hungry.length));
    const full: string[] = [];
    for (const agent of hungry) {
      if (left <= 0) break;
      const rows = taken.get(agent) ?? [];
      const wanted = Math.min(share, left);
      const more = select.all(agent, scope, fingerprint, wanted, rows.length) as Row[];
      if (more.length > 0) taken.set(agent, rows.concat(more));
      if (more.length === wanted) full.push(agent);
      left -= more.length;
    }
    hungry = full;
  }
  return pack(taken);
}

function allAgents(database: Database): string[] {
  const rows = database.prepare('SELECT DISTINCT agent FROM received').all() as Array<{ agent: string }>;
  return rows.map(({ agent }) => agent);
}

/** Rows that no model could learn from are left out: an infinite feature, or another number of them. */
function pack(taken: ReadonlyMap<string, Row[]>): HistoryRows {
  const columns = ([...taken.values()][0]?.[0]?.features.length ?? 0) / 4;
  const kept = [...taken].map(([agent, rows]) => ({
    agent,
    rows: rows.filter(({ features }) => features.length === columns * 4 && !hasInfinite(features)),
  }));
  const fitting = kept.flatMap(({ rows }) => rows);
  const packed = new Float32Array(fitting.length * columns);
  let [oldestMs, newestMs] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  fitting.forEach(({ features, end_ms }, at) => {
    unpackFeatures(features, packed, at * columns);
    oldestMs = Math.min(oldestMs, end_ms);
    newestMs = Math.max(newestMs, end_ms);
  });
  const giving = kept.filter(({ rows }) => rows.length > 0);
  const empty = fitting.length === 0;
  return {
    columns,
    rows: packed,
    agents: giving.map(({ agent }) => agent),
    counts: giving.map(({ rows }) => rows.length),
    lines: giving.flatMap(({ agent, rows }) => linesOf(agent, rows)),
    oldestMs: empty ? null : oldestMs,
    newestMs: empty ? null : newestMs,
  };
}

function linesOf(agent: string, rows: readonly Row[]): HistoryRows['lines'] {
  const counts = new Map<string, number>();
  for (const { device } of rows) counts.set(device, (counts.get(device) ?? 0) + 1);
  return [...counts].map(([device, count]) => ({ agent, device, rows: count }));
}

/** A value that is too large for 32 bits was once stored as infinite. */
function hasInfinite(features: Buffer): boolean {
  for (let at = 0; at < features.length; at += 4) {
    if (Math.abs(features.readFloatLE(at)) === Number.POSITIVE_INFINITY) return true;
  }
  return false;
}
