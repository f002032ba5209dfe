/** Autoencoders read back from their files, for several shapes, against ONNX Runtime. */
import * as ort from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';
import { Autoencoder, trainAutoencoder } from '../index.js';
import { lineRows } from './support/rows.js';

const FINGERPRINT = '0123456789abcdef';

async function runtimeScores(onnx: Buffer, rows: Float64Array, columns: number): Promise<Float32Array> {
  const session = await ort.InferenceSession.create(onnx);
  const features = new ort.Tensor('float32', Float32Array.from(rows), [rows.length / columns, columns]);
  const { score } = await session.run({ features });
  await session.release();
  return score?.data as Float32Array;
}

describe('Autoencoder', () => {
  it.each([
    [19, [9, 4]],
    [7, [5]],
    [33, [16, 8, 3]],
    [1, [1]],
  ])('of %i columns and %j hidden scores as ONNX Runtime and as training did', async (columns, hidden) => {
    const rows = lineRows(150, columns, columns);
    rows.fill(Number.NaN, 0, columns);
    const trained = await trainAutoencoder(rows, columns, { epochs: 4, hidden, fingerprint: FINGERPRINT });
    const loaded = Autoencoder.load(trained.onnx);
    expect(loaded.score(rows)).toEqual(trained.scores);
    const scores = await runtimeScores(trained.onnx, rows, columns);
    loaded.score(rows).forEach((found, row) => {
      const expected = scores[row] ?? Number.NaN;
      expect(Math.abs(found - expected)).toBeLessThan(1e-5 * Math.max(1, expected));
    });
    expect(loaded.info).toEqual({
      columns,
      layers: [columns, ...hidden, ...hidden.slice(0, -1).reverse(), columns],
      parameters: trained.parameters,
      fingerprint: FINGERPRINT,
      bytes: trained.onnx.length,
    });
  });

  it('refuses cut files, other files and rows that do not fit, as errors', async () => {
    const { onnx } = await trainAutoencoder(lineRows(20, 5, 1), 5, { epochs: 1 });
    expect(Autoencoder.load(onnx).info.fingerprint).toBe(null);
    expect(() => Autoencoder.load(onnx.subarray(0, onnx.length - 1))).toThrow('no usable autoencoder');
    expect(() => Autoencoder.load(Buffer.from('not a model'))).toThrow('no usable autoencoder');
    expect(() => Autoencoder.load(Buffer.alloc(1_000_000))).toThrow('no usable autoencoder');
    expect(() => Autoencoder.load(onnx).score(new Float64Array(6))).toThrow('no rows of 5 features');
  });
});
