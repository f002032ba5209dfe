/**
 * The file of `--json`, of one shape for every benchmark of figures: an array of
 * `{name, value, unit, peer, peer_value, ratio}`, times in µs whatever the table shows, but for a figure whose name ends
 * in its unit; without a peer its three are null.
 */
import { writeFileSync } from 'node:fs';

const MICROSECONDS = { s: 1e6, ms: 1e3 };

/** One figure as it stands in the file. */
export function entryOf({ name, value, unit, peer = null, peer_value = null, ratio = null }) {
  const factor = MICROSECONDS[unit];
  const inUs = (time) => (time === null ? null : time * factor);
  if (factor === undefined || name.endsWith(`_${unit}`))
    return { name, value, unit, peer, peer_value, ratio };
  return { name, value: inUs(value), unit: 'µs', peer, peer_value: inUs(peer_value), ratio };
}

export function writeResults(file, results) {
  writeFileSync(file, `${JSON.stringify(results.map(entryOf), null, 2)}\n`);
}
