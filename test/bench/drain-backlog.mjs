/**
 * A part of `npm run bench:drain`: a spool with what an outage leaves, written by the agent's own spool: ten devices,
 * a window a second each, a batch every half second, one episode an hour.
 */
import { BatchBuilder } from '../../agent/dist/score/batch.js';
import { Spool } from '../../agent/dist/spool/spool.js';
import { Engine } from '../../native/index.js';

const MIB = 1024 * 1024;
const DEVICES = 10;
const BATCHES_AT_ONCE = 200;
const EPISODE = { every: 3600, from: 1800, seconds: 60 };
const OUTAGE_MS = 72 * 3_600_000;
const BOOT = '00000000000000b1';
const silent = { debug() {}, info() {}, warn() {}, error: console.error };

/** A seeded generator, so that every run writes the same windows. */
function randomFrom(seed) {
  let state = seed;
  return () => {
    state = (state * 48_271) % 2_147_483_647;
    return Number((state / 2_147_483_647).toPrecision(8));
  };
}

function windowAt({ second, device, id, endMs, columns, random }) {
  const into = (second % EPISODE.every) - EPISODE.from;
  const suspect = device === 3 && into >= 0 && into < EPISODE.seconds;
  return {
    ...{ scope: 'device', device: `line-${device}`, records: 30, state: 'scored' },
    end: new Date(endMs).toISOString(),
    ...{ score: suspect ? 0.9 : 0.6 * random(), threshold: 0.61, suspect, reasons: [] },
    episode: suspect ? id : null,
    features: Array.from({ length: columns }, (_, at) => (at > 14 ? at : random() * 30)),
  };
}

/** Fills a spool in `folder` with `maxBytes`, and resolves to what is in it. The outage began 72 hours ago. */
export async function writeBacklog({ folder, agent, maxBytes }) {
  const engine = new Engine({});
  const columns = engine.features.length;
  const random = randomFrom(1);
  const startMs = Date.now() - OUTAGE_MS;
  let nowMs = startMs;
  const builder = new BatchBuilder({ agent, boot: BOOT, fingerprint: engine.fingerprint }, () => nowMs);
  const counters = { add() {}, get: () => 0 };
  const bounds = { maxBytes: 2 * maxBytes + 64 * MIB, segmentBytes: 16 * MIB, whenFull: 'wait' };
  const spool = new Spool({ folder, ...bounds, log: silent, counters });
  await spool.start();
  let [second, windows] = [0, 0];
  for (let batches = []; spool.bytes < maxBytes; batches = []) {
    for (; batches.length < BATCHES_AT_ONCE; second++) {
      const endMs = startMs + second * 1000;
      for (let device = 0; device < DEVICES; device++) {
        nowMs = endMs + (device < DEVICES / 2 ? 0 : 500);
        builder.reserve(null, 1, 2_000);
        const id = builder.nextId();
        builder.append({ wire: windowAt({ second, device, id, endMs, columns, random }) });
        windows += 1;
        if (device % 5 === 4) batches.push(...builder.take());
      }
    }
    await spool.append({ position: undefined, batches });
  }
  const made = { boot: BOOT, hours: second / 3600, windows, batches: spool.batches, bytes: spool.bytes };
  await spool.close();
  return made;
}
