/** When a device counts as silent. */
import { describe, expect, it } from 'vitest';
import { Silences } from './silences.js';

function heard(silences: Silences, device: string, everyMs: number, count = 20): number {
  let nowMs = 0;
  for (let at = 0; at < count; at++) {
    nowMs = at * everyMs;
    silences.see(device, nowMs, `${device}@${at}`, nowMs);
  }
  return nowMs;
}

describe('Silences', () => {
  it('tells a device once, a minute after its last window at one a second', () => {
    const silences = new Silences(10);
    const lastMs = heard(silences, 'a', 1000);
    expect(silences.overdue(() => lastMs + 59_999)).toEqual([]);
    expect(silences.overdue(() => lastMs + 60_000)).toEqual([
      { device: 'a', lastWindow: 'a@19', endMs: lastMs, silentMs: 60_000, intervalMs: 1000 },
    ]);
    expect(silences.overdue(() => lastMs + 90_000)).toEqual([]);
  });

  it('waits twenty intervals of one that reports seldom', () => {
    const silences = new Silences(10);
    const lastMs = heard(silences, 'a', 30_000);
    expect(silences.overdue(() => lastMs + 599_999)).toEqual([]);
    expect(silences.overdue(() => lastMs + 600_000)).toHaveLength(1);
  });

  it('tells it again only after it has spoken, and takes the gap for no interval', () => {
    const silences = new Silences(10);
    const lastMs = heard(silences, 'a', 1000);
    silences.overdue(() => lastMs + 60_000);
    expect(silences.see('a', lastMs + 100_000, 'a@20', lastMs + 100_000)).toBe('a@19');
    expect(silences.overdue(() => lastMs + 160_000)).toMatchObject([
      { lastWindow: 'a@20', intervalMs: 1000 },
    ]);
  });

  it('says nothing of one that was heard too seldom to be regular, nor of the gateway itself', () => {
    const silences = new Silences(10);
    heard(silences, 'new', 1000, 5);
    heard(silences, '*', 1000);
    expect(silences.overdue(() => 1e9)).toEqual([]);
  });

  it('holds nobody to the time in which no source was live', () => {
    const silences = new Silences(10);
    const lastMs = heard(silences, 'a', 1000);
    silences.excuse(() => lastMs + 300_000);
    expect(silences.overdue(() => lastMs + 330_000)).toEqual([]);
    expect(silences.overdue(() => lastMs + 360_000)).toHaveLength(1);
  });
});
