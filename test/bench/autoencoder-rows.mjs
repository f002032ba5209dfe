/** Rows for bench:autoencoder: nineteen features that hang together by four hidden causes, with noise. */
import { writeFileSync } from 'node:fs';

export const COLUMNS = 19;
const CAUSES = 4;

/** A small seeded generator (mulberry32) of numbers in [0, 1). */
function uniform(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** `count` rows, row-major; the causes' weights are the same for every seed. */
export function makeRows(count, seed) {
  const [fixed, draw] = [uniform(7), uniform(seed)];
  const normal = (next) => next() + next() + next() + next() - 2;
  const weights = Array.from({ length: COLUMNS * CAUSES }, () => normal(fixed));
  const rows = new Float64Array(count * COLUMNS);
  for (let row = 0; row < count; row += 1) {
    const causes = Array.from({ length: CAUSES }, () => normal(draw));
    for (let column = 0; column < COLUMNS; column += 1) {
      const sum = causes.reduce((total, cause, at) => total + cause * weights[column * CAUSES + at], 0);
      rows[row * COLUMNS + column] = 50 + 10 * sum + normal(draw);
    }
  }
  return rows;
}

export function writeRows(file, rows) {
  writeFileSync(file, new Uint8Array(rows.buffer, rows.byteOffset, rows.byteLength));
}
