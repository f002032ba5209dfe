/** The small pure parts of detection: sampling, quantiles and reasons. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { columnQuantiles, QuantileFiles } from './quantiles.js';
import { explainErrors } from './reasons.js';
import { RowBuffers } from './row-buffer.js';

describe('columnQuantiles', () => {
  it('interpolates as NumPy does and passes over what is missing', () => {
    const rows = Float64Array.from([1, Number.NaN, 2, Number.NaN, 3, Number.NaN, 4, Number.NaN]);
    const [known, unknown] = columnQuantiles(rows, 2);
    expect(known?.median).toBe(2.5);
    expect(known?.p5).toBeCloseTo(1.15);
    expect(known?.p95).toBeCloseTo(3.85);
    expect(unknown).toEqual({ median: null, p5: null, p95: null });
  });
});

describe('QuantileFiles', () => {
  it('gives quantiles back for their very model only, and nothing from a damaged file', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'lineheron-quantiles-'));
    const files = new QuantileFiles(folder);
    const quantiles = [{ median: 1, p5: 0, p95: 2 }];
    await files.save('device', '0123456789abcdef', 'sum', quantiles);
    expect(await files.load('device', '0123456789abcdef', 'sum')).toEqual(quantiles);
    expect(await files.load('device', '0123456789abcdef', 'other')).toBeNull();
    expect(await files.load('gateway', '0123456789abcdef', 'sum')).toBeNull();
    await writeFile(join(folder, 'quantiles.device.0123456789abcdef.json'), '{"v":1,');
    expect(await files.load('device', '0123456789abcdef', 'sum')).toBeNull();
    await rm(folder, { recursive: true });
  });
});

describe('explainErrors', () => {
  const features = ['a', 'b', 'c', 'd'].map((name) => ({ name, unit: 'ms' }));

  it('names the three largest shares of the error, with what was observed and what is usual', () => {
    const quantiles = features.map(() => ({ median: 5, p5: 4, p95: 6 }));
    const reasons = explainErrors(Float32Array.from([1, 6, 0, 3]), [10, 20, 30, null], features, quantiles);
    expect(reasons.map(({ feature, observed }) => [feature, observed])).toEqual([
      ['b', 20],
      ['d', null],
      ['a', 10],
    ]);
    expect(reasons[0]).toMatchObject({ median: 5, p5: 4, p95: 6 });
    expect(reasons[0]?.share).toBeCloseTo(0.6);
  });

  it('names none where there is no error, and only errors that are numbers', () => {
    expect(explainErrors(new Float32Array(4), [1, 2, 3, 4], features, null)).toEqual([]);
    const [only] = explainErrors(Float32Array.from([Number.NaN, 2, 0, 0]), [1, 2, 3, 4], features, null);
    expect(only).toMatchObject({ feature: 'b', share: 1, median: null });
  });
});

describe('RowBuffers', () => {
  const window = (endMs: number, fingerprint = 'f') => ({
    agent: 'gw-1',
    device: 'modem-1',
    scope: 'device' as const,
    fingerprint,
    endMs,
    features: [endMs],
  });

  it('keeps a bounded sample from the whole time, the same for the same seed', () => {
    const sample = (seed: number) => {
      const buffers = new RowBuffers(100, seed);
      for (let at = 0; at < 10_000; at++) buffers.add(window(at));
      return buffers.all[0]!;
    };
    const { rows, seen } = sample(1);
    expect(seen).toBe(10_000);
    expect(rows).toHaveLength(100);
    const mean = rows.reduce((sum, { endMs }) => sum + endMs, 0) / rows.length;
    expect(mean).toBeGreaterThan(4000);
    expect(mean).toBeLessThan(6000);
    expect(sample(1).rows).toEqual(rows);
    expect(sample(2).rows).not.toEqual(rows);
  });

  it('keeps fingerprints apart and takes only so many of them', () => {
    const buffers = new RowBuffers(10, 1);
    for (let n = 0; n < 50; n++) buffers.add(window(n, `f${n}`));
    expect(buffers.all).toHaveLength(32);
    expect(buffers.all.every(({ rows }) => rows.length === 1)).toBe(true);
  });
});
