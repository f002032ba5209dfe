/** What an engine and the drift meters know, through files and back into new ones: no mocks but the clock. */
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ModelStore, ProfileFiles } from '@lineheron/models/persist';
import { beforeAll, describe, expect, it } from 'vitest';
import { Counters } from '../counters.js';
import { buildKept } from '../parts.js';
import { testScoring } from '../test-scoring.js';
import { silentLog, withFolder } from '../test-support.js';
import { ForestDrift } from './forest-drift.js';
import { type Fitted, Forests } from './forests.js';

const START_MS = Date.UTC(2026, 0, 1);
const NOW_MS = START_MS + 86_400_000;
const WINDOW_SECONDS = 2;
const WINDOW_MS = WINDOW_SECONDS * 1000;

/** One line a second, its latency around a level. */
function lines(from: number, to: number, level = 20): Buffer {
  const line = (second: number) =>
    JSON.stringify({
      timestamp: START_MS + second * 1000,
      device_id: 'modem-1',
      latency_ms: level + Math.sin(second * 1.7) + Math.cos(second * 0.9),
      packet_loss_pct: (second * 7919) % 13 === 0 ? 1 : 0,
    });
  return Buffer.from(`${Array.from({ length: to - from }, (_, second) => line(from + second)).join('\n')}\n`);
}

/** The scoring part of an agent in its data folder, as it is after a start. */
async function start(folder: string) {
  const scoring = testScoring({
    engine: { windowSeconds: WINDOW_SECONDS, hopSeconds: 0, publishRecords: 'none' },
    // So large that scores reach the threshold.
    detection: { detecting: true, budget: 10_000 },
  });
  const { engine } = scoring;
  const clock = { nowMs: () => NOW_MS, monotonicMs: () => nowMs };
  let nowMs = 0;
  const said: string[] = [];
  const say = (fields: object, message: string) => void said.push(`${message} ${JSON.stringify(fields)}`);
  const log = { ...silentLog, info: say, warn: say } as typeof silentLog;
  const forests = new Forests({
    ...{ scoring, agent: 'gw-1', contamination: 0.1, seed: 1 },
    ...{ store: new ModelStore(folder), profiles: new ProfileFiles(folder), log: silentLog },
    ...clock,
  });
  const names = engine.features.map(({ name }) => name);
  const drift = new ForestDrift('gw-1', names, (scope) => forests.profileOf(scope));
  const counters = new Counters();
  const kept = buildKept(folder, { engine, drift }, { clock, log, counters });
  await forests.start();
  for (const one of kept) await one.start();
  const push = (from: number, to: number, level?: number) => {
    const { windows } = engine.push(lines(from, to, level), NOW_MS, true);
    const own = windows.filter(({ scope, state }) => scope === 'device' && state !== 'warming_up');
    for (const { device, endMs, features, score = null } of own) {
      drift.add('device', { device, endMs, features, score, windowMs: WINDOW_MS });
    }
    return own;
  };
  return {
    ...{ engine, forests, drift, said, push, counters },
    later: (ms: number) => {
      nowMs += ms;
    },
    keepDue: () => kept.map((one) => one.keepDue()),
    keep: async () => {
      for (const one of kept) await one.keep();
    },
    threshold: (from: number) => push(from, from + 1)[0]?.threshold,
    nats: (from: number) => push(from, from + 1)[0]?.baseline?.nats ?? null,
  };
}

let fitted: Fitted;

/** One that was trained and has seen enough since. */
async function experienced(folder: string) {
  const agent = await start(folder);
  await agent.forests.install(fitted);
  agent.push(0, 900);
  return agent;
}

beforeAll(() =>
  withFolder(async (folder) => {
    const { push, forests } = await start(folder);
    fitted = await forests.fit('device', push(0, 400));
  }),
);

