import { describe, expect, it } from 'vitest';
import type { NormalIf, Reason } from './score.js';
import { alertSentence, anomalySentence, featureLabel, quantity, reasonClause, span } from './sentence.js';

const reason = (feature: string, unit: string, [observed, p5, p95]: (number | null)[]): Reason => ({
  feature,
  unit,
  observed: observed ?? null,
  median: p5 === null || p95 === null ? null : (p5! + p95!) / 2,
  p5: p5 ?? null,
  p95: p95 ?? null,
  share: 0.6,
});

const event = (
  observed: number,
  seconds: number,
  per_day: number,
  known_days: number,
  name = 'T3-timeout',
) => ({
  ...reason(`events:${name}`, '', [observed, 0, 1]),
  event: { name, seconds, per_day, known_seconds: known_days * 86_400 },
});

const limit = (
  feature: string,
  unit: string,
  value: number,
  side: 'below' | 'above' = 'below',
): NormalIf => ({
  detector: 'adaptive_baseline',
  feature,
  unit,
  value,
  side,
});

describe('a reason', () => {
  it.each([
    ['latency_ms', 'ms', [181.27, 22.41, 31], 'latency 181 ms (usually 22–31 ms)'],
    ['latency_ms', 'ms', [5, 22.41, 31], 'latency 5 ms (usually 22–31 ms)'],
    ['latency_mean', 'ms', [31.42, 22.41, 31], 'mean latency 31.42 ms (usually 22.4–31 ms)'],
    ['packet_loss_pct', '%', [14, 0, 0.1], 'packet loss 14 % (usually below 0.1 %)'],
    ['packet_loss_mean', '%', [14.2, 0, 0], 'mean packet loss 14 % (usually 0 %)'],
    ['packet_loss_max', '%', [100, -3, 130], 'highest packet loss 100 % (usually below 100 %)'],
    ['packet_loss_variance', '%²', [42.25, 0, 0.01], 'packet loss swings by ±6.5 % (usually below 0.1 %)'],
    ['latency_variance', 'ms²', [900, 1, 4], 'latency swings by ±30 ms (usually 1–2 ms)'],
    ['traffic_mean', 'MB', [0.7, -0.1, 0.48], 'mean traffic 0.7 MB (usually below 0.48 MB)'],
    ['retry_count', '', [9, 0, 1], '9 retries in a record (usually at most 1)'],
    ['retry_mean', '', [3, 0, 0.2], '3 retries per record (usually below 0.2)'],
    ['retry_rate', '', [0.43, 0.02, 0.08], 'retries in 43 % of the records (usually 2–8 %)'],
    ['error_rate', '', [1, 0, 0], 'errors in 100 % of the records (usually 0 %)'],
    ['errors', '', [1, 0, 0], '1 error in a record (usually 0)'],
    ['resets_total', '', [14, 0, 0], '14 connection resets (usually 0)'],
    ['log_frequency', '1/s', [1.03, 0.93, 0.97], '1.03 records per second (usually 0.93–0.97)'],
    ['log_frequency', '1/s', [5.2, 1.01, 1.03], '5.2 records per second (usually about 1)'],
    ['log_frequency', '1/s', [0.3, 0.02, 0.0333], '18 records per minute (usually 1–2)'],
    ['device_diversity', '', [3, 16, 17], '3 devices report (usually 16–17)'],
    ['snr_mean', 'dB', [12, 33.5, 35.1], 'mean snr 12 dB (usually 34–35 dB)'],
    ['signal', 'dBm', [-101, -71, -60], 'signal −101 dBm (usually −71 to −60 dBm)'],
    ['signal_variance', 'dBm²', [81, 1, 4], 'signal swings by ±9 dBm (usually 1–2 dBm)'],
    ['attach_rate', '', [0.4, 0, 0.01], 'attach in 40 % of the records (usually below 1 %)'],
    ['bit_rate', 'Mbit/s', [2, 40, 50], 'bit rate 2 Mbit/s (usually 40–50 Mbit/s)'],
    ['latency_ms', 'ms', [null, 22.41, 31], 'latency not measured (usually 22.4–31 ms)'],
    ['latency_ms', 'ms', [181.27, null, null], 'latency 181 ms'],
    ['latency_ms', 'ms', [3.4e38, 1, 2], 'latency 3.4 × 10³⁸ ms (usually 1–2 ms)'],
    ['latency_ms', 'ms', [1_000_001, 1_000_000, 1_000_000], 'latency 1,000,001 ms (usually 1,000,000 ms)'],
  ] as const)('%s in %s: %j is said as "%s"', (feature, unit, values, text) => {
    expect(reasonClause(reason(feature, unit, [...values]))).toBe(text);
  });

  it.each([
    [event(40, 420, 3, 80), 'T3-timeout, 40 times in 7 min (3 a day before)'],
    [event(3, 40, 0, 20), 'T3-timeout, 3 times in 40 s (none in the last 20 days)'],
    [event(1, 0, 0, 20), 'T3-timeout (none in the last 20 days)'],
    [event(9, 3600, 0.1, 28), 'T3-timeout, 9 times in 60 min (one in 10 days before)'],
    [event(900, 60, 1440, 28), 'T3-timeout, 900 times in 60 s (1 a minute before)'],
    [event(900, 60, 7200, 28), 'T3-timeout, 900 times in 60 s (5 a minute before)'],
    [event(7, 600, 1.25, 28, '503'), 'error 503, 7 times in 10 min (1.3 a day before)'],
    [event(7, 600, 2, 28, 'dhcp_nak'), 'dhcp nak, 7 times in 10 min (2 a day before)'],
  ])('of an event says its name, how often it came, in what time, and how often before', (of, text) => {
    expect(reasonClause(of)).toBe(text);
  });

  it('has a label without a value too', () => {
    expect(featureLabel('packet_loss_mean')).toBe('mean packet loss');
    expect(featureLabel('snr_p95')).toBe('95th-percentile snr');
    expect(featureLabel('_mean')).toBe(' mean');
  });
});

