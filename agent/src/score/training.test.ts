/** Training with the real engine and a real model store. */
import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { AgentEvent } from '@lineheron/models';
import { ModelStore } from '@lineheron/models/persist';
import { describe, expect, it } from 'vitest';
import type { Clock } from '../clock.js';
import { testScoring } from '../test-scoring.js';
import { silentLog, withFolder } from '../test-support.js';
import { Forests } from './forests.js';
import { History } from './history.js';
import { Training } from './training.js';

/** A clock that jumps over every pause and lets `onSleep` happen in it. */
function jumpingClock(onSleep: () => void = () => {}): Clock {
  let nowMs = 1_000_000;
  return {
    nowMs: () => nowMs,
    monotonicMs: () => nowMs,
    sleep: async (ms) => {
      nowMs += ms;
      onSleep();
    },
  };
}

async function build(
  folder: string,
  onSleep: (training: Training) => void = () => {},
  onFitted: (training: Training) => void = () => {},
) {
  const scoring = testScoring();
  const { engine } = scoring;
  const damage: string[] = [];
  const store = new ModelStore(join(folder, 'models'), (message) => damage.push(message));
  const clock = jumpingClock(() => onSleep(training));
  const forests = new Forests({
    scoring,
    store,
    agent: 'gw',
    contamination: 0.1,
    seed: 1,
    nowMs: () => {
      onFitted(training);
      return clock.nowMs();
    },
    monotonicMs: clock.monotonicMs,
    log: silentLog,
  });
  const history = (scope: string) =>
    new History({
      path: join(folder, `${scope}.bin`),
      fingerprint: engine.fingerprint,
      columns: 19,
      rows: 100,
    });
  const histories = { device: history('device'), gateway: history('gateway') };
  const events: Extract<AgentEvent, { type: 'training' }>[] = [];
  let trained = 0;
  const training = new Training({
    forests,
    histories,
    clock,
    random: () => 0.5,
    onEvent: (event) => event.type === 'training' && events.push(event),
    onTrained: () => {
      trained += 1;
    },
  });
  await histories.device.start();
  await histories.gateway.start();
  return { engine, forests, histories, training, events, damage, trainedTimes: () => trained };
}

const row = (number: number) => ({
  endMs: number * 1000,
  features: Array.from({ length: 19 }, (_, column) =>
    column === 3 ? null : ((number * (column + 3)) % 17) / 3,
  ),
});

describe('Training', () => {
  it('collects for the given time, tells of it every second and takes both forests into use', () =>
    withFolder(async (folder) => {
      let number = 0;
      const built = await build(folder, (training) => {
        for (let index = 0; index < 10; index++) {
          training.collect('device', row(++number));
          if (index < 4) training.collect('gateway', row(number));
        }
      });
      await built.training.start({ requestId: 'r', durationSeconds: 10, useHistory: false });
      const phases = built.events.map(({ phase }) => phase);
      expect(phases.slice(0, 10)).toEqual(Array(10).fill('collecting'));
      expect(phases.slice(10)).toEqual(['fitting', 'done']);
      expect(built.events.at(-1)).toMatchObject({ progress: 1, rows: { device: 100, gateway: 40 } });
      expect(built.forests.models.map(({ scope, rows }) => [scope, rows])).toEqual([
        ['device', 100],
        ['gateway', 40],
      ]);
      expect(built.trainedTimes()).toBe(1);
      const again = await build(folder);
      await again.forests.start();
      expect(again.forests.models.map(({ sha256 }) => sha256)).toEqual(
        built.forests.models.map(({ sha256 }) => sha256),
      );
      expect(again.forests.models[0]!.inference_us).toBeGreaterThanOrEqual(0);
    }));

  it('starts at once on history alone, and says which forest had too few windows', () =>
    withFolder(async (folder) => {
      const built = await build(folder);
      for (let number = 0; number < 50; number++) built.histories.device.add(row(number));
      for (let number = 0; number < 29; number++) built.histories.gateway.add(row(number));
      await built.training.start({ requestId: 'r', durationSeconds: 0, useHistory: true });
      expect(built.events.map(({ phase }) => phase)).toEqual(['fitting', 'done']);
      expect(built.events.at(-1)!.message).toBe('Too few gateway windows: 29 were there, 30 are needed.');
      expect(built.forests.models.map(({ scope }) => scope)).toEqual(['device']);
    }));

  it('fails in plain words when there is too little to learn from', () =>
    withFolder(async (folder) => {
      const built = await build(folder);
      await built.training.start({ requestId: 'r', durationSeconds: 3, useHistory: true });
      expect(built.events.at(-1)).toMatchObject({
        phase: 'failed',
        message: 'Too few device windows: 0 were there, 30 are needed.',
      });
      expect(built.trainedTimes()).toBe(0);
    }));

  it('refuses a second training and cancels the first', () =>
    withFolder(async (folder) => {
      let second: Promise<void> | undefined;
      const built = await build(folder, (training) => {
        second ??= training.start({ requestId: 'two', durationSeconds: 1, useHistory: false });
        expect(training.cancel('other')).toBe(false);
        training.cancel('one');
      });
      await built.training.start({ requestId: 'one', durationSeconds: 60, useHistory: false });
      await second;
      const of = (id: string) => built.events.filter(({ request_id }) => request_id === id).at(-1);
      expect(of('two')).toMatchObject({ phase: 'failed', message: 'Another training (one) is running.' });
      expect(of('one')).toMatchObject({ phase: 'cancelled' });
      expect(built.training.running).toBeNull();
    }));

  it('leaves every forest as it was when it is cancelled between two fits', () =>
    withFolder(async (folder) => {
      const built = await build(
        folder,
        () => {},
        (training) => training.cancel('r'),
      );
      for (let number = 0; number < 50; number++) {
        built.histories.device.add(row(number));
        built.histories.gateway.add(row(number));
      }
      await built.training.start({ requestId: 'r', durationSeconds: 0, useHistory: true });
      expect(built.events.at(-1)).toMatchObject({ phase: 'cancelled' });
      expect(built.forests.models).toEqual([]);
      const again = await build(folder);
      await again.forests.start();
      expect(again.forests.models).toEqual([]);
    }));

  it('falls back to the forest before a damaged newest one', () =>
    withFolder(async (folder) => {
      const built = await build(folder);
      for (let number = 0; number < 50; number++) built.histories.device.add(row(number));
      await built.training.start({ requestId: 'a', durationSeconds: 0, useHistory: true });
      const [first] = built.forests.models;
      for (let number = 0; number < 50; number++) built.histories.device.add(row(number * 2));
      await built.training.start({ requestId: 'b', durationSeconds: 0, useHistory: true });
      const [second] = built.forests.models;
      expect(second!.release).toBe(2);
      expect(await readdir(join(folder, 'models'))).toContain(`${second!.sha256}.bin`);
      await writeFile(join(folder, 'models', `${second!.sha256}.bin`), 'damaged');
      const again = await build(folder);
      await again.forests.start();
      expect(again.forests.models[0]).toMatchObject({ release: 1, sha256: first!.sha256 });
      expect(again.damage).toHaveLength(1);
    }));
});
