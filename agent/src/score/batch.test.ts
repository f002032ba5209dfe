/** How batches are cut: before they pass what a broker may take, whatever the windows hold. */
import { MAX_BATCH_BYTES, scoreBatchSchema } from '@lineheron/models';
import type { WindowResult } from '@lineheron/native';
import { describe, expect, it } from 'vitest';
import { BatchBuilder } from './batch.js';
import { mostBytesOf, wireWindow } from './wire.js';

const ORIGIN = { agent: 'a'.repeat(64), boot: '0123456789abcdef', fingerprint: '59dd2e9c1d7c38b0' };

/** A window whose every part is as long as it may be, or short. */
function windowOf(features: number, long: boolean): WindowResult {
  const value = long ? -1.2345678e-30 : 1;
  const reason = {
    feature: '"'.repeat(long ? 128 : 1),
    unit: 'µ'.repeat(long ? 32 : 1),
    observed: value,
    median: value,
    p5: value,
    p95: value,
    share: 0.123456789012345,
  };
  return {
    scope: 'device',
    device: long ? '\u{1f4a5}'.repeat(64) : 'm',
    endMs: Date.UTC(2026, 0, 1),
    records: 4096,
    state: 'scored',
    score: value,
    threshold: value,
    suspect: true,
    features: new Array(features).fill(value),
    reasons: new Array(long ? 8 : 0).fill(reason),
    lineEnd: 0,
    record: null,
    baseline: null,
    isAnomaly: true,
    anomalyType: '"'.repeat(64),
  } as unknown as WindowResult;
}

function built(count: number, features: number, maxBytes?: () => number) {
  const builder = new BatchBuilder(ORIGIN, () => Date.UTC(2026, 0, 1), maxBytes);
  for (let at = 0; at < count; at++) {
    const windows = [windowOf(features, at % 3 === 0), windowOf(features, at % 5 === 0)];
    const line = { timestamp: '2026-01-01T00:00:00.000Z', device_id: '"'.repeat(128), suspect: false };
    const record = builder.reserve(line, windows.length, mostBytesOf(windows));
    for (const window of windows)
      builder.append({ wire: wireWindow(window, record, builder.nextId(), undefined) });
  }
  return builder.take();
}

describe('a batch', () => {
  it('is never larger than every broker takes, with few features and with as many as there may be', () => {
    for (const features of [19, 275]) {
      const batches = built(200, features);
      const sizes = batches.map(({ bytes }) => bytes.length);
      expect(Math.max(...sizes)).toBeLessThanOrEqual(MAX_BATCH_BYTES);
      // Nor much smaller: what is kept free is one line's part.
      expect(Math.min(...sizes.slice(0, -1))).toBeGreaterThan(MAX_BATCH_BYTES / 5);
      const windows = batches.flatMap(({ bytes }) => JSON.parse(bytes.toString()).windows as unknown[]);
      expect(windows).toHaveLength(400);
    }
  });

  it('is cut smaller once less is known to pass, but holds at least what one line gave', () => {
    const sizes = built(60, 19, () => 12 * 1024).map(({ bytes }) => bytes.length);
    expect(sizes.length).toBeGreaterThan(20);
    expect(built(3, 19, () => 1)).toHaveLength(3);
  });

  it('keeps the order and place of what went into it', () => {
    const batches = built(50, 19);
    for (const { bytes, sequence } of batches) {
      const batch = JSON.parse(bytes.toString()) as { windows: { episode: string; record: number }[] };
      batch.windows.forEach(({ episode, record }, at) => {
        expect(episode).toBe(`${ORIGIN.agent}/${ORIGIN.boot}/${sequence}/${at}`);
        expect(record).toBe(at >> 1);
      });
    }
  });

  it('is what the schema takes', () => {
    const builder = new BatchBuilder({ ...ORIGIN, agent: 'gw' }, () => 0);
    const window = windowOf(19, false);
    builder.reserve(null, 1, 2_000);
    builder.append({ wire: wireWindow(window, undefined, null, undefined) });
    expect(scoreBatchSchema.safeParse(JSON.parse(builder.take()[0]!.bytes.toString())).error).toBeUndefined();
  });
});
