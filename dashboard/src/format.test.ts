import { describe, expect, it } from 'vitest';
import {
  bytes,
  clock,
  compactCount,
  dateClock,
  duration,
  figure,
  microseconds,
  odds,
  percent,
  plural,
  ratio,
  UNKNOWN,
  withUnit,
} from './format.js';

/** Values are joined to their units by a space that does not break. */
const plain = (text: string) => text.replaceAll('\u00a0', ' ');

describe('odds', () => {
  it('say how rare a score in nats is, in two digits, and no more than can be known', () => {
    expect([0, 13, 16, 22, 90].map(odds)).toEqual([
      '1 in 1',
      '1 in 440,000',
      '1 in 8.9 million',
      'less than 1 in a billion',
      'less than 1 in a billion',
    ]);
    expect(odds(null)).toBe(UNKNOWN);
  });
});

describe('numbers', () => {
  it('have at most three significant digits or all of their whole ones', () => {
    expect([0.046, 1.5, 31.42, 240.7, 12345.6].map(figure)).toEqual([
      '0.05',
      '1.50',
      '31.4',
      '241',
      '12,346',
    ]);
  });

  it('in tiles stay short', () => {
    expect([0, 99_999, 100_000, 999_999, 1_234_567, 45_600_000].map(compactCount)).toEqual([
      '0',
      '99,999',
      '100k',
      '999k',
      '1.23M',
      '45.6M',
    ]);
  });

  it('as percent tell small shares exactly', () => {
    expect([0, 0.0004, 0.0123, 0.5, 1].map((share) => plain(percent(share)))).toEqual([
      '0 %',
      '0.04 %',
      '1.2 %',
      '50 %',
      '100 %',
    ]);
  });

  it('carry the unit that fits', () => {
    expect([900, 182_344, 2_500_000].map((size) => plain(bytes(size)))).toEqual([
      '900 B',
      '182 kB',
      '2.50 MB',
    ]);
    expect([6.4, 1500].map((us) => plain(microseconds(us)))).toEqual(['6.40 µs', '1.50 ms']);
    expect(plain(withUnit(2.1, 's'))).toBe('2.10 s');
  });

  it('that are small do not read as zero', () => {
    expect([0.0001, -0.00123, 0.005, 0, 1e-9].map(figure)).toEqual([
      '0.0001',
      '-0.0012',
      '0.01',
      '0.00',
      '0.00',
    ]);
  });

  it('that are unknown are a dash and no zero', () => {
    const told = [
      figure(null),
      percent(null),
      ratio(null),
      bytes(null),
      withUnit(null, 'ms'),
      compactCount(null),
    ];
    expect(new Set(told)).toEqual(new Set([UNKNOWN]));
    expect(figure(Number.NaN)).toBe(UNKNOWN);
  });
});

describe('times', () => {
  it('durations use two units at most', () => {
    const told = [-5, 999, 59_000, 125_000, 3_600_000 * 3.2, 86_400_000 * 4.1].map((ms) =>
      plain(duration(ms)),
    );
    expect(told).toEqual(['0 s', '0 s', '59 s', '2 min 5 s', '3 h 12 min', '4 d 2 h']);
  });

  it('are told in local time, with the date when it is another day', () => {
    const noon = new Date(2026, 2, 1, 12, 3, 4);
    expect(clock(noon.getTime())).toBe('12:03:04');
    expect(dateClock(noon.toISOString(), noon.getTime() + 60_000)).toBe('12:03:04');
    expect(dateClock(noon.toISOString(), noon.getTime() + 86_400_000)).toBe('2026-03-01 12:03:04');
  });

  it('that make no sense are a dash', () => {
    expect(clock('yesterday')).toBe(UNKNOWN);
  });
});

it('one is not many', () => {
  expect([plural(1, 'line'), plural(0, 'line'), plural(1200, 'line')]).toEqual([
    '1 line',
    '0 lines',
    '1,200 lines',
  ]);
});
