/** Lines in the order of their times. */
import { describe, expect, it } from 'vitest';
import { inOrder } from './line-order.js';

const ordered = (lines: [string, number][], newestFirst: boolean) =>
  inOrder(
    Buffer.from(lines.map(([text]) => text).join('\n')),
    lines.map(([, time]) => time),
    newestFirst,
  )
    .toString()
    .trimEnd()
    .split('\n');
const NONE = Number.NaN;
const UNSET = -1;

describe('inOrder', () => {
  it('turns a page round that is newest first, and lines of one second with it', () => {
    const page: [string, number][] = [
      ['Time Event', NONE],
      ['d', 30],
      ['c', 20],
      ['b', 20],
      ['a', 10],
    ];
    expect(ordered(page, true)).toEqual(['Time Event', 'a', 'b', 'c', 'd']);
  });

  it('keeps lines without a time behind theirs, and those of an unset clock with the older line', () => {
    const page: [string, number][] = [
      ['after the boot', 30],
      ['  detail', NONE],
      ['second of the boot', UNSET],
      ['first of the boot', UNSET],
      ['before the boot', 10],
    ];
    const expected = [
      'before the boot',
      'first of the boot',
      'second of the boot',
      'after the boot',
      '  detail',
    ];
    expect(ordered(page, true)).toEqual(expected);
  });

  it('sorts what goes to and fro, and leaves equal times as they stood', () => {
    const page: [string, number][] = [
      ['a', 10],
      ['c1', 30],
      ['c2', 30],
      ['b', 20],
    ];
    expect(ordered(page, false)).toEqual(['a', 'b', 'c1', 'c2']);
  });
});
