/** Drift against a model that was really trained, and what follows: a candidate, and nothing more until it is accepted. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DEFAULT_FEATURES, MIN_ROWS } from '@lineheron/models';
import { ModelStore, ProfileFiles } from '@lineheron/models/persist';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FINGERPRINT, makeFeatures, START_MS } from '../testing/messages.js';
import { AutoencoderTrainer, type HistoryRows } from './autoencoder-trainer.js';
import { Candidates } from './candidates.js';
import { DriftMonitor } from './drift-monitor.js';
import { QuantileFiles } from './quantiles.js';
import { Reviewer } from './reviewer.js';

const WINDOW_MS = 1000;
const featuresOf = () => DEFAULT_FEATURES;
let folder: string;
let nowMs: number;
const stops: Array<() => Promise<void>> = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lineheron-candidates-'));
  nowMs = START_MS;
});

afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
  await rm(folder, { recursive: true, force: true });
});

/** Features around a level; the factor spreads the rows' wobble so that no two are alike. */
const rowAt = (level: number, at: number) => makeFeatures(level, at * 2.399);

function historyAt(level: number, count = 300): HistoryRows {
  const rows = Array.from({ length: count }, (_, at) => rowAt(level, at).map((x) => x ?? Number.NaN));
  return {
    columns: DEFAULT_FEATURES.length,
    rows: Float32Array.from(rows.flat()),
    agents: ['gw-1'],
    counts: [count],
    lines: [{ agent: 'gw-1', device: 'modem-1', rows: count }],
    oldestMs: START_MS,
    newestMs: START_MS + count * WINDOW_MS,
  };
}

function filesIn(path: string) {
  return {
    models: new ModelStore(path),
    quantiles: new QuantileFiles(path),
    profiles: new ProfileFiles(path),
  };
}

async function build(at = 0, trained = false) {
  const onProblem = (message: string) => {
    throw new Error(message);
  };
  const [used, own] = [filesIn(folder), filesIn(join(folder, 'candidates'))];
  const reviewer = new Reviewer({ ...used, featuresOf, onProblem });
  const fitting = { seed: 1, thresholdPercentile: 95, windowSeconds: 1, now: () => nowMs };
  const use = reviewer.use.bind(reviewer);
  const trainer = new AutoencoderTrainer({ ...fitting, ...used, use });
  const drift = new DriftMonitor((scope, fingerprint) => reviewer.profileOf(scope, fingerprint), featuresOf);
  const kind = { scope: 'device' as const, fingerprint: FINGERPRINT };
  const train = (level: number) =>
    trainer.fit({ ...kind, gathered: [], history: historyAt(level), epochs: 5 });
  if (trained) await reviewer.start();
  else await train(1);
  let level = 1;
  const inUse = () => reviewer.loaded.map(({ manifest }) => manifest);
  const candidates = new Candidates({
    own,
    used,
    trainer: new AutoencoderTrainer({ ...fitting, ...own, use: async () => {} }),
    epochs: 5,
    now: () => nowMs,
    history: async () => historyAt(level),
    covered: () => ['gw-1'],
    inUse,
    use,
    lasting: () => drift.lasting,
    isTraining: () => false,
    onChange: () => {},
    onProblem,
  });
  await candidates.start();
  stops.push(() => candidates.stop());
  /** So many windows of one line at a level, each a window's length after the one before. */
  const feed = (windows: number, newLevel: number) => {
    level = newLevel;
    for (let n = 0; n < windows; n++) {
      nowMs += WINDOW_MS;
      const window = { ...kind, agent: 'gw-1', device: 'modem-1', endMs: nowMs, windowMs: WINDOW_MS };
      drift.add({ ...window, features: rowAt(newLevel, 1000 + at++), score: null });
    }
  };
  const view = () => drift.view('device', FINGERPRINT)[0];
  return { reviewer, drift, candidates, feed, inUse, train, view, fed: () => at };
}

