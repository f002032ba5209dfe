/**
 * What makes simulated lines less kind than the generator's own: each changes what lines normally do, faults and
 * labels stay as they are, so that an alarm at such a change counts as false.
 *
 * `tails`: latency and traffic have Student's t of five degrees of freedom in their logarithm. `daily`: latency goes
 * up and down by 40 % over a day. `regimes`: every 1.5 h on average a device's latency and traffic go to another
 * level, 0.6 to 1.7 times their own. `correlated`: one slow factor moves all devices of the gateway together.
 */
import { Random } from '../../agent/dist/source/random.js';

/** Apart from every stream of the generator, which has one a device. */
const STREAM = 1000;
const DAY_MS = 86_400_000;
const REGIME_S = 5400;
const KEPT = 0.98;

function tails() {
  const student = (random) => {
    const spread = [0, 0, 0, 0, 0].reduce((sum) => sum + random.normal() ** 2, 0) / 5;
    return random.normal() / Math.sqrt(spread);
  };
  return (_device, _timeMs, random) => [Math.exp(0.08 * student(random)), Math.exp(0.15 * student(random))];
}

function daily() {
  return (_device, timeMs) => [1 + 0.4 * Math.sin((timeMs / DAY_MS - 10 / 24) * 2 * Math.PI), 1];
}

function regimes() {
  const devices = new Map();
  const level = (random) => Math.exp(random.between(Math.log(0.6), Math.log(1.7)));
  return (device, timeMs, random) => {
    const known = devices.get(device) ?? {
      untilMs: timeMs + random.exponential(REGIME_S) * 1000,
      at: [1, 1],
    };
    devices.set(device, known);
    if (timeMs >= known.untilMs) {
      known.untilMs = timeMs + random.exponential(REGIME_S) * 1000;
      known.at = [level(random), level(random)];
    }
    return known.at;
  };
}

function correlated() {
  let [atMs, common] = [Number.NaN, 0];
  return (_device, timeMs, random) => {
    if (timeMs !== atMs) common = KEPT * common + Math.sqrt(1 - KEPT ** 2) * random.normal();
    atMs = timeMs;
    return [Math.exp(0.12 * common), Math.exp(0.25 * common)];
  };
}

const KINDS = { tails, daily, regimes, correlated };

/** What `--lines` takes: the generator's own, each kind by itself, and all at once. */
export const LINES = ['base', ...Object.keys(KINDS), 'all'];

/** Changes the records of one moment, in place. */
export function harderLines(lines, seed) {
  const names = lines === 'all' ? Object.keys(KINDS) : lines === 'base' ? [] : [lines];
  const parts = names.map((name, at) => [KINDS[name](), new Random(seed, STREAM + at)]);
  return (records, timeMs) => {
    for (const record of records) {
      for (const [part, random] of parts) {
        const [latency, traffic] = part(record.device_id, timeMs, random);
        record.latency_ms = Math.round(record.latency_ms * latency * 100) / 100;
        record.traffic_volume_mb = Math.round(record.traffic_volume_mb * traffic * 1000) / 1000;
      }
    }
    return records;
  };
}
