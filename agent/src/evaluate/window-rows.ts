/** What the window models see of a series: each column's value beside statistics of its last ten samples. Pure. */
import { MAX_VALUE } from './csv.js';

const SAMPLES = 10;
const STATISTICS = ['value', 'mean', 'variance', 'max', 'p95'] as const;

export function windowColumns(columns: readonly string[]): string[] {
  return columns.flatMap((column) => STATISTICS.map((statistic) => `${column}_${statistic}`));
}

/** Row-major in and out, five columns for each one; what is unknown stays out, NaN where nothing is known. */
export function windowRows(rows: Float64Array, columns: number): Float64Array {
  const count = rows.length / columns;
  const out = new Float64Array(rows.length * STATISTICS.length);
  const recent: number[] = [];
  for (let row = 0; row < count; row += 1) {
    for (let column = 0; column < columns; column += 1) {
      recent.length = 0;
      for (let back = Math.max(0, row - SAMPLES + 1); back <= row; back += 1) {
        const value = rows[back * columns + column]!;
        if (!Number.isNaN(value)) recent.push(value);
      }
      const at = (row * columns + column) * STATISTICS.length;
      out[at] = rows[row * columns + column]!;
      out.set(statistics(recent), at + 1);
    }
  }
  return out;
}

/** Mean, population variance, largest, 95th percentile (interpolated, as numpy's default). */
function statistics(values: number[]): [number, number, number, number] {
  if (values.length === 0) return [Number.NaN, Number.NaN, Number.NaN, Number.NaN];
  const middle = values.reduce((sum, value) => sum + value, 0) / values.length;
  const variance = values.reduce((sum, value) => sum + (value - middle) ** 2, 0) / values.length;
  values.sort((a, b) => a - b);
  const place = 0.95 * (values.length - 1);
  const [low, high] = [values[Math.floor(place)]!, values[Math.ceil(place)]!];
  const p95 = low + (place - Math.floor(place)) * (high - low);
  // The square of what a cell may hold can be more than the models take.
  return [middle, Math.min(variance, MAX_VALUE), values.at(-1)!, p95];
}
