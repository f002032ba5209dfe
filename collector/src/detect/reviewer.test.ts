/** Which lines an autoencoder may judge: those that it was trained on, and those that have shown to be like them. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DEFAULT_FEATURES } from '@lineheron/models';
import { ModelStore, ProfileFiles } from '@lineheron/models/persist';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FINGERPRINT, makeFeatures, START_MS } from '../testing/messages.js';
import { AutoencoderTrainer } from './autoencoder-trainer.js';
import { DeviceTails } from './device-tails.js';
import { QuantileFiles } from './quantiles.js';
import { Reviewer } from './reviewer.js';

const KIND = { scope: 'device' as const, fingerprint: FINGERPRINT };
const WINDOW_MS = 30_000;

let folder: string;
let reviewer: Reviewer;
let tails: DeviceTails;
let endMs = START_MS;

/** Features around a level, no two alike. */
const rowAt = (level: number, at: number) => makeFeatures(level, at * 2.399);

/** A reviewer whose model was trained on windows of `gw-1/modem-1`, and a few of `gw-1/newcomer`. */
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lineheron-reviewer-'));
  const files = {
    models: new ModelStore(folder),
    quantiles: new QuantileFiles(folder),
    profiles: new ProfileFiles(folder),
  };
  const onProblem = (message: string) => {
    throw new Error(message);
  };
  tails = new DeviceTails((scope, fingerprint) => reviewer.modelOf(scope, fingerprint));
  reviewer = new Reviewer({
    ...files,
    featuresOf: () => DEFAULT_FEATURES,
    isAlike: (line, manifest) => tails.isAlike(line, manifest),
    onProblem,
  });
  const trainer = new AutoencoderTrainer({
    ...files,
    ...{ seed: 1, thresholdPercentile: 95, windowSeconds: 1, now: () => START_MS },
    use: (manifest, payload) => reviewer.use(manifest, payload),
  });
  const gathered = Array.from({ length: 300 }, (_, at) => ({
    ...{ ...KIND, agent: 'gw-1', device: at % 60 === 0 ? 'newcomer' : 'modem-1' },
    ...{ endMs: START_MS + at * 1000, features: rowAt(1, at) },
  }));
  await trainer.fit({ ...KIND, gathered, history: null, epochs: 20 });
});

afterEach(async () => {
  await reviewer.stop();
  await rm(folder, { recursive: true, force: true });
});

async function review(agent: string, device: string, level: number, at = 1000) {
  const window = { ...KIND, agent, device, state: 'scored' as const, features: rowAt(level, at) };
  const [found] = await reviewer.review([window]);
  return found!;
}

/** So many of a line's own normal windows, as the edge finds them. */
async function live(agent: string, device: string, level: number, windows: number) {
  for (let at = 0; at < windows; at++) {
    endMs += WINDOW_MS;
    const { score } = await review(agent, device, level, 2000 + at);
    tails.add({ ...KIND, agent, device, endMs, windowMs: WINDOW_MS, score });
  }
}

describe('a reviewer', () => {
  it('judges the lines that it was trained on', async () => {
    expect(await review('gw-1', 'modem-1', 1)).toMatchObject({ unknownLine: false });
    expect(await review('gw-1', 'modem-1', 9)).toMatchObject({ unknownLine: false, suspect: true });
  });

  it('judges no other line of the same agent, nor one of which it saw a few windows, nor another agent', async () => {
    for (const [agent, device] of [
      ['gw-1', 'host'],
      ['gw-1', 'newcomer'],
      ['gw-2', 'modem-1'],
    ] as const) {
      const given = await review(agent, device, 9);
      expect(given).toMatchObject({ unknownLine: true, suspect: false, rare: false, reasons: [] });
      expect(given.score).toBeGreaterThan(given.threshold);
    }
  });

  it('judges a line once thirty of its normal windows have shown that it is like those', async () => {
    await live('gw-2', 'modem-7', 1, 29);
    expect(await review('gw-2', 'modem-7', 9)).toMatchObject({ unknownLine: true });
    await live('gw-2', 'modem-7', 1, 1);
    expect(await review('gw-2', 'modem-7', 9)).toMatchObject({ unknownLine: false, suspect: true });
  });

  it('never judges a line whose normal windows are of another kind', async () => {
    await live('gw-1', 'host', 3, 60);
    expect(await review('gw-1', 'host', 3)).toMatchObject({ unknownLine: true, suspect: false });
  });

  it('judges by likeness alone where its manifest is from before lines were counted', async () => {
    const [known] = reviewer.loaded;
    const { manifest } = known!;
    const stored = await new ModelStore(folder).load('autoencoder', 'device', FINGERPRINT);
    const { lines: _, ...old } = manifest;
    expect(manifest.lines).toEqual([
      { agent: 'gw-1', device: 'modem-1', rows: 295 },
      { agent: 'gw-1', device: 'newcomer', rows: 5 },
    ]);
    await reviewer.use({ ...old, v: 1 }, stored!.payload);
    expect(await review('gw-1', 'modem-1', 9)).toMatchObject({ unknownLine: true });
    await live('gw-1', 'modem-1', 1, 30);
    expect(await review('gw-1', 'modem-1', 9)).toMatchObject({ unknownLine: false, suspect: true });
  });
});
