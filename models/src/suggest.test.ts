/** Distances as the definition has them, and no suggestion where nothing is near. */
import { describe, expect, it } from 'vitest';
import { didYouMean, editDistance, nearest } from './suggest.js';

describe('editDistance', () => {
  it.each([
    ['', 'abc', 3],
    ['kitten', 'sitting', 3],
    ['urll', 'url', 1],
    ['rnu', 'run', 1],
    ['ca', 'abc', 3],
  ])('from %s to %s is %i', (a, b, distance) => {
    expect(editDistance(a, b)).toBe(distance);
    expect(editDistance(b, a)).toBe(distance);
  });
});

describe('nearest', () => {
  it('finds a misspelt word whatever its dashes, and nothing for a word that is like none', () => {
    expect(nearest('Log-Levle', ['labels', 'log_level'])).toBe('log_level');
    expect(nearest('moonphase', ['labels', 'log_level'])).toBeNull();
    expect(nearest('x'.repeat(100_000), ['x'])).toBeNull();
    expect(didYouMean('zzz', ['run'])).toBe('');
  });
});
