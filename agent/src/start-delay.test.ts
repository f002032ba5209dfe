/** After a power cut that met all: the agent measures at once and connects after its random part of the delay. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { Agent } from './agent.js';
import { type Clock, systemClock } from './clock.js';
import { parseConfig } from './config-load.js';
import { TestBroker } from './test-broker.js';
import { silentLog, until, withFolder } from './test-support.js';

const DELAY_MS = 120_000;

/** The system's, but for pauses as long as the delay may be: those end when the test says so. */
class HeldClock implements Clock {
  readonly held: number[] = [];
  readonly aborted: boolean[] = [];
  release: () => void = () => {};
  nowMs = systemClock.nowMs;
  monotonicMs = systemClock.monotonicMs;

  async sleep(ms: number, signal?: AbortSignal): Promise<void> {
    if (ms < DELAY_MS / 10) return systemClock.sleep(ms, signal);
    this.held.push(ms);
    await new Promise<void>((resolve) => {
      this.release = resolve;
      signal?.addEventListener('abort', () => resolve(), { once: true });
    });
    this.aborted.push(signal?.aborted ?? false);
  }
}

let broker: TestBroker | null = null;
let agent: Agent | null = null;
afterEach(async () => {
  await agent?.stop();
  await broker?.stop();
  agent = null;
});

async function begin(folder: string, random: number): Promise<HeldClock> {
  broker = await TestBroker.start('gw-1');
  await mkdir(join(folder, 'data'));
  const path = join(folder, 'a.log');
  const line = (second: number) =>
    `{"timestamp":${1_700_000_000 + second},"device_id":"a","latency_ms":20}\n`;
  await writeFile(path, Array.from({ length: 50 }, (_, second) => line(second)).join(''));
  const config = parseConfig(
    JSON.stringify({
      ...{ agent_id: 'gw-1', data_dir: join(folder, 'data'), publish_records: 'all' },
      ...{ mqtt: { url: broker.url }, start_delay_max_seconds: DELAY_MS / 1000 },
      source: { type: 'tail', paths: [path], from: 'start' },
    }),
  );
  const clock = new HeldClock();
  const nothing = () => {};
  agent = new Agent({
    ...{ config, version: '0', boot: '0123456789abcdef', pid: process.pid, clock, log: silentLog },
    ...{ random: () => random, onPhase: nothing, onEnded: nothing },
  });
  await agent.start();
  return clock;
}

it('measures and keeps at once, and connects only when its part of the delay is over', () =>
  withFolder(async (folder) => {
    const clock = await begin(folder, 0.25);
    expect(clock.held).toEqual([0.25 * DELAY_MS]);
    await until('the windows on the disk', () => agent!.waitingBatches > 0);
    expect(broker!.aedes.connectedClients).toBe(0);
    clock.release();
    await until('all records', () => broker!.records.length === 50);
    await agent!.stop();
    agent = null;
  }));

it('never connects when it is ended before', () =>
  withFolder(async (folder) => {
    const clock = await begin(folder, 0.9);
    await agent!.stop();
    agent = null;
    await until('the end of the pause', () => clock.aborted.length === 1);
    expect(clock.aborted).toEqual([true]);
    expect(broker!.texts).toEqual([]);
  }));
