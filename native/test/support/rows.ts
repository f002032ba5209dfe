/** Made-up lines and rows for the border's tests; seeded, so that every run sees the same. */

/** A small generator (mulberry32): uniform in [0, 1). */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

/** Row-major rows near a line through `columns` dimensions; every tenth value is unknown. */
export function lineRows(count: number, columns: number, seed: number): Float64Array {
  const random = seeded(seed);
  const rows = new Float64Array(count * columns);
  for (let row = 0; row < count; row += 1) {
    const position = random() * 10;
    for (let column = 0; column < columns; column += 1) {
      const value = 50 + position * (column + 1) + random();
      rows[row * columns + column] = random() < 0.1 ? Number.NaN : value;
    }
  }
  return rows;
}

export const START_MS = Date.UTC(2026, 0, 1);

/** One canonical line a second and device, calm, with `faultAt` seconds of latency × 8 at the end. */
export function calmLines(seconds: number, devices: number, faultFrom = Number.POSITIVE_INFINITY): Buffer {
  const random = seeded(7);
  const lines: string[] = [];
  for (let second = 0; second < seconds; second += 1) {
    for (let device = 0; device < devices; device += 1) {
      const calm = 20 * Math.exp(0.3 * (random() + random() + random() - 1.5));
      const record = {
        timestamp: new Date(START_MS + second * 1000).toISOString(),
        device_id: `modem-${device}`,
        latency_ms: second >= faultFrom && device === 0 ? calm * 8 : calm,
        packet_loss_pct: random() < 0.2 ? random() : 0,
        retry_count: random() < 0.1 ? 1 : 0,
        error_code: random() < 0.02 ? 503 : 200,
        traffic_volume_mb: 5 + random(),
        connection_resets: random() < 0.02 ? 1 : 0,
      };
      lines.push(`${JSON.stringify(record)}\n`);
    }
  }
  return Buffer.from(lines.join(''));
}
