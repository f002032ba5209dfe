import { describe, expect, it } from 'vitest';
import { RetainedBound } from './retained-bound.js';

describe('RetainedBound', () => {
  it('takes so many topics and no more, but goes on renewing those it took', () => {
    const bound = new RetainedBound({ maxTopics: 2, maxBytes: 10_000 });
    expect([bound.accept('a', 1), bound.accept('b', 1), bound.accept('c', 1)]).toEqual([true, true, false]);
    expect(bound.accept('a', 100)).toBe(true);
  });

  it('takes so many bytes and no more, topics and overhead counted', () => {
    const bound = new RetainedBound({ maxTopics: 1000, maxBytes: 10_000 });
    expect(bound.accept('a', 9000)).toBe(true);
    expect(bound.accept('b', 1000)).toBe(false);
    expect(bound.accept('t'.repeat(400), 1)).toBe(false);
    expect(bound.accept('a', 9900)).toBe(false);
    expect(bound.accept('a', 100)).toBe(true);
    expect(bound.accept('b', 1000)).toBe(true);
  });

  it('gives back the place of a topic that is cleared', () => {
    const bound = new RetainedBound({ maxTopics: 1, maxBytes: 10_000 });
    expect(bound.accept('never', 0)).toBe(true);
    for (let turn = 0; turn < 100; turn++) {
      expect(bound.accept(`t${turn}`, 5000)).toBe(true);
      expect(bound.accept(`t${turn}`, 0)).toBe(true);
    }
  });
});
