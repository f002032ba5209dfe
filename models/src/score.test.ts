import { describe, expect, it } from 'vitest';
import { type ScoreBatch, scoreBatchSchema } from './score.js';

const boot = '0123456789abcdef';
const batch: ScoreBatch = {
  v: 1,
  agent: 'gw-1',
  boot,
  sequence: 1,
  created_at: '2026-01-02T03:04:05.000Z',
  fingerprint: boot,
  windows: [
    {
      scope: 'device',
      device: 'modem-1',
      end: '2026-01-02T03:04:05.000Z',
      records: 30,
      state: 'scored',
      score: 0.7,
      threshold: 0.6,
      suspect: true,
      features: [1, null],
      reasons: [],
      episode: `gw-1/${boot}/1/0`,
    },
  ],
  records: [],
};

describe('score batch', () => {
  it('accepts what an agent sends and drops fields it does not know', () => {
    const parsed = scoreBatchSchema.parse({ ...batch, later_version_says: 1 });
    expect(parsed).toEqual(batch);
  });

  it('takes a baseline with a strangeness, and one of an older agent without', () => {
    for (const baseline of [
      { nats: 2, threshold: 13 },
      { nats: 2, threshold: 13, strangeness: 4.5 },
    ]) {
      const windows = [{ ...batch.windows[0]!, baseline }];
      expect(scoreBatchSchema.parse({ ...batch, windows }).windows[0]!.baseline).toEqual(baseline);
    }
  });

  it.each([
    ['another version', { v: 2 }],
    ['a sequence of 0', { sequence: 0 }],
    ['a reserved agent', { agent: 'fleet' }],
    ['a time without offset', { created_at: '2026-01-02T03:04:05' }],
    ['too many windows', { windows: Array(1025).fill(batch.windows[0]) }],
    ['a score above 1', { windows: [{ ...batch.windows[0], score: 1.5 }] }],
    ['a feature that 32 bits cannot hold', { windows: [{ ...batch.windows[0], features: [-1e39] }] }],
    ['a sequence that no window id can carry', { sequence: 1e15 }],
    ['a window before 1970', { windows: [{ ...batch.windows[0], end: '1969-12-31T23:59:59.999Z' }] }],
    [
      'a record after the year 9999',
      { records: [{ timestamp: '9999-12-31T23:59:59-01:00', device_id: 'a', suspect: false }] },
    ],
    [
      'a strangeness that is no number',
      { windows: [{ ...batch.windows[0], baseline: { nats: 1, threshold: 2, strangeness: '3' } }] },
    ],
    ['a device with a wildcard', { windows: [{ ...batch.windows[0], device: 'a+' }] }],
  ])('refuses %s', (_what, change) => {
    expect(scoreBatchSchema.safeParse({ ...batch, ...change }).success).toBe(false);
  });
});
