/** The autoencoder across the border, against the runtime that the collector uses. */
import * as ort from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';
import { trainAutoencoder } from '../index.js';
import { lineRows } from './support/rows.js';

const COLUMNS = 19;
const ROWS = 600;

async function run(onnx: Buffer, rows: Float64Array) {
  const session = await ort.InferenceSession.create(onnx);
  const features = new ort.Tensor('float32', Float32Array.from(rows), [rows.length / COLUMNS, COLUMNS]);
  const { score, errors } = await session.run({ features });
  await session.release();
  return { score: score?.data as Float32Array, errors: errors?.data as Float32Array };
}

describe('trainAutoencoder', () => {
  it('writes a file whose scores in ONNX Runtime equal its own to 1e-5', async () => {
    const rows = lineRows(ROWS, COLUMNS, 3);
    const trained = await trainAutoencoder(rows, COLUMNS, {
      epochs: 20,
      seed: 5,
      fingerprint: '0123456789abcdef',
    });
    expect(trained).toMatchObject({ rows: ROWS, parameters: 253, epochsRun: 20 });
    expect(trained.validationLoss).toBeGreaterThan(0);
    const { score, errors } = await run(trained.onnx, rows);
    expect(score).toHaveLength(ROWS);
    expect(errors).toHaveLength(ROWS * COLUMNS);
    score.forEach((found, row) => {
      const expected = trained.scores[row] ?? Number.NaN;
      expect(Math.abs(found - expected)).toBeLessThan(1e-5 * Math.max(1, expected));
    });
    const above = trained.scores.filter((value) => value > trained.threshold).length;
    expect(above).toBeLessThanOrEqual(ROWS * 0.05);
    expect(above).toBeGreaterThan(ROWS * 0.04);
    expect(trained.onnx.includes('0123456789abcdef')).toBe(true);
  });

  it('scores unknown, wild and infinite values without NaN in the graph', async () => {
    const trained = await trainAutoencoder(lineRows(200, COLUMNS, 4), COLUMNS, { epochs: 3 });
    const rows = new Float64Array(3 * COLUMNS).fill(Number.NaN);
    rows.fill(1e30, COLUMNS, 2 * COLUMNS);
    rows[2 * COLUMNS] = Number.NEGATIVE_INFINITY;
    const { score, errors } = await run(trained.onnx, rows);
    expect(score[0]).toBe(0);
    expect([...score, ...errors].every(Number.isFinite)).toBe(true);
    expect(score[2]).toBeGreaterThan(100);
    expect(errors[2 * COLUMNS + 1]).toBe(0);
  });

  it('gives the same file for the same seed and refuses what is wrong', async () => {
    const rows = lineRows(100, COLUMNS, 5);
    const [first, second, other] = await Promise.all([
      trainAutoencoder(rows, COLUMNS, { epochs: 3, seed: 1 }),
      trainAutoencoder(rows, COLUMNS, { epochs: 3, seed: 1 }),
      trainAutoencoder(rows, COLUMNS, { epochs: 3, seed: 2 }),
    ]);
    expect(first.onnx.equals(second.onnx)).toBe(true);
    expect(first.onnx.equals(other.onnx)).toBe(false);
    expect(() => trainAutoencoder(rows, COLUMNS, { epochs: 0 })).toThrow('epochs');
    await expect(trainAutoencoder(rows.subarray(1), COLUMNS)).rejects.toThrow('no rows');
  });
});