describe('a sentence', () => {
  const latency = reason('latency_ms', 'ms', [181.27, 22.41, 31]);
  const loss = reason('packet_loss_pct', '%', [14, 0, 0.1]);
  const retries = reason('retry_count', '', [1, 0, 1]);

  it('names the device, or the gateway as a whole, and at most two reasons', () => {
    expect(anomalySentence('modem-1', [latency, loss, latency])).toBe(
      'modem-1: latency 181 ms (usually 22–31 ms); packet loss 14 % (usually below 0.1 %).',
    );
    expect(anomalySentence('*', [])).toBe('The gateway as a whole behaves unlike what was seen in training.');
  });

  it('leaves out what lies within its usual range, unless nothing else remains', () => {
    expect(anomalySentence('a', [retries, loss])).toBe('a: packet loss 14 % (usually below 0.1 %).');
    const usual = reason('latency_ms', 'ms', [25, 22.41, 31]);
    expect(anomalySentence('a', [retries, usual])).toBe(
      'a: an unusual combination: 1 retry in a record (usually at most 1) with latency 25 ms (usually 22.4–31 ms).',
    );
  });

  it('names up to three events of a storm, and errors without a name then no more', () => {
    const storm = [
      event(40, 420, 3, 80),
      event(10, 400, 0, 80, 'T4-timeout'),
      event(6, 400, 0, 80, 'sync-lost'),
    ];
    const errors = reason('error_rate', '', [1, 0, 0]);
    expect(anomalySentence('modem', [errors, ...storm])).toBe(
      'modem: T3-timeout, 40 times in 7 min (3 a day before); ' +
        'T4-timeout, 10 times in 7 min (none in the last 80 days); ' +
        'sync-lost, 6 times in 7 min (none in the last 80 days).',
    );
  });

  it('says from where on it alerts, of the reason that it names first', () => {
    const said = (limits: NormalIf[], of = latency) => alertSentence('a', [of], limits).split(').')[1];
    expect(said([limit('latency_ms', 'ms', 84.31)])).toBe(' Alerts above 84 ms.');
    expect(said([limit('packet_loss_pct', '%', 1), limit('latency_ms', 'ms', 84.31)])).toBe(
      ' Alerts above 84 ms.',
    );
    expect(said([limit('packet_loss_pct', '%', 1)])).toBe('');
    const slow = reason('log_frequency', '1/s', [0.3, 0.93, 0.97]);
    expect(said([limit('log_frequency', '1/s', 0.8, 'above')], slow)).toBe(' Alerts below 0.8 per second.');
    const swings = reason('latency_variance', 'ms²', [900, 1, 4]);
    expect(said([limit('latency_variance', 'ms²', 25)], swings)).toBe(' Alerts above ±5 ms.');
    const t3 = limit('events:T3-timeout', '', 3);
    expect(said([{ ...t3, seconds: 600 }], event(40, 420, 3, 80))).toBe(' Alerts above 3 in 10 min.');
  });

  it('says no limit that would contradict the reason', () => {
    const said = (of: Reason, value: number, side: 'below' | 'above') =>
      alertSentence('a', [of], [limit('latency_ms', 'ms', value, side)]);
    for (const [value, side] of [
      [200, 'below'],
      [25, 'below'],
      [84, 'above'],
    ] as const) {
      expect(said(latency, value, side)).not.toContain('Alerts');
    }
    expect(said({ ...latency, observed: null }, 84, 'below')).not.toContain('Alerts');
  });

  it('shows different numbers as different numbers', () => {
    const close = reason('log_frequency', '1/s', [0.9312, 0.9387, 0.9721]);
    expect(alertSentence('a', [close], [limit('log_frequency', '1/s', 0.9365, 'above')])).toBe(
      'a: 0.9312 records per second (usually 0.9387–0.972). Alerts below 0.9365 per second.',
    );
  });
});

describe('a quantity', () => {
  it('is rounded to what a person can read', () => {
    expect(quantity(12345.678, 'ms')).toBe('12,346 ms');
    expect(quantity(0.314159, '')).toBe('0.31');
    expect(quantity(null, 'ms')).toBe('unknown');
    expect(quantity(-0, '')).toBe('0');
    expect([0.5, 40, 119, 420, 7300, 200_000].map(span)).toEqual([
      '0.5 s',
      '40 s',
      '119 s',
      '7 min',
      '2 h',
      '2 days',
    ]);
  });
});