/** The same over its own files after a restart. */
async function rebuilt(before: Awaited<ReturnType<typeof build>>) {
  await before.reviewer.stop();
  const after = await build(before.fed(), true);
  expect(after.drift.load(before.drift.save())).toEqual({ known: 1, anew: 0 });
  return after;
}

describe('drift of an agent', () => {
  it('is unknown at first, then none while its windows look as in training', async () => {
    const { drift, feed, view, reviewer } = await build();
    feed(MIN_ROWS - 1, 1);
    expect(view()).toMatchObject({ agent: 'gw-1', state: 'too_little', psi: null });
    feed(400, 1);
    expect(view()).toMatchObject({ state: 'none', since: null });
    expect(drift.lasting).toEqual([]);
    await reviewer.stop();
  });

  it('counts of overlapping windows one in a window length', async () => {
    const { drift, view, reviewer } = await build();
    for (let n = 0; n < 1000; n++) {
      const kind = { scope: 'device' as const, fingerprint: FINGERPRINT, agent: 'gw-1', device: 'modem-1' };
      const features = rowAt(1, n);
      drift.add({ ...kind, endMs: START_MS + n * 100, windowMs: WINDOW_MS, features, score: 1 });
    }
    expect(view()?.windows).toBe(100);
    await reviewer.stop();
  });
});

describe('a restart', () => {
  it('takes nothing from what is known of drift, and trains no candidate in the place of one that waits', async () => {
    const first = await build();
    first.feed(100, 1);
    const again = await rebuilt(first);
    again.feed(60, 2);
    expect(again.drift.lasting).toEqual([]);
    const last = await rebuilt(again);
    expect(last.view()).toEqual(again.view());
    last.feed(MIN_ROWS - 20, 2);
    expect(last.drift.lasting).toHaveLength(1);
    await last.candidates.look();
    const [waiting] = last.candidates.view();
    const after = await rebuilt(last);
    await after.candidates.look();
    expect(after.candidates.view()).toEqual([waiting]);
    await after.reviewer.stop();
  });

  it('begins anew with another model, and refuses what is damaged', async () => {
    const { drift, feed, reviewer, train } = await build();
    feed(200, 1);
    const kept = drift.save();
    expect(() => drift.load(kept.subarray(1))).toThrow('checksum');
    await train(2);
    const other = new DriftMonitor(
      (scope, fingerprint) => reviewer.profileOf(scope, fingerprint),
      featuresOf,
    );
    expect(other.load(kept)).toEqual({ known: 0, anew: 1 });
    expect(other.view('device', FINGERPRINT)).toEqual([]);
    await reviewer.stop();
  });
});

describe('lasting drift', () => {
  it('is named by its feature and trains a candidate, and the model in use stays until a person accepts it', async () => {
    const { drift, candidates, feed, inUse, view, reviewer } = await build();
    await candidates.look();
    expect(candidates.view()).toEqual([]);
    const [before] = inUse();
    feed(300, 2);
    expect(view()).toMatchObject({ state: 'lasting', since: expect.stringMatching(/^2026/) });
    expect(view()!.psi).toBeGreaterThan(view()!.bound!);
    expect(view()!.feature).not.toBeNull();
    await candidates.look();
    const [candidate, ...rest] = candidates.view();
    expect(rest).toEqual([]);
    expect(candidate).toMatchObject({ scope: 'device', rows: 300, agents: 1 });
    expect(inUse()).toEqual([before]);
    expect(await candidates.accept('f'.repeat(64))).toBe(false);
    expect(await candidates.accept(candidate!.sha256)).toBe(true);
    expect(inUse()).toMatchObject([{ sha256: candidate!.sha256, release: 2 }]);
    expect(candidates.view()).toEqual([]);
    // The new level is what the new model knows.
    feed(300, 2);
    expect(view()).toMatchObject({ state: 'none' });
    expect(drift.lasting).toEqual([]);
    await reviewer.stop();
  });
});
