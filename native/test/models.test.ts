/** Models across the border: every way of scoring gives one answer; forests merge; the autoencoder runs. */
import * as ort from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';
import { Autoencoder, Forest, fitForest, trainAutoencoder } from '../index.js';
import { lineRows } from './support/rows.js';

const COLUMNS = 19;
const features = Array.from({ length: COLUMNS }, (_, index) => ({ name: `f${index}`, unit: '' }));

async function fitted(seed: number, more: Partial<Parameters<typeof fitForest>[1]> = {}) {
  const options = { fingerprint: '0123456789abcdef', features, seed, ...more };
  return (await fitForest(lineRows(500, COLUMNS, seed), options)).bytes;
}

describe('Forest', () => {
  it('scores one row, many rows and many rows on threads alike', async () => {
    const forest = Forest.load(await fitted(1));
    const rows = lineRows(6000, COLUMNS, 9);
    rows[5] = Number.NaN;
    const scores = forest.score(rows);
    expect(forest.scoreBatch(rows)).toEqual(scores);
    expect(forest.scoreBatch(rows, { threads: 2 })).toEqual(scores);
    for (const row of [0, 1, 5999]) {
      expect(forest.scoreOne(rows.subarray(row * COLUMNS, (row + 1) * COLUMNS))).toBe(scores[row]);
    }
    expect(() => forest.scoreOne(rows.subarray(1, COLUMNS))).toThrow('19 features');
    expect(() => forest.scoreBatch(rows, { threads: 0 })).toThrow('threads');
    expect(() => forest.scoreBatch(rows.subarray(1))).toThrow('no rows');
  });

  it('takes every variant and gives the same bytes on any number of threads', async () => {
    const plain = await fitted(1);
    expect((await fitted(1, { threads: 2 })).equals(plain)).toBe(true);
    for (const variant of [
      { ndim: 2 },
      { splitChoice: 'pooled_gain' },
      { splitChoice: 'density' },
      { weighting: 'kurtosis' },
      { maxDepth: 12 },
      { harmonic: 'euler' },
    ] as const) {
      const bytes = await fitted(1, variant);
      expect(bytes.equals(plain)).toBe(false);
      expect(Forest.load(bytes).scoreOne(new Float64Array(COLUMNS))).toBeGreaterThan(0);
    }
    const wrong = { splitChoice: 'best' } as unknown as { splitChoice: 'uniform' };
    await expect(fitted(1, wrong)).rejects.toThrow('splitChoice');
  });

  it('merges, prunes, renews and saves', async () => {
    const parts = await Promise.all([fitted(1, { trees: 30 }), fitted(2, { trees: 30 })]);
    const merged = Forest.merge(parts);
    expect(merged.info).toMatchObject({ trees: 60, rows: 1000 });
    const row = lineRows(1, COLUMNS, 3);
    const [a, b] = parts.map((bytes) => Math.log2(Forest.load(bytes).scoreOne(row))) as [number, number];
    expect(Math.log2(merged.scoreOne(row))).toBeCloseTo((a + b) / 2, 12);
    expect(Math.log2(Forest.merge(parts, [3, 1]).scoreOne(row))).toBeCloseTo((3 * a + b) / 4, 12);
    expect(merged.prune(20).info.trees).toBe(20);
    const [old, fresh] = parts.map((bytes) => Forest.load(bytes)) as [Forest, Forest];
    expect(old.replaceTrees(fresh, 30).scoreOne(row)).toBe(fresh.scoreOne(row));
    expect(Forest.load(merged.save()).info).toEqual(merged.info);
    expect(() => Forest.merge([])).toThrow('no forest');
    expect(() => Forest.merge(parts, [1])).toThrow('weights');
    expect(() => old.replaceTrees(fresh, 31)).toThrow('fewer');
  });
});

describe('Autoencoder', () => {
  it('scores as ONNX Runtime does to 1e-5, and reads only files of ours', async () => {
    const rows = lineRows(300, COLUMNS, 4);
    const { onnx, scores } = await trainAutoencoder(rows, COLUMNS, { epochs: 5, fingerprint: 'abc' });
    const autoencoder = Autoencoder.load(onnx);
    expect(autoencoder).toMatchObject({ columns: COLUMNS, fingerprint: 'abc' });
    expect(autoencoder.score(rows)).toEqual(scores);
    for (let place = 0; place < rows.length; place += 7) rows[place] = Number.NaN;
    const session = await ort.InferenceSession.create(onnx);
    const tensor = new ort.Tensor('float32', Float32Array.from(rows), [300, COLUMNS]);
    const found = await session.run({ features: tensor });
    await session.release();
    const close = (ours: Float64Array, theirs: Float32Array) =>
      ours.forEach((value, index) => {
        const expected = theirs[index] ?? Number.NaN;
        expect(Math.abs(value - expected)).toBeLessThan(1e-5 * Math.max(1, expected));
      });
    close(autoencoder.score(rows), found.score?.data as Float32Array);
    close(autoencoder.errors(rows), found.errors?.data as Float32Array);
    expect(() => autoencoder.score(rows.subarray(1))).toThrow('no rows');
    expect(() => Autoencoder.load(onnx.subarray(1))).toThrow('autoencoder');
  });
});
