/** What would have made a window normal, asked of a network that was really trained. */
import { Autoencoder, trainAutoencoder } from '@lineheron/native';
import { describe, expect, it } from 'vitest';
import { columnQuantiles } from './quantiles.js';
import { explainErrors } from './reasons.js';
import { smallestChange } from './smallest-change.js';

const COLUMNS = 4;
const names = Array.from({ length: COLUMNS }, (_, at) => ({ name: `f${at}`, unit: 'ms' }));

/** Rows near a line through all columns, each a little off it by a rule that every run repeats. */
const rows = Float64Array.from({ length: 400 * COLUMNS }, (_, at) => {
  const [row, column] = [Math.floor(at / COLUMNS), at % COLUMNS];
  return (column + 1) * Math.sin(row * 0.7) + 0.1 * Math.cos(row * 1.3 + column * 2);
});

async function ask(features: number[]) {
  const { onnx, threshold } = await trainAutoencoder(rows, COLUMNS, { seed: 1, thresholdPercentile: 95 });
  const model = Autoencoder.load(onnx);
  const row = Float64Array.from(features);
  expect(model.score(row)[0]).toBeGreaterThan(threshold);
  const reasons = explainErrors(
    Float32Array.from(model.errors(row)),
    features,
    names,
    columnQuantiles(rows, COLUMNS),
  );
  const score = async (changed: Float32Array) => Float32Array.from(model.score(Float64Array.from(changed)));
  const change = await smallestChange({ features, names, reasons, threshold, score });
  return { change, threshold, model };
}

describe('smallestChange', () => {
  it('gives a value that the network really finds normal, on the way back to the usual', async () => {
    const features = [0, 30, 0, 0];
    const { change, threshold, model } = await ask(features);
    expect(change).toMatchObject({ detector: 'autoencoder', feature: 'f1', unit: 'ms', side: 'below' });
    expect(change!.value).toBeLessThan(30);
    const scoreWith = (value: number) => model.score(Float64Array.from([0, value, 0, 0]))[0]!;
    expect(scoreWith(change!.value)).toBeLessThanOrEqual(threshold);
    // A step further out it is not.
    expect(scoreWith(change!.value + 30 / 64)).toBeGreaterThan(threshold);
  });

  it('gives none where no single change makes it normal, or nothing is known of the usual', async () => {
    expect((await ask([30, -30, 30, -30])).change).toBeNull();
    const nothing = { features: [1], names, reasons: [], threshold: 0 };
    expect(await smallestChange({ ...nothing, score: async (all) => all })).toBeNull();
  });
});
