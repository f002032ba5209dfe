import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Engine } from '@lineheron/native';
import { describe, expect, it } from 'vitest';
import { Counters } from '../counters.js';
import { silentLog, withFolder } from '../test-support.js';
import { Baselines } from './baselines.js';

const START_MS = Date.UTC(2026, 0, 1);

function lines(from: number, count: number): Uint8Array {
  const line = (index: number) =>
    JSON.stringify({
      timestamp: START_MS + index * 1000,
      device_id: 'modem-1',
      latency_ms: 20 + Math.sin(index * 1.7) + Math.cos(index * 0.9),
    });
  return Buffer.from(`${Array.from({ length: count }, (_, index) => line(from + index)).join('\n')}\n`);
}

function nats(engine: Engine, from: number): number | null {
  engine.setDetecting(true);
  const { windows } = engine.push(lines(from, 1), START_MS + 1_000_000, true);
  return windows.find(({ scope }) => scope === 'device')?.baseline?.nats ?? null;
}

const baselines = (engine: Engine, folder: string) =>
  new Baselines({
    engine,
    path: join(folder, 'baselines.bin'),
    monotonicMs: () => 0,
    log: silentLog,
    counters: new Counters(),
  });

describe('baselines that are kept', () => {
  it('a restarted engine scores the first record by what was known before', async () =>
    withFolder(async (folder) => {
      const before = new Engine();
      before.push(lines(0, 200), START_MS + 1_000_000, true);
      await baselines(before, folder).keep();
      const [after, fresh] = [new Engine(), new Engine()];
      await baselines(after, folder).start();
      expect(nats(after, 200)).not.toBeNull();
      expect(nats(fresh, 200)).toBeNull();
    }));

  it('records read again after a restart are not learnt twice', async () =>
    withFolder(async (folder) => {
      const before = new Engine();
      before.push(lines(0, 200), START_MS + 1_000_000, true);
      await baselines(before, folder).keep();
      const after = new Engine();
      await baselines(after, folder).start();
      after.push(lines(170, 30), START_MS + 1_000_000, false);
      expect(after.saveBaselines()).toEqual(await readFile(join(folder, 'baselines.bin')));
    }));

  it('a damaged file is passed over and the start goes on', async () =>
    withFolder(async (folder) => {
      await writeFile(join(folder, 'baselines.bin'), 'nothing of the kind');
      const engine = new Engine();
      await baselines(engine, folder).start();
      expect(nats(engine, 0)).toBeNull();
    }));
});
