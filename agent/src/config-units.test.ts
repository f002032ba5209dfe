/** What a number with a unit means under a key that has another one. */
import { describe, expect, it } from 'vitest';
import { movedValue, numberFor } from './config-units.js';

describe('numberFor', () => {
  it.each([
    ['window_size_seconds', '30s', 30],
    ['window_size_seconds', '500 ms', 0.5],
    ['backfill_minutes', '1h', 60],
    ['max_bytes', '256MB', 256e6],
    ['max_bytes', '4 MiB', 4_194_304],
    ['contamination', '10%', 0.1],
    ['seed', '42', 42],
    ['max_bytes', '30s', null],
    ['seed', '4 MB', null],
    ['window_size_seconds', 'soon', null],
  ])('of %s: %s is %s', (key, text, number) => {
    expect(numberFor(key, text)).toBe(number);
  });
});

describe('movedValue', () => {
  it('converts what was given under another unit, and nothing else', () => {
    expect(movedValue('window_size_ms', 'window_size_seconds', 1500)).toBe(1.5);
    expect(movedValue('max_mb', 'max_bytes', 2)).toBe(2e6);
    expect(movedValue('window_size', 'window_size_seconds', 15)).toBeNull();
    expect(movedValue('max_mb', 'max_bytes', 'two')).toBeNull();
  });
});
