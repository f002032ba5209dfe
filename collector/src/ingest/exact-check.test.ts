/** The compiled check of a batch says of every value what a parse would say. */
import { isDeepStrictEqual } from 'node:util';
import { type ScoreBatch, scoreBatchSchema } from '@lineheron/models';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { makeBatch, makeFeatures, makeWindow } from '../testing/messages.js';
import { isExactBatch } from './decode.js';
import { exactCheck } from './exact-check.js';

/** As JSON gives it. */
const asJson = <T>(value: T): T => JSON.parse(JSON.stringify(value)) as T;

function isUnchanged(schema: z.ZodType, value: unknown): boolean {
  const result = schema.safeParse(value);
  return result.success && isDeepStrictEqual(result.data, value);
}

const reason = { feature: 'latency_mean', unit: 'ms', observed: 1, median: null, p5: 0, p95: 2, share: -1 };
const event = { name: '503', seconds: 1, per_day: 0, known_seconds: 2 };
const full: ScoreBatch = makeBatch({
  first: 1,
  historical: true,
  windows: [
    makeWindow(),
    makeWindow({
      suspect: true,
      device: 'Modém 2',
      score: null,
      threshold: null,
      baseline: { nats: 3, threshold: 13, strangeness: 1.5 },
      detectors: ['adaptive_baseline'],
      features: [...makeFeatures(), null],
      reasons: [reason, { ...reason, event }],
      normal_if: [
        { detector: 'isolation_forest', feature: 'x', unit: '', value: 1, side: 'below', seconds: 3 },
      ],
      episode: 'gw-1/aaaaaaaaaaaaaaaa/1/0',
      is_anomaly: true,
      anomaly_type: 'spike',
      record: 0,
      index: 7,
    }),
    makeWindow({ scope: 'gateway', device: '*', state: 'warming_up', baseline: null }),
  ],
  records: [
    {
      timestamp: '2026-02-28T23:59:59.999+01:00',
      device_id: 'modem-1',
      latency_ms: 1.5,
      packet_loss_pct: 100,
      retry_count: 3,
      error_code: 'E',
      traffic_volume_mb: 0,
      connection_resets: 0,
      channels: { snr: 3 },
      is_anomaly: false,
      anomaly_type: 'none',
      suspect: false,
    },
  ],
});

/** Every place in a value: the keys that lead there. */
function placesOf(value: unknown, path: readonly (string | number)[] = []): (string | number)[][] {
  if (typeof value !== 'object' || value === null) return [[...path]];
  const keys = Array.isArray(value) ? value.map((_, at) => at) : Object.keys(value);
  const inside = keys.flatMap((key) => placesOf((value as Record<string, unknown>)[key], [...path, key]));
  return [[...path], ...inside];
}

function changed(
  value: unknown,
  path: readonly (string | number)[],
  change: (old: unknown) => unknown,
): unknown {
  const [key, ...rest] = path;
  if (key === undefined) return change(value);
  const copy = (Array.isArray(value) ? [...value] : { ...(value as object) }) as Record<
    string | number,
    unknown
  >;
  const next = changed(copy[key], rest, change);
  if (next === undefined && !Array.isArray(copy)) delete copy[key];
  else copy[key] = next ?? null;
  return copy;
}

