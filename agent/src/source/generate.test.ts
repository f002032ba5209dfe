/** The pace of simulated lines: back-fill, real time, catching up. */
import { describe, expect, it } from 'vitest';
import type { Clock } from '../clock.js';
import { Counters } from '../counters.js';
import { silentLog } from '../test-support.js';
import { type GenerateConfig, GenerateSource } from './generate.js';

const START_MS = Date.UTC(2026, 0, 1, 12);

const config: GenerateConfig = {
  type: 'generate',
  devices: 3,
  seed: 1,
  anomalies: 'none',
  anomaly_probability: 0.05,
  strength: 1,
  interval_seconds: 1,
  backfill_minutes: 2,
  realtime: true,
};

/** A clock that only goes on when somebody sleeps. */
function build(rest: Partial<GenerateConfig> = {}, backfill = true) {
  const world = { nowMs: START_MS, slept: 0 };
  const clock: Clock = {
    nowMs: () => world.nowMs,
    monotonicMs: () => world.nowMs,
    sleep: async (ms) => {
      world.nowMs += ms;
      world.slept += ms;
    },
  };
  const counters = new Counters();
  const options = { config: { ...config, ...rest }, backfill, clock, log: silentLog, counters };
  const source = new GenerateSource(options);
  const abort = new AbortController();
  const chunks = source.chunks(abort.signal);
  const next = async () => {
    const result = await chunks.next();
    if (result.done) return null;
    const lines = Buffer.from(result.value.bytes).toString().trimEnd().split('\n');
    return lines.map(
      (line) => JSON.parse(line) as { timestamp: string; device_id: string; anomaly_type?: string },
    );
  };
  return { source, next, world, abort, counters };
}

describe('GenerateSource', () => {
  it('writes the back-fill without waiting, then a record of every device each second', async () => {
    const { source, next, world } = build();
    expect(source.phase).toBe('backfilling');
    const past: { timestamp: string }[] = [];
    while (past.length < 360) past.push(...(await next())!);
    expect(past).toHaveLength(360);
    expect(world.slept).toBe(0);
    expect(Date.parse(past[0]!.timestamp)).toBe(START_MS - 120_000);
    expect(Date.parse(past.at(-1)!.timestamp)).toBe(START_MS - 1000);
    for (let second = 0; second < 5; second++) {
      const records = (await next())!;
      expect(records.map(({ device_id }) => device_id)).toEqual(['line-01', 'line-02', 'line-03']);
      expect(Date.parse(records[0]!.timestamp)).toBe(START_MS + second * 1000);
    }
    expect(source.phase).toBe('live');
    expect(world.slept).toBe(4000);
  });

  it('leaves the back-fill out where a forest is trained', async () => {
    const { source, next } = build({}, false);
    expect(source.phase).toBe('live');
    expect(Date.parse((await next())![0]!.timestamp)).toBe(START_MS);
  });

  it('ends after the back-fill when told so', async () => {
    const { source, next } = build({ realtime: false });
    let records = 0;
    for (let chunk = await next(); chunk; chunk = await next()) records += chunk.length;
    expect(records).toBe(360);
    expect(source.phase).toBe('ended');
  });

  it('counts scheduled faults from the first live record', async () => {
    const faults = [
      { device_id: 'line-02', type: 'error_storm' as const, start_s: 2, duration_s: 3, strength: 1 },
    ];
    const { next } = build({ faults });
    const faulty: string[] = [];
    for (let chunk = 0; chunk < 12; chunk++) {
      for (const { timestamp, device_id, anomaly_type } of (await next())!) {
        if (anomaly_type) faulty.push(`${device_id} ${(Date.parse(timestamp) - START_MS) / 1000}`);
      }
    }
    expect(faulty).toEqual(['line-02 2', 'line-02 3', 'line-02 4']);
  });

  it('catches up after a short stall, and goes on from now after a long one, counted', async () => {
    const { next, world, counters } = build({}, false);
    const at = async () => (Date.parse((await next())![0]!.timestamp) - START_MS) / 1000;
    expect(await at()).toBe(0);
    world.nowMs += 10_000;
    expect([await at(), await at()]).toEqual([1, 2]);
    world.nowMs += 3_600_000;
    expect(await at()).toBe(3610);
    expect(counters.get('generator_skipped_moments')).toBe(3607);
    world.nowMs -= 3_600_000;
    expect(await at()).toBe(10);
  });
});
