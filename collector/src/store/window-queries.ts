/** Questions about windows, answered slice by slice. Every filter has its index: no row is read in vain. */
import { parseWindowId, SCOPES, type WindowView } from '@lineheron/models';
import { merged } from './merge.js';
import type { ReadDatabase } from './read-database.js';
import { scopeNumber, toView, VIEW_COLUMNS, type WindowRow } from './rows.js';
import type { WindowFilter, WindowPageQuery } from './store.js';

/** Newest first. The limit comes before `sinceMs`, so that no more than that many rows are ever looked at. */
export function recentWindows(database: ReadDatabase, filter: WindowFilter): WindowView[] {
  const sinceMs = filter.sinceMs ?? 0;
  const views: WindowView[] = [];
  let left = filter.limit;
  for (const { n, endedMs } of database.slices().reverse()) {
    if (endedMs < sinceMs) continue;
    for (const row of newest(database, n, filter, left)) {
      if (row.received_ms >= sinceMs) views.push(toView(row));
      if (--left === 0) return views;
    }
  }
  return views;
}

/** Rows of one slice, newest first: of each value that the filter allows one walk down an index, joined by row id. */
function newest(database: ReadDatabase, n: number, filter: WindowFilter, limit: number): Iterable<WindowRow> {
  const walk = (condition: string, ...values: unknown[]) =>
    database.rows<WindowRow>(
      `${selectFrom(n)} WHERE ${condition} ORDER BY w.id DESC LIMIT ?`,
      ...values,
      limit,
    );
  const { anomalous } = filter;
  const places = placesOf(database, n, filter);
  if (places === null && anomalous === undefined) return walk('w.id > 0');
  const kinds = anomalous === undefined ? [0, 1] : [Number(anomalous)];
  const walks = (places ?? SCOPES.map(ofScope)).flatMap(({ condition, values }) =>
    kinds.map((kind) => walk(`${condition} AND w.anomalous = ?`, ...values, kind)),
  );
  return merged(walks, (a, b) => a.id > b.id);
}

interface Place {
  condition: string;
  values: unknown[];
}

const ofScope = (scope: WindowView['scope']): Place => ({
  condition: 'w.scope = ?',
  values: [scopeNumber(scope)],
});

/** Where in the indexes of a slice the windows of these lines are; null for all lines. */
function placesOf(database: ReadDatabase, n: number, { agent, device, scope }: WindowFilter): Place[] | null {
  const scopes = scope === undefined ? SCOPES : [scope];
  if (agent !== undefined && device !== undefined) {
    const select = `SELECT line FROM lines_${n} WHERE agent = ? AND device = ? AND scope = ?`;
    return scopes
      .flatMap((one) => database.all<{ line: number }>(select, agent, device, one))
      .map(({ line }) => ({ condition: 'w.line = ?', values: [line] }));
  }
  if (agent !== undefined) {
    const select = `SELECT agent_number AS number FROM lines_${n} WHERE agent = ? LIMIT 1`;
    const [found] = database.all<{ number: number }>(select, agent);
    const condition = 'w.agent = ? AND w.scope = ?';
    return found ? scopes.map((one) => ({ condition, values: [found.number, scopeNumber(one)] })) : [];
  }
  if (device !== undefined) {
    const select = `SELECT device_number AS number FROM lines_${n} WHERE device = ? AND scope = ? LIMIT 1`;
    return scopes
      .flatMap((one) => database.all<{ number: number }>(select, device, one))
      .map(({ number }) => ({ condition: 'w.device = ?', values: [number] }));
  }
  return scope === undefined ? null : [ofScope(scope)];
}

interface BatchRow {
  n: number;
  batch: number;
  agent: string;
  boot: string;
  sequence: number;
  first_id: number;
  last_id: number;
}

/** In the order of (agent, boot, sequence, index), over all slices. */
export function windowPage(database: ReadDatabase, { limit, agent, after }: WindowPageQuery): WindowView[] {
  const last = after === undefined ? null : parseWindowId(after);
  const from = [last?.agent ?? agent ?? '', last?.boot ?? '', last?.sequence ?? 0];
  const only = agent === undefined ? '' : 'agent = ? AND ';
  const batchesOf = (n: number) =>
    database.rows<BatchRow>(
      `SELECT ${n} AS n, batch, agent, boot, sequence, first_id, last_id FROM batches_${n}
       WHERE ${only}(agent, boot, sequence) >= (?, ?, ?) AND last_id > 0 ORDER BY agent, boot, sequence`,
      ...(agent === undefined ? from : [agent, ...from]),
    );
  const batches = merged(
    database.slices().map(({ n }) => batchesOf(n)),
    isBefore,
  );
  const views: WindowView[] = [];
  for (const { n, batch, first_id, last_id, ...key } of batches) {
    const isLast = key.agent === last?.agent && key.boot === last.boot && key.sequence === last.sequence;
    const rows = database.rows<WindowRow>(
      `${selectFrom(n)} WHERE w.id BETWEEN ? AND ? AND w.batch = ? AND w.idx > ? ORDER BY w.id LIMIT ?`,
      ...[first_id, last_id, batch, isLast ? last.index : -1, limit - views.length],
    );
    for (const row of rows) views.push(toView(row));
    if (views.length >= limit) break;
  }
  return views;
}

function isBefore(a: BatchRow, b: BatchRow): boolean {
  if (a.agent !== b.agent) return a.agent < b.agent;
  return a.boot === b.boot ? a.sequence < b.sequence : a.boot < b.boot;
}

/** The order of the tables is said, so that the walk is over windows and the others are looked up. */
const selectFrom = (n: number) =>
  `SELECT ${VIEW_COLUMNS} FROM windows_${n} AS w
   CROSS JOIN batches_${n} AS b ON b.batch = w.batch CROSS JOIN lines_${n} AS l ON l.line = w.line`;
