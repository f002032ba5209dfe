/** The engine across the border: lines in, scored windows with reasons out, in the promised shapes. */
import { describe, expect, it } from 'vitest';
import { Engine, Forest, fitForest } from '../index.js';
import { calmLines, START_MS } from './support/rows.js';

const SECONDS = 300;
const LATE_MS = START_MS + 3_600_000;

/** Feeds calm lines and fits a forest on the device windows that they made. */
async function fitOnCalm(engine: Engine, seed = 1) {
  const { windows } = engine.push(calmLines(SECONDS, 3), LATE_MS, true);
  const warm = windows.filter(({ scope, state }) => scope === 'device' && state !== 'warming_up');
  const rows = Float64Array.from(
    warm.flatMap(({ features }) => features.map((value) => value ?? Number.NaN)),
  );
  const { fingerprint, features } = engine;
  const fitted = await fitForest(rows, { fingerprint, features, seed, contamination: 0.02 });
  return { rows, fitted };
}

describe('Engine', () => {
  it('names nineteen features, five channels and a fingerprint, and more for declared channels', () => {
    const plain = new Engine();
    expect(plain.features).toHaveLength(19);
    expect(plain.features[0]).toEqual({ name: 'latency_mean', unit: 'ms' });
    expect(plain.channels.map(({ name }) => name)).toEqual([
      'latency_ms',
      'packet_loss_pct',
      'retry_count',
      'traffic_volume_mb',
      'connection_resets',
    ]);
    expect(plain.fingerprint).toMatch(/^[0-9a-f]{16}$/);
    const wider = new Engine({ channels: [{ name: 'snr_db', unit: 'dB', kind: 'gauge' }] });
    expect(wider.features).toHaveLength(23);
    expect(wider.fingerprint).not.toBe(plain.fingerprint);
  });

  it('finds a fault in one device and names latency first, null where nothing is known', async () => {
    const engine = new Engine();
    const { fitted } = await fitOnCalm(engine);
    const fresh = new Engine({ publishRecords: 'all' });
    expect(fresh.setForest('device', fitted.bytes)).toEqual(fitted.info);
    fresh.setThreshold('device', fitted.threshold);
    fresh.setDetecting(true);
    const lines = calmLines(SECONDS, 3, SECONDS - 20);
    const { windows, records, consumedBytes, newestMs } = fresh.push(lines, LATE_MS, true);
    expect(consumedBytes).toBe(lines.length);
    expect(newestMs).toBe(START_MS + (SECONDS - 1) * 1000);
    expect(records).toHaveLength(SECONDS * 3);
    const last = windows.findLast(({ device }) => device === 'modem-0');
    expect(last?.state).toBe('scored');
    expect(last?.suspect).toBe(true);
    expect(last?.score).toBeGreaterThan(fitted.threshold);
    expect(last?.reasons).toHaveLength(3);
    expect(last?.reasons[0]?.feature).toMatch(/^latency_/);
    expect(last?.reasons[0]?.observed).toBeGreaterThan(last?.reasons[0]?.p95 ?? Number.POSITIVE_INFINITY);
    expect(records[last?.record ?? -1]).toMatchObject({
      device: 'modem-0',
      suspect: true,
      lineEnd: last?.lineEnd,
    });
    const gateway = windows.findLast(({ scope }) => scope === 'gateway');
    expect(gateway).toMatchObject({
      device: '*',
      state: 'untrained',
      score: null,
      threshold: null,
      reasons: [],
    });
  });

  it('gives null for what is unknown and keeps an incomplete line for the next chunk', () => {
    const engine = new Engine({ publishRecords: 'all' });
    const chunk = Buffer.from('{"device_id":"d","retry_count":2}\n{"device_id":"d"');
    const { windows, records, consumedBytes } = engine.push(chunk, START_MS, true);
    expect(consumedBytes).toBe(34);
    expect(records).toEqual([
      {
        timestampMs: START_MS,
        device: 'd',
        values: [null, null, 2, null, null],
        errorCode: null,
        isAnomaly: null,
        anomalyType: null,
        suspect: false,
        lineEnd: 34,
      },
    ]);
    expect(windows[0]).toMatchObject({
      endMs: START_MS,
      records: 1,
      state: 'warming_up',
      score: null,
      record: 0,
    });
    expect(windows[0]?.features.slice(0, 10)).toEqual([null, null, null, null, null, null, null, 2, 2, 1]);
  });

  it('counts what it refuses by reason and goes on', () => {
    const engine = new Engine();
    const lines = [
      'nonsense',
      '{"device_id":"d","latency_ms":"20"}',
      '{"device_id":"d","latency_ms":-1}',
      '{}',
    ];
    engine.push(Buffer.from(`${lines.join('\n')}\n\xff\n{"device_id":"d"}\n`, 'latin1'), START_MS, true);
    expect(engine.counters()).toMatchObject({
      lines: 6,
      records: 1,
      refused: { invalid_json: 1, not_a_number: 1, negative: 1, missing_device: 1, invalid_utf8: 1 },
      devices: 1,
    });
  });

  it('puts nothing out while it is only brought up to date', () => {
    const engine = new Engine({ publishRecords: 'all', hopSeconds: 0 });
    expect(engine.push(calmLines(60, 2), LATE_MS, false)).toMatchObject({ windows: [], records: [] });
    const { windows } = engine.push(calmLines(61, 2).subarray(calmLines(60, 2).length), LATE_MS, true);
    expect(windows[0]).toMatchObject({ records: 30, state: 'untrained' });
  });

  it('refuses options, scopes, times and forests that are wrong, with an Error that says why', async () => {
    expect(() => new Engine({ windowSeconds: 0 })).toThrow('windowSeconds');
    expect(() => new Engine({ channels: [{ name: 'a', unit: '', kind: 'meter' }] })).toThrow('gauge');
    const engine = new Engine();
    expect(() => engine.setForest('house', null)).toThrow('scope');
    expect(() => engine.push(Buffer.alloc(0), Number.NaN, true)).toThrow('arrivalMs');
    const { fitted } = await fitOnCalm(engine);
    const damaged = Uint8Array.from(fitted.bytes);
    damaged[100] ^= 1;
    expect(() => engine.setForest('device', damaged)).toThrow('checksum');
    expect(() => new Engine({ windowSeconds: 60 }).setForest('device', fitted.bytes)).toThrow(
      'train it anew',
    );
    expect(engine.setForest('device', fitted.bytes)?.rows).toBe(fitted.info.rows);
    expect(engine.setForest('device', null)).toBeNull();
  });
});

