/** Numbers on the wire. */
import type { WindowResult } from '@lineheron/native';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { wireWindow } from './wire.js';

function sent(features: number[]): readonly (number | null)[] {
  const window = { device: 'a', endMs: 0, state: 'scored', features, reasons: [], baseline: null };
  return wireWindow(window as unknown as WindowResult, undefined, null, undefined).features;
}

const byText = (value: number) => (Number.isInteger(value) ? value : Number(value.toPrecision(8)));

it('numbers of any size are rounded to eight significant digits, as a text would be', () => {
  const magnitudes = fc.tuple(fc.double({ min: 1, max: 10, noNaN: true }), fc.integer({ min: -30, max: 18 }));
  const numbers = magnitudes.map(([digits, exponent]) => digits * 10 ** exponent);
  fc.assert(
    fc.property(numbers, fc.boolean(), (size, negative) => {
      const value = negative ? -size : size;
      const [rounded] = sent([value]);
      // Halves go up here and away from zero there.
      const tolerance = Math.abs(value) * 1.0001e-8;
      expect(Math.abs(rounded! - byText(value))).toBeLessThanOrEqual(tolerance);
      expect(
        String(rounded)
          .replace(/e.*|[-.]/g, '')
          .replace(/^0+|0+$/g, '').length,
      ).toBeLessThanOrEqual(Number.isInteger(value) ? 22 : 9);
    }),
  );
  expect(sent([0.1 + 0.2, 1 / 3, -12345.678901, 9.99999999999, 1e21, 5e-324])).toEqual([
    0.3, 0.33333333, -12345.679, 10, 1e21, 5e-324,
  ]);
});
