/**
 * The data of the benchmark, seeded: rows for both sides as a file of little-endian f64, and lines for the engine.
 * Rows are standard normal with 5 % outliers, whose values are uniform in ±8.
 */
import { writeFileSync } from 'node:fs';

const OUTLIER_SHARE = 0.05;
const OUTLIER_RANGE = 8;
const START_MS = Date.UTC(2026, 0, 1);

/** A small generator (mulberry32): uniform in [0, 1). */
export function seeded(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

function normal(random) {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}

/** Row-major rows. */
export function makeRows(count, columns, seed) {
  const random = seeded(seed);
  const rows = new Float64Array(count * columns);
  for (let row = 0; row < count; row += 1) {
    const outlier = random() < OUTLIER_SHARE;
    for (let column = 0; column < columns; column += 1) {
      rows[row * columns + column] = outlier ? (random() * 2 - 1) * OUTLIER_RANGE : normal(random);
    }
  }
  return rows;
}

/** Writes rows where the peers read them. */
export function writeRows(path, rows) {
  writeFileSync(path, new Uint8Array(rows.buffer, rows.byteOffset, rows.byteLength));
}

/** Canonical lines of `devices` devices, each reporting `perSecond` times a second, in order of time. */
export function makeLines({ devices, perSecond, count, seed, from = 0 }) {
  const random = seeded(seed);
  const lines = [];
  for (let index = from; index < from + count; index += 1) {
    const time = START_MS + Math.floor((index * 1000) / (devices * perSecond));
    const record = {
      timestamp: new Date(time).toISOString(),
      device_id: `modem-${String(index % devices).padStart(5, '0')}`,
      latency_ms: Math.round(20_000 * Math.exp(0.3 * normal(random))) / 1000,
      packet_loss_pct: random() < 0.2 ? Math.round(random() * 100) / 100 : 0,
      retry_count: random() < 0.1 ? 1 : 0,
      error_code: random() < 0.02 ? 503 : 200,
      traffic_volume_mb: Math.round(5000 + 1000 * random()) / 1000,
      connection_resets: random() < 0.02 ? 1 : 0,
    };
    lines.push(JSON.stringify(record), '\n');
  }
  return Buffer.from(lines.join(''));
}