describe('Forest', () => {
  it('scores and explains rows as the engine does, and the same seed gives the same bytes', async () => {
    const { rows, fitted } = await fitOnCalm(new Engine());
    const again = await fitOnCalm(new Engine());
    expect(again.fitted.bytes.equals(fitted.bytes)).toBe(true);
    const other = await fitOnCalm(new Engine(), 2);
    expect(other.fitted.bytes.equals(fitted.bytes)).toBe(false);
    const forest = Forest.load(fitted.bytes);
    expect(forest.info).toEqual(fitted.info);
    const scores = forest.score(rows);
    const above = scores.filter((score) => score > fitted.threshold).length;
    expect(above / scores.length).toBeCloseTo(0.02, 2);
    const row = rows.slice(0, 19);
    row[2] = 5000;
    expect(forest.explain(row, 1)).toMatchObject([{ feature: 'latency_max', unit: 'ms', observed: 5000 }]);
    expect(() => forest.explain(row.subarray(1))).toThrow('19 features');
    expect(forest.explain(row, 0)).toEqual([]);
    const [usual] = forest.explain(row, 1);
    const values = rows.filter((_, index) => index % 19 === 2).sort();
    expect(usual?.median).toBeGreaterThan(usual?.p5 ?? Number.NaN);
    expect(usual?.p95).toBeLessThanOrEqual(values.at(-1) ?? Number.NaN);
    expect(Object.keys(usual ?? {})).toEqual('feature unit observed median p5 p95 share event'.split(' '));
    row[2] = Number.POSITIVE_INFINITY;
    expect(forest.explain(row, 1)).toMatchObject([{ feature: 'latency_max', observed: null }]);
    expect(() => forest.score(row.subarray(1))).toThrow('no rows');
    expect(() => Forest.load(fitted.bytes.subarray(1))).toThrow('LHIF');
  });

  it('rejects rows that cannot be fitted', async () => {
    const { fingerprint, features } = new Engine();
    await expect(fitForest(new Float64Array(), { fingerprint, features })).rejects.toThrow('no rows');
    const infinite = new Float64Array(19).fill(Number.POSITIVE_INFINITY);
    await expect(fitForest(infinite, { fingerprint, features })).rejects.toThrow('infinite');
    expect(() => fitForest(new Float64Array(19), { fingerprint, features, trees: 0 })).toThrow('trees');
  });

  it('does not see rows that are changed after the call', async () => {
    const { rows, fitted } = await fitOnCalm(new Engine());
    const { fingerprint, features } = new Engine();
    const pending = fitForest(rows, { fingerprint, features, seed: 1, contamination: 0.02 });
    rows.fill(0);
    expect((await pending).bytes.equals(fitted.bytes)).toBe(true);
  });
});
