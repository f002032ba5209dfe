/**
 * Reads windows to train on: the newest, spread fairly over agents, so that a talkative one does not crowd out. What
 * lies in an episode of the edge's is left out, as it is there; a model's own alerts, and a forest's, keep nothing out,
 * or a bad one could never be replaced.
 */
import type { ReadDatabase } from './read-database.js';
import { scopeNumber, unpackFeatures } from './rows.js';
import type { Slice } from './slices.js';
import type { HistoryQuery, HistoryRows } from './store.js';

interface Row {
  id: number;
  device: string;
  end_ms: number;
  features: Buffer;
}

const CHUNK = 64;

/** Agents with few windows leave room for the others, who are asked again for that many more. */
export function readHistory(database: ReadDatabase, query: HistoryQuery): HistoryRows {
  const { agents = allAgents(database), limit } = query;
  const slices = database.slices().reverse();
  const walks = agents.map((agent) => ({
    agent,
    rows: [] as Row[],
    walk: newestOf(database, slices, agent, query),
  }));
  let hungry = walks;
  let left = limit;
  while (left > 0 && hungry.length > 0) {
    const share = Math.max(1, Math.floor(left / hungry.length));
    const full: typeof walks = [];
    for (const one of hungry) {
      if (left <= 0) break;
      const wanted = Math.min(share, left);
      const before = one.rows.length;
      take(one.walk, wanted, one.rows);
      const more = one.rows.length - before;
      if (more === wanted) full.push(one);
      left -= more;
    }
    hungry = full;
  }
  return pack(new Map(walks.filter(({ rows }) => rows.length > 0).map(({ agent, rows }) => [agent, rows])));
}

function take(walk: Iterator<Row>, wanted: number, into: Row[]): void {
  for (let n = 0; n < wanted; n++) {
    const next = walk.next();
    if (next.done) return;
    into.push(next.value);
  }
}

/** One agent's windows, newest first, in chunks: with thousands of agents no walk may stay open in between. */
function* newestOf(
  database: ReadDatabase,
  slices: readonly Slice[],
  agent: string,
  { scope, fingerprint }: HistoryQuery,
): Generator<Row> {
  for (const { n } of slices) {
    const select = `SELECT agent_number AS number FROM lines_${n} WHERE agent = ? LIMIT 1`;
    const [found] = database.all<{ number: number }>(select, agent);
    if (!found) continue;
    for (let before = Number.MAX_SAFE_INTEGER; before > 0; ) {
      const chunks = [0, 1].map((anomalous) =>
        database.all<Row>(
          chunkOf(n),
          found.number,
          scopeNumber(scope),
          anomalous,
          before,
          fingerprint,
          CHUNK,
        ),
      );
      const rows = chunks.flat().sort((a, b) => b.id - a.id);
      yield* rows.slice(0, CHUNK);
      before = rows.length < CHUNK ? 0 : rows[CHUNK - 1]!.id;
    }
  }
}

const chunkOf = (n: number) =>
  `SELECT w.id, l.device, w.end_ms, w.features FROM windows_${n} AS w CROSS JOIN lines_${n} AS l ON l.line = w.line
   WHERE w.agent = ? AND w.scope = ? AND w.anomalous = ? AND w.id < ? AND l.fingerprint = ?
   AND w.state <> 'warming_up' AND (w.alert IS NULL OR NOT EXISTS (SELECT 1 FROM alerts
     WHERE alerts.id = w.alert AND alerts.body ->> 'opened_by' = 'edge'
     AND alerts.body ->> 'active_model' <> 'isolation_forest'))
   ORDER BY w.id DESC LIMIT ?`;

function allAgents(database: ReadDatabase): string[] {
  return database.all<{ agent: string }>('SELECT DISTINCT agent FROM received').map(({ agent }) => agent);
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
