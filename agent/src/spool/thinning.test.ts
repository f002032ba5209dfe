/** What a spool that runs full lets go and what it keeps, on a real disk. */
import type { ScoreBatch, ScoredWindow } from '@lineheron/models';
import { scoreBatchSchema } from '@lineheron/models';
import { expect, it } from 'vitest';
import { Counters } from '../counters.js';
import { BatchBuilder, type BuiltBatch } from '../score/batch.js';
import { silentLog, until, withFolder } from '../test-support.js';
import { Spool } from './spool.js';

const BOOT = '0123456789abcdef';
const START_MS = Date.UTC(2026, 0, 1);
/** As the disk would have it: fewer, larger appends. */
const BATCHES_AT_ONCE = 20;
const DEVICES = ['a', 'b', 'c'];
/** Device `b` has an episode then, in seconds. */
const EPISODE = { from: 1_000, to: 1_030 };

const noise = (seed: number) => {
  let state = seed;
  return () => {
    state = (state * 48_271) % 2_147_483_647;
    return Number((state / 2_147_483_647).toPrecision(8));
  };
};

function windowOf(device: string, second: number, id: string, random: () => number): ScoredWindow {
  const inEpisode = device === 'b' && second >= EPISODE.from && second <= EPISODE.to;
  return {
    scope: 'device',
    device,
    end: new Date(START_MS + second * 1000).toISOString(),
    records: 30,
    state: 'scored',
    score: random(),
    threshold: 0.6,
    suspect: inEpisode && second % 2 === 0,
    features: Array.from({ length: 19 }, random),
    reasons: [],
    episode: inEpisode ? id : null,
  };
}

async function open(folder: string, maxBytes: number) {
  const counters = new Counters();
  const options = { folder, maxBytes, segmentBytes: maxBytes / 16, whenFull: 'thin' as const };
  const spool = new Spool({ ...options, log: silentLog, counters });
  await spool.start();
  return { spool, counters };
}

/** Fills a spool second by second, as an agent without a connection does. */
async function fill(spool: Spool, seconds: number, seed = 1): Promise<number> {
  const random = noise(seed);
  let nowMs = START_MS;
  const builder = new BatchBuilder(
    { agent: 'gw-1', boot: BOOT, fingerprint: '59dd2e9c1d7c38b0' },
    () => nowMs,
  );
  let windows = 0;
  let batches: BuiltBatch[] = [];
  for (let second = 0; second < seconds; second++) {
    nowMs += 1000;
    for (const device of DEVICES) {
      builder.reserve(null, 1, 2_000);
      builder.append({ wire: windowOf(device, second, builder.nextId(), random) });
      windows += 1;
    }
    batches.push(...builder.take());
    if (batches.length < BATCHES_AT_ONCE && second < seconds - 1) continue;
    await spool.append({ position: { second }, batches });
    batches = [];
  }
  return windows;
}

/** All that would be sent, oldest first. */
async function drained(spool: Spool): Promise<ScoreBatch[]> {
  const batches: ScoreBatch[] = [];
  const seen = new Set<string>();
  for (;;) {
    const next = spool.oldest(({ boot, sequence }) => seen.has(`${boot} ${sequence}`));
    if (!next) return batches;
    seen.add(`${next.boot} ${next.sequence}`);
    batches.push(scoreBatchSchema.parse(JSON.parse((await spool.read(next))!.toString())));
  }
}

const idsOf = (batches: readonly ScoreBatch[]) =>
  batches.flatMap(({ boot, sequence, windows }) =>
    windows.map((window, at) => `${boot}/${sequence}/${window.index ?? at} ${window.device} ${window.end}`),
  );

it('over half full keeps a quiet window a minute and device, and all around an episode, with their ids', () =>
  withFolder(async (folder) => {
    const { spool, counters } = await open(folder, 512 * 1024);
    const made = await fill(spool, 3_000);
    await until('the spool to be relieved', () => spool.bytes <= 300 * 1024);
    const batches = await drained(spool);
    const windows = batches.flatMap((batch) => batch.windows);
    expect(counters.get('spool_dropped_windows')).toBe(0);
    expect(counters.get('spool_thinned_windows')).toBe(made - windows.length);
    const secondsOf = (device: string) =>
      windows
        .filter((window) => window.device === device)
        .map(({ end }) => (Date.parse(end) - START_MS) / 1000);
    const around = secondsOf('b').filter(
      (second) => second >= EPISODE.from - 60 && second <= EPISODE.to + 60,
    );
    expect(around).toEqual(Array.from({ length: 151 }, (_, at) => EPISODE.from - 60 + at));
    const before = secondsOf('a').filter((second) => second < 900);
    expect(before).toEqual(Array.from({ length: 15 }, (_, at) => 60 * at));
    // A window's id is what it was when it was made: three windows a batch, one batch a second.
    for (const { sequence, windows: inside } of batches) {
      for (const [at, window] of inside.entries()) {
        expect(sequence).toBe((Date.parse(window.end) - START_MS) / 1000 + 1);
        expect(DEVICES[window.index ?? at]).toBe(window.device);
      }
    }
    await spool.close();
  }));

it('leaves no hole: every sequence is sent, or stood for by the next that is', () =>
  withFolder(async (folder) => {
    const { spool } = await open(folder, 512 * 1024);
    await fill(spool, 3_000);
    await until('the spool to be relieved', () => spool.bytes <= 300 * 1024);
    let next = 1;
    for (const { first, sequence } of await drained(spool)) {
      expect(first ?? sequence).toBe(next);
      next = sequence + 1;
    }
    expect(next).toBe(3_001);
    await spool.close();
  }));

it('gives the same back after a restart, and thins nothing twice', () =>
  withFolder(async (folder) => {
    const first = await open(folder, 512 * 1024);
    await fill(first.spool, 3_000);
    await until('the spool to be relieved', () => first.spool.bytes <= 300 * 1024);
    const before = idsOf(await drained(first.spool));
    await first.spool.close();
    const again = await open(folder, 512 * 1024);
    expect(idsOf(await drained(again.spool))).toEqual(before);
    expect(again.spool.position).toEqual({ second: 2_999 });
    await again.spool.close();
  }));

it('lets go of every quiet window before it drops what happened', () =>
  withFolder(async (folder) => {
    const { spool, counters } = await open(folder, 112 * 1024);
    await fill(spool, 6_000);
    const windows = (await drained(spool)).flatMap((batch) => batch.windows);
    expect(spool.bytes).toBeLessThanOrEqual(112 * 1024);
    expect(counters.get('spool_dropped_windows')).toBe(0);
    const episode = windows.filter((window) => window.episode !== null);
    expect(episode).toHaveLength(EPISODE.to - EPISODE.from + 1);
    const early = windows.filter(({ end }) => Date.parse(end) < START_MS + 900_000);
    expect(early).toEqual([]);
    await spool.close();
  }));

it('keeps what is acknowledged while a segment is written anew acknowledged', () =>
  withFolder(async (folder) => {
    const { spool } = await open(folder, 256 * 1024);
    const acknowledging = setInterval(() => {
      const oldest = spool.oldest(() => false);
      if (oldest) spool.acknowledge([{ boot: BOOT, from: oldest.sequence, to: oldest.sequence + 50 }]);
    }, 1);
    await fill(spool, 3_000);
    clearInterval(acknowledging);
    const before = idsOf(await drained(spool));
    await spool.close();
    const again = await open(folder, 256 * 1024);
    expect(idsOf(await drained(again.spool))).toEqual(before);
    await again.spool.close();
  }));
