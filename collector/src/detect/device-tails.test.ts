/** When a line's own scores say what is rare for it. */
import { type Manifest, sealJson } from '@lineheron/models/persist';
import { describe, expect, it } from 'vitest';
import { FINGERPRINT } from '../testing/messages.js';
import { DeviceTails } from './device-tails.js';

const SHA = 'ab'.repeat(32);
const WINDOW_MS = 30_000;
const line = { agent: 'gw-1', device: 'modem-1', scope: 'device' as const, fingerprint: FINGERPRINT };
/** Of a fleet whose scores are exponential with mean 1. */
const metrics = { tail_start: 2.3, tail_scale: 1, effective_rows: 10_000, windows_per_day: 86_400 };
const manifest = { sha256: SHA, metrics } as unknown as Manifest;

/** So many windows, `everyMs` apart, of a line whose scores are exponential with this mean. */
function fed(count: number, mean: number, everyMs = WINDOW_MS, of: () => string | null = () => SHA) {
  const tails = new DeviceTails(of);
  for (let n = 1; n <= count; n++) {
    // 32 bits, as the model gives them.
    const score = Math.fround(-mean * Math.log((n * 0.618_034) % 1 || 0.5));
    tails.add({ ...line, endMs: n * everyMs, windowMs: WINDOW_MS, score });
  }
  return tails;
}

const fleet = 2.3 + Math.log(0.1 / (0.2 / 86_400));

describe("a line's own threshold", () => {
  it("is above the fleet's for a noisier line and below it for a calmer one, once it has spoken for an hour or two", () => {
    expect(fed(5, 4).threshold(line, manifest, 0.2)).toBeNull();
    expect(fed(240, 4).threshold(line, manifest, 0.2)).toBeGreaterThan(2.5 * fleet);
    expect(fed(240, 0.25).threshold(line, manifest, 0.2)).toBeLessThan(0.7 * fleet);
  });

  it('counts overlapping windows once', () => {
    // 900 of them cover only thirty window lengths: the fleet decides two thirds.
    const overlapping = fed(900, 4, 1000).threshold(line, manifest, 0.2)!;
    expect(overlapping).toBeLessThan(fed(240, 4).threshold(line, manifest, 0.2)!);
    expect(fed(890, 4, 1000).threshold({ ...line, device: 'modem-2' }, manifest, 0.2)).toBeNull();
  });

  it('begins anew with another model', () => {
    let sha = SHA;
    const tails = fed(240, 4, WINDOW_MS, () => sha);
    sha = 'cd'.repeat(32);
    tails.add({ ...line, endMs: 1e9, windowMs: WINDOW_MS, score: 1 });
    expect(tails.threshold(line, manifest, 0.2)).toBeNull();
    expect(tails.threshold(line, { ...manifest, sha256: sha }, 0.2)).toBeNull();
  });

  it('is after a restart the one before, and goes on as if there had been none', () => {
    const before = fed(233, 4);
    for (const tails of [before, fed(505, 4)]) {
      const after = new DeviceTails(() => SHA);
      expect(after.load(tails.save())).toEqual({ known: 1, anew: 0 });
      expect(after.threshold(line, manifest, 0.2)).not.toBeNull();
      for (let n = 506; n < 1000; n++) {
        expect(after.threshold(line, manifest, 0.2)).toBe(tails.threshold(line, manifest, 0.2));
        const window = { ...line, endMs: n * WINDOW_MS, windowMs: WINDOW_MS, score: Math.fround(n % 13) };
        for (const one of [after, tails]) one.add(window);
      }
      expect(after.save()).toEqual(tails.save());
    }
  });

  it('begins anew after a restart with another model, and from a file that no tails can have left', () => {
    const kept = fed(240, 4).save();
    const other = new DeviceTails(() => 'cd'.repeat(32));
    expect(other.load(kept)).toEqual({ known: 0, anew: 1 });
    expect(other.threshold(line, manifest, 0.2)).toBeNull();
    const tails = new DeviceTails(() => SHA);
    const { lines, v } = JSON.parse(kept.toString().split('\n')[1]!);
    const scores = (bytes: Buffer) =>
      sealJson({ v, lines: [{ ...lines[0], scores: bytes.toString('base64') }] });
    for (const damaged of [
      scores(Buffer.alloc(7)),
      scores(Buffer.alloc(4 * 241)),
      scores(Buffer.from(Float32Array.of(Number.NaN).buffer)),
      sealJson({ v: 1, lines }),
      kept.subarray(0, -1),
    ]) {
      expect(() => tails.load(damaged)).toThrow();
    }
    expect(tails.threshold(line, manifest, 0.2)).toBeNull();
  });
});
