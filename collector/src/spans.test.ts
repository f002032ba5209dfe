import { describe, expect, it } from 'vitest';
import { addSpan, MAX_SPANS, type Span, spanAt, unaccounted } from './spans.js';

const complete = (first: number, last = first): Span => ({ first, last, complete: true });
const claimed = (first: number, last = first): Span => ({ first, last, complete: false });
const built = (...spans: Span[]) => spans.reduce<Span[]>((list, span) => addSpan(list, span), []);

describe('spans', () => {
  it('hold exactly what was added, in whatever order it came', () => {
    const added = [5, 1, 2, 9, 7, 8, 3, 20];
    const spans = built(...added.map((sequence) => complete(sequence)));
    for (let sequence = 0; sequence < 25; sequence++) {
      expect(spanAt(spans, sequence) !== null).toBe(added.includes(sequence));
    }
    expect(spans).toEqual([complete(1, 3), complete(5), complete(7, 9), complete(20)]);
  });

  it('join where they overlap or touch', () => {
    expect(built(complete(1, 4), complete(10, 12), complete(6, 7), complete(3, 9))).toEqual([
      complete(1, 12),
    ]);
  });

  it('never let a claim pass for what is stored, and let it take away nothing', () => {
    expect(built(complete(1, 3), claimed(2, 8), complete(9))).toEqual([
      complete(1, 3),
      claimed(4, 8),
      complete(9),
    ]);
    expect(built(claimed(1, 999_999_999_999_998), complete(5))).toEqual([claimed(1, 999_999_999_999_998)]);
  });

  it('stay few: the lowest are joined and then hold nothing for certain', () => {
    const spans = built(...Array.from({ length: 10 * MAX_SPANS }, (_, at) => complete(3 * at + 1)));
    expect(spans).toHaveLength(MAX_SPANS);
    expect(spans[0]).toMatchObject({ first: 1, complete: false });
    expect(spans.slice(1).every((span) => span.complete)).toBe(true);
    expect(spans.at(-1)).toEqual(complete(3 * (10 * MAX_SPANS - 1) + 1));
  });

  it('say how many of a range are in none of them', () => {
    const spans = built(complete(3, 5), claimed(8));
    expect(unaccounted(spans, 1, 10)).toBe(6);
    expect(unaccounted(spans, 4, 5)).toBe(0);
    expect(unaccounted([], 7, 7)).toBe(1);
  });
});
