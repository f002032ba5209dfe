/** When an alert ends: with its fault, on lines of every rhythm. */
import { describe, expect, it } from 'vitest';
import { testScoring } from '../test-scoring.js';

const START_MS = Date.UTC(2026, 0, 5);
const USUAL = 1000;
const AFTER = 60;

/** Seeded: the same on every machine. */
function random() {
  let state = 1;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Of a share of 0–1, which is another one for each record. */
const FAULTS: Record<string, (share: number) => object> = {
  'a high latency': (share) => ({ latency_ms: 150 + 500 * share }),
  'a latency a little higher': (share) => ({ latency_ms: 24 + share }),
  loss: (share) => ({ packet_loss_pct: 40 + 60 * share }),
  'an error code': () => ({ error_code: 503 }),
  'two error codes': (share) => ({ error_code: share < 0.5 ? 503 : 'timeout' }),
  'all at once': (share) => ({
    ...{ latency_ms: 150 + 500 * share, packet_loss_pct: 40 + 60 * share },
    ...{ error_code: 503, retry_count: 6 },
  }),
};

/** Records after the fault's last one at which a window was suspect last, and at which each alert closed. */
function endsOf(stepS: number, fault: (share: number) => object, minutes: number) {
  const next = random();
  const length = Math.max(1, (minutes * 60) / stepS);
  const after = (time: string) => (Date.parse(time) - START_MS) / 1000 / stepS - (USUAL + length - 1);
  const suspects: number[] = [];
  const { pipeline } = testScoring({
    detection: { detecting: true, activeModel: 'adaptive_baseline' },
    nowMs: () => START_MS + 30 * 86_400_000,
    onScored: ({ wire: { suspect, end } }) => suspect && suspects.push(after(end)),
  });
  for (let at = 0; at < USUAL + length + AFTER; at++) {
    const line = {
      ...{ timestamp: START_MS + at * stepS * 1000, device_id: 'modem' },
      latency_ms: 18 + next() + next() + next() + next(),
      packet_loss_pct: next() < 0.05 ? 1 + next() : 0,
      retry_count: next() < 0.1 ? 1 : 0,
      ...(at >= USUAL && at < USUAL + length ? fault(next()) : {}),
    };
    pipeline.push({ bytes: Buffer.from(`${JSON.stringify(line)}\n`), emit: true, position: null });
  }
  const closed = pipeline.take().anomalies.filter(({ phase }) => phase === 'closed');
  return { last: suspects.at(-1) ?? null, closed: closed.map(({ at }) => after(at)) };
}

const CASES = [
  [10, 1],
  [10, 10],
  [60, 10],
  [60, 60],
  [300, 10],
  [300, 60],
].flatMap(([stepS, minutes]) => Object.keys(FAULTS).map((fault) => [fault, minutes!, stepS!] as const));

describe('an alert of', () => {
  it.each(CASES)('%s for %i min on a line of %i s ends with it', (fault, minutes, stepS) => {
    const { last, closed } = endsOf(stepS, FAULTS[fault]!, minutes);
    expect({ last, closed }).toEqual({ last: expect.any(Number), closed: [expect.any(Number)] });
    expect(last).toBeGreaterThanOrEqual(-2);
    expect(last).toBeLessThanOrEqual(2);
    // Three intervals without anything strange; a storm of events holds for five of its gaps.
    expect(closed[0]).toBeLessThanOrEqual(fault === 'two error codes' ? 14 : 7);
  });
});