describe('what is known of devices', () => {
  it('is after a restart what it was before: baselines, own thresholds, drift', () =>
    withFolder(async (folder) => {
      const before = await experienced(folder);
      await before.keep();
      const after = await start(folder);
      const told = ['the baselines', "the devices' own thresholds", 'the drift meters'];
      expect(after.said).toEqual(told.map((what) => `${what} go on as before the restart {"known":1}`));
      expect(after.drift.view()).toEqual(before.drift.view());
      expect(after.drift.view()).toMatchObject([{ state: 'none', windows: expect.any(Number) }]);
      after.engine.push(lines(890, 900), NOW_MS, false);
      const own = before.threshold(900);
      expect(after.threshold(900)).toBe(own);
      expect(own).not.toBe(before.forests.thresholdOf(fitted.draft));
      expect(after.nats(901)).toBe(before.nats(901));
    }));

  it('lets drift last over restarts that come more often than an hour', () =>
    withFolder(async (folder) => {
      const first = await start(folder);
      await first.forests.install(fitted);
      await first.keep();
      for (let at = 0; at < 8; at++) {
        const { push, keep, drift } = await start(folder);
        expect(drift.lasting).toEqual([]);
        push(1000 + 50 * at, 1050 + 50 * at, 40);
        await keep();
      }
      expect((await start(folder)).drift.lasting).toEqual(['device']);
    }));

  it('begins anew under another forest, and that is told', () =>
    withFolder(async (folder) => {
      const before = await experienced(folder);
      await before.keep();
      await before.forests.install(await before.forests.fit('device', before.push(900, 1200)));
      const { said, drift, threshold, forests, push } = await start(folder);
      expect(said).toEqual([
        expect.stringContaining('the baselines go on'),
        expect.stringMatching(/the devices' own thresholds begin anew .*another forest/),
        'the drift meters begin anew: their model is another one {"anew":1}',
      ]);
      expect(drift.view()).toMatchObject([{ windows: 0 }]);
      push(1195, 1200);
      expect(threshold(1200)).toBe(forests.models[0]!.threshold);
    }));

  it('is passed over where it is damaged, and the start goes on', () =>
    withFolder(async (folder) => {
      const before = await experienced(folder);
      await before.keep();
      for (const name of ['baselines.bin', 'own-tails.bin', 'drift.json']) {
        const path = join(folder, name);
        const bytes = await readFile(path);
        bytes[Math.floor(bytes.length / 2)]! ^= 1;
        await writeFile(path, bytes);
      }
      const { said, nats, drift } = await start(folder);
      expect(said).toHaveLength(3);
      for (const line of said) expect(line).toMatch(/ begin anew .*checksum is wrong/);
      expect(nats(900)).toBeNull();
      expect(drift.view()).toMatchObject([{ windows: 0 }]);
    }));

  it('is written once a minute, whole, and a disk that refuses is counted', () =>
    withFolder(async (folder) => {
      const agent = await experienced(folder);
      agent.later(59_999);
      agent.keepDue();
      expect(await readdir(folder)).not.toContain('drift.json');
      agent.later(1);
      agent.keepDue();
      await agent.keep();
      expect(
        (await readdir(folder)).filter((name) => /tmp|baselines|own-tails|drift/.test(name)).sort(),
      ).toEqual(['baselines.bin', 'drift.json', 'own-tails.bin']);
      const gone = buildKept(
        join(folder, 'absent'),
        { engine: agent.engine, drift: agent.drift },
        { clock: { monotonicMs: () => 0 }, log: silentLog, counters: agent.counters },
      );
      for (const one of gone) await one.keep();
      expect(agent.counters.snapshot()).toEqual({
        baseline_write_errors: 1,
        own_tail_write_errors: 1,
        drift_write_errors: 1,
      });
    }));

  it('has nothing to keep of own thresholds before there is a forest', () =>
    withFolder(async (folder) => {
      const agent = await start(folder);
      agent.push(0, 100);
      await agent.keep();
      expect((await readdir(folder)).sort()).toEqual(['baselines.bin', 'drift.json']);
      expect((await start(folder)).said).toEqual([expect.stringContaining('the baselines go on')]);
    }));
});