const TEXTS = [
  ...[
    '',
    ' ',
    '*',
    'a/b',
    'a+',
    'gw-1',
    'GW',
    'fleet',
    '__proto__',
    'scored',
    'x'.repeat(128),
    'x'.repeat(129),
  ],
  ...[
    'x'.repeat(64),
    'x'.repeat(65),
    'aaaaaaaaaaaaaaaa',
    'gw-1/aaaaaaaaaaaaaaaa/1/0',
    'gw-1/aaaaaaaaaaaaaaaa/1/x',
  ],
  ...[
    '2026-01-01T00:00:00.000Z',
    '2026-02-29T00:00:00.000Z',
    '2024-02-29T00:00:00.000Z',
    '2026-06-31T00:00:00Z',
  ],
  ...[
    '1969-12-31T23:59:59.999Z',
    '1970-01-01T00:00:00.000Z',
    '9999-12-31T23:59:59.999Z',
    '2026-01-01T24:00:00.000Z',
  ],
  ...[
    '2026-01-01T00:60:00.000Z',
    '2026-01-01T00:00:60.000Z',
    '2026-01-01 00:00:00Z',
    '2026-01-01T00:00:00.000z',
  ],
  ...[
    '2026-13-01T00:00:00.000Z',
    '2026-01-00T00:00:00.000Z',
    '2026-01-32T00:00:00.000Z',
    '2026-01-01T00:00:00.000Z\n',
  ],
];
const NUMBERS = [
  ...[0, -0, 1, -1, 0.5, 1.5, 2, 7, 8, 100, 100.5, 1023, 1024, 3.4e38, 3.41e38, -3.4e38, 1e308],
  ...[Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER + 1, 999_999_999_999_999, 1_000_000_000_000_000],
  ...[Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY],
];
const anything = fc.oneof(
  fc.constantFrom<unknown>(...TEXTS, ...NUMBERS, null, true, false, undefined, [], {}, [[]]),
  fc.string(),
  fc.double({ noNaN: true }),
  fc.jsonValue(),
);
const strange = (old: unknown) =>
  fc.oneof(
    { weight: 4, arbitrary: anything },
    fc.constant(typeof old === 'object' && old !== null ? { ...old, unknown_key: 1 } : old),
    fc.constant(Array.isArray(old) ? Array.from({ length: 1025 }, () => old[0]) : old),
    fc.constant(Array.isArray(old) ? [...old, ...old, ...old, ...old, ...old] : old),
  );

describe('the compiled check of a batch', () => {
  it('accepts what agents send, and copies nothing', () => {
    expect(isExactBatch(asJson(full))).toBe(true);
    expect(isExactBatch(asJson(makeBatch()))).toBe(true);
  });

  it('says of a batch with anything changed anywhere what the schema says', () => {
    const places = placesOf(full);
    const changes = fc.constantFrom(...places).chain((path) => {
      const old = path.reduce<unknown>((value, key) => (value as Record<string, unknown>)[key], full);
      return strange(old).map((next) => changed(full, path, () => next));
    });
    fc.assert(
      fc.property(changes, (batch) => isExactBatch(batch) === isUnchanged(scoreBatchSchema, batch)),
      { numRuns: 4000 },
    );
  });

  it('says of every day and every time with a zone what the schema says', () => {
    const time = fc
      .tuple(
        fc.integer({ min: 1960, max: 10_010 }),
        fc.nat(13),
        fc.nat(32),
        fc.nat(25),
        fc.nat(61),
        fc.nat(61),
      )
      .map(([year, month, day, hour, minute, second]) => {
        const two = (value: number) => String(value).padStart(2, '0');
        return `${year}-${two(month)}-${two(day)}T${two(hour)}:${two(minute)}:${two(second)}.000Z`;
      });
    fc.assert(
      fc.property(time, (created_at) => {
        const batch = asJson(makeBatch({ created_at }));
        return isExactBatch(batch) === isUnchanged(scoreBatchSchema, batch);
      }),
      { numRuns: 3000 },
    );
  });

  it('is not led astray by names that every object has', () => {
    const text = JSON.stringify(makeBatch()).replace('{', '{"__proto__":{"v":1},');
    expect(isExactBatch(JSON.parse(text))).toBe(false);
    expect(isExactBatch([])).toBe(false);
    expect(isExactBatch(null)).toBe(false);
  });
});

describe('a compiled check', () => {
  it('leaves to the schema what it does not know', () => {
    const even = exactCheck(z.number().refine((value) => value % 2 === 0));
    expect([even(2), even(3)]).toEqual([true, false]);
    const trimmed = exactCheck(z.string().trim());
    expect([trimmed('a'), trimmed(' a')]).toEqual([true, false]);
    const strict = exactCheck(z.strictObject({ a: z.number() }));
    expect([strict({ a: 1 }), strict({ a: 1, b: 2 })]).toEqual([true, false]);
    const steps = exactCheck(z.number().multipleOf(5).gt(0));
    expect([steps(5), steps(0), steps(7)]).toEqual([true, false, false]);
    expect(exactCheck(z.number().default(1))(undefined)).toBe(false);
    expect(exactCheck(z.string().regex(/a/g))('ba')).toBe(true);
  });
});
