/** Reads windows to train on: the newest, spread fairly over agents, so that a talkative one does not crowd out. */
import type { Database } from 'better-sqlite3';
import { unpackFeatures } from './rows.js';
import type { HistoryQuery, HistoryRows } from './store.js';

interface Row {
  end_ms: number;
  features: Buffer;
}

/** Agents with few windows leave room for the others, who are asked again for that many more. */
export function readHistory(database: Database, { scope, fingerprint, limit }: HistoryQuery): HistoryRows {
  const agents = (
    database.prepare('SELECT DISTINCT agent FROM received').all() as Array<{ agent: string }>
  ).map(({ agent }) => agent);
  const select = database.prepare(
    `SELECT end_ms, features FROM windows WHERE agent = ? AND scope = ? AND fingerprint = ?
     AND state <> 'warming_up' ORDER BY id DESC LIMIT ? OFFSET ?`,
  );
  const taken = new Map<string, Row[]>();
  let hungry = agents;
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

function pack(taken: ReadonlyMap<string, Row[]>): HistoryRows {
  const rows = [...taken.values()].flat();
  const columns = (rows[0]?.features.length ?? 0) / 4;
  const fitting = rows.filter(({ features }) => features.length === columns * 4);
  const packed = new Float32Array(fitting.length * columns);
  let [oldestMs, newestMs] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  fitting.forEach(({ features, end_ms }, at) => {
    unpackFeatures(features, packed, at * columns);
    oldestMs = Math.min(oldestMs, end_ms);
    newestMs = Math.max(newestMs, end_ms);
  });
  const empty = fitting.length === 0;
  return {
    columns,
    rows: packed,
    agents: [...taken.keys()],
    oldestMs: empty ? null : oldestMs,
    newestMs: empty ? null : newestMs,
  };
}
