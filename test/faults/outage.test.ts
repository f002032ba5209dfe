/**
 * A long outage in simulated time: ten devices, a window a second each, half a batch a second as a live agent makes
 * them, one episode an hour. `npm run faults` (LINEHERON_KILLS) takes 72 hours and the default spool, a plain run one
 * hour and a spool scaled alike; both report what a window takes.
 */
import type { ScoredWindow } from '@lineheron/models';
import { expect, it } from 'vitest';
import { Counters } from '../../agent/src/counters.js';
import { BatchBuilder, type BuiltBatch } from '../../agent/src/score/batch.js';
import { Spool } from '../../agent/src/spool/spool.js';
import { silentLog, until, withFolder } from '../../agent/src/test-support.js';
import { report } from '../support/report.js';

const HOURS = process.env.LINEHERON_KILLS ? 72 : 1;
const MIB = 1024 * 1024;
/** The default of 256 MiB is for 72 hours here. */
const DEFAULT_BYTES = Math.round((256 * MIB * HOURS) / 72);
const DEVICES = 10;
const BATCHES_AT_ONCE = 50;
const EPISODE = { every: 3600, from: 1800, seconds: 60 };

function windowAt(second: number, device: number, id: string, random: () => number): ScoredWindow {
  const into = (second % EPISODE.every) - EPISODE.from;
  const suspect = device === 3 && into >= 0 && into < EPISODE.seconds;
  return {
    ...{ scope: 'device' as const, device: `line-${device}`, records: 30, state: 'scored' as const },
    end: new Date(1_767_225_600_000 + second * 1000).toISOString(),
    ...{ score: random(), threshold: 0.61, suspect, reasons: [], episode: suspect ? id : null },
    features: Array.from({ length: 19 }, (_, at) => (at > 14 ? at : random() * 30)),
  };
}

/** Numbers between 0 and 1 of eight digits, the same every time. Making each anew would be most of the test's time. */
function repeatedRandom(count: number): () => number {
  let state = 1;
  const numbers = Float64Array.from({ length: count }, () => {
    state = (state * 48_271) % 2_147_483_647;
    return Number((state / 2_147_483_647).toPrecision(8));
  });
  let at = 0;
  return () => numbers[at++ % count]!;
}

/** Everything that a spool is given while nobody acknowledges; returns windows and bytes of JSON. */
async function outage(spool: Spool) {
  const random = repeatedRandom(100_003);
  let nowMs = 1_767_225_600_000;
  const origin = { agent: 'gw-1', boot: '0123456789abcdef', fingerprint: '59dd2e9c1d7c38b0' };
  const builder = new BatchBuilder(origin, () => nowMs);
  const made = { windows: 0, jsonBytes: 0, suspects: 0 };
  let batches: BuiltBatch[] = [];
  for (let second = 0; second < HOURS * 3600; second++) {
    for (let device = 0; device < DEVICES; device++) {
      if (device % 5 === 0) nowMs += 500;
      builder.reserve(null, 1, 2_000);
      const wire = windowAt(second, device, builder.nextId(), random);
      if (wire.suspect) made.suspects += 1;
      builder.append({ wire });
      if (device % 5 === 4) batches.push(...builder.take());
    }
    if (batches.length < BATCHES_AT_ONCE) continue;
    for (const { windows, bytes } of batches) {
      made.windows += windows;
      made.jsonBytes += bytes.length;
    }
    await spool.append({ position: { second }, batches });
    batches = [];
  }
  return made;
}

function occurrences(bytes: Buffer, what: string): number {
  let count = 0;
  for (let at = bytes.indexOf(what); at >= 0; at = bytes.indexOf(what, at + 1)) count += 1;
  return count;
}

/** What would be sent when it is over. */
async function waiting(spool: Spool) {
  const found = { windows: 0, suspects: 0 };
  for (;;) {
    const next = spool.oldest(() => false);
    if (!next) return found;
    const json = (await spool.read(next))!;
    found.windows += occurrences(json, '"scope":');
    found.suspects += occurrences(json, '"suspect":true');
    spool.acknowledge([{ boot: next.boot, from: next.sequence, to: next.sequence }]);
  }
}

it.each([
  ['sized for it loses nothing', 4 * DEFAULT_BYTES],
  ['of the default size loses only quiet windows, thinned', DEFAULT_BYTES],
])(
  'after a long outage a spool %s',
  (name, maxBytes) =>
    withFolder(async (folder) => {
      const counters = new Counters();
      const segmentBytes = Math.round(maxBytes / 64);
      const options = { folder, maxBytes, segmentBytes, whenFull: 'thin' as const, log: silentLog, counters };
      const spool = new Spool(options);
      await spool.start();
      const before = process.memoryUsage().rss;
      const made = await outage(spool);
      // Each append may thin one segment after it: now all are.
      for (let segment = 0; segment < 80; segment++) await spool.append({ position: null, batches: [] });
      const rssMiB = Math.round((process.memoryUsage().rss - before) / MIB);
      const bytes = spool.bytes;
      const { batches } = spool;
      const found = await waiting(spool);
      const thinned = counters.get('spool_thinned_windows');
      const perWindow = { json: made.jsonBytes / made.windows, spool: bytes / found.windows };
      const figures = { hours: HOURS, made, found, thinned, batches, bytes, perWindow, rssMiB };
      report(`outage, a spool ${name}`, figures);
      expect(found.windows + thinned).toBe(made.windows);
      expect(found.suspects).toBe(made.suspects);
      expect(counters.get('spool_dropped_windows')).toBe(0);
      if (maxBytes > DEFAULT_BYTES) expect(thinned).toBe(0);
      else expect(thinned).toBeGreaterThan(0);
      await until('the spool to be empty', () => spool.batches === 0);
      await spool.close();
    }),
  1_800_000,
);
