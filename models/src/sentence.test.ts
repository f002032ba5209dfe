import { describe, expect, it } from 'vitest';
import type { Reason } from './score.js';
import { alertSentence, anomalySentence, quantity, reasonClause } from './sentence.js';

const latency: Reason = {
  feature: 'latency_mean',
  unit: 'ms',
  observed: 181.27,
  median: 25,
  p5: 22.41,
  p95: 31,
  share: 0.6,
};

describe('sentence', () => {
  it('says what was observed, with its unit, against the usual range', () => {
    expect(reasonClause(latency)).toBe('mean latency 181 ms (usual 22.4–31 ms)');
  });

  it('leaves the range out where training knew none and says "unknown" where nothing was observed', () => {
    expect(reasonClause({ ...latency, p5: null })).toBe('mean latency 181 ms');
    expect(reasonClause({ ...latency, observed: null })).toBe('mean latency unknown (usual 22.4–31 ms)');
  });

  it('names the device, or the gateway as a whole, and at most two reasons', () => {
    const text = anomalySentence('modem-1', [latency, latency, latency]);
    expect(text.startsWith('modem-1: ')).toBe(true);
    expect(text.match(/mean latency/g)).toHaveLength(2);
    expect(anomalySentence('*', [])).toBe('The gateway as a whole behaves unlike what was seen in training.');
  });

  it('says each share, who found it and since when', () => {
    const detectors = ['isolation_forest', 'adaptive_baseline', 'autoencoder'] as const;
    expect(alertSentence('modem-1', [latency], detectors, '2026-01-05T08:15:02.400Z')).toBe(
      'modem-1: mean latency 181 ms (usual 22.4–31 ms), 60 % of the score. ' +
        'Found by the isolation forest, the adaptive baseline and the autoencoder since 08:15:02 UTC.',
    );
  });

  it('says what would have kept it away, and to whom where several found it', () => {
    const baseline = {
      detector: 'adaptive_baseline',
      feature: 'latency_ms',
      unit: 'ms',
      value: 84.31,
      side: 'below',
    } as const;
    const forest = {
      ...baseline,
      detector: 'isolation_forest',
      feature: 'log_frequency',
      unit: '1/s',
      value: 1,
      side: 'above',
    } as const;
    const sentence = (
      found: readonly ('adaptive_baseline' | 'isolation_forest')[],
      changes: readonly (typeof baseline | typeof forest)[],
    ) => alertSentence('modem-1', [latency], found, '2026-01-05T08:15:02.400Z', changes);
    expect(sentence(['adaptive_baseline'], [baseline])).toMatch(
      / It would have been normal with latency of 84.3 ms or less.$/,
    );
    expect(sentence(['isolation_forest', 'adaptive_baseline'], [baseline, forest])).toMatch(
      / It would have been normal to the adaptive baseline with latency of 84.3 ms or less, and to the isolation forest with records per second of 1 1\/s or more.$/,
    );
    expect(sentence(['adaptive_baseline'], [])).toMatch(/ since 08:15:02 UTC.$/);
  });

  it('uses the plain name of a declared channel', () => {
    expect(reasonClause({ ...latency, feature: 'snr_mean', unit: 'dB' })).toContain('snr mean');
  });

  it('rounds to what a person can read', () => {
    expect(quantity(12345.678, 'ms')).toBe('12,346 ms');
    expect(quantity(0.314159, '')).toBe('0.31');
  });
});
