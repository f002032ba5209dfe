/** How a line of an agent stands. */
import { describe, expect, it } from 'vitest';
import { Fleet } from './fleet.js';
import { viewsOf } from './standings.fixture.js';

const START_MS = 1_000_000;
const line = {
  device: 'modem-1',
  scope: 'device',
  state: 'scored',
  judges: ['isolation_forest'],
  measured: true,
} as const;

function fleetWith(everyMs: number, windows: number): { fleet: Fleet; lastMs: number } {
  const fleet = new Fleet();
  fleet.setOnline('gw-1', true, START_MS);
  let lastMs = START_MS;
  for (let at = 0; at < windows; at++) {
    lastMs = START_MS + at * everyMs;
    fleet.seen('gw-1', { ...line, endMs: lastMs }, lastMs);
  }
  return { fleet, lastMs };
}

const stateAt = (fleet: Fleet, nowMs: number) => viewsOf(fleet, nowMs)[0]!.devices[0]!.state;

describe('the state of a line', () => {
  it('is stale a minute after the last window of one that reports every second', () => {
    const { fleet, lastMs } = fleetWith(1000, 20);
    expect(stateAt(fleet, lastMs + 59_999)).toBe('scored');
    expect(stateAt(fleet, lastMs + 60_000)).toBe('stale');
  });

  it('is stale only after twenty intervals of one that reports every thirty seconds', () => {
    const { fleet, lastMs } = fleetWith(30_000, 20);
    expect(stateAt(fleet, lastMs + 599_999)).toBe('scored');
    expect(stateAt(fleet, lastMs + 600_000)).toBe('stale');
  });

  it('is offline while its agent is away', () => {
    const { fleet, lastMs } = fleetWith(1000, 20);
    fleet.setOnline('gw-1', false, lastMs);
    expect(stateAt(fleet, lastMs)).toBe('offline');
  });

  it('is what its only window said while no interval is known, for an hour', () => {
    const { fleet, lastMs } = fleetWith(1000, 1);
    expect(stateAt(fleet, lastMs + 3_599_999)).toBe('scored');
    expect(stateAt(fleet, lastMs + 3_600_000)).toBe('stale');
  });
});

describe('how often a line reports', () => {
  it('is not learnt from a burst', () => {
    const { fleet, lastMs } = fleetWith(90_000, 100);
    for (let at = 1; at <= 40; at++) {
      fleet.seen('gw-1', { ...line, endMs: lastMs + at * 2000 }, lastMs + at * 2000);
    }
    expect(fleet.intervalMs('gw-1', 'modem-1')).toBe(90_000);
    expect(stateAt(fleet, lastMs + 80_000 + 91_000)).toBe('scored');
  });

  it('is not learnt from the time in which its agent or the broker was away', () => {
    const { fleet, lastMs } = fleetWith(1000, 100);
    let nowMs = lastMs;
    for (let outage = 0; outage < 4; outage++) {
      nowMs += 600_000;
      if (outage % 2 === 0) {
        fleet.setOnline('gw-1', false, nowMs - 300_000);
        fleet.setOnline('gw-1', true, nowMs);
      } else fleet.deaf(nowMs);
      for (let at = 1; at <= 20; at++) {
        nowMs += 1000;
        fleet.seen('gw-1', { ...line, endMs: nowMs }, nowMs);
      }
    }
    expect(stateAt(fleet, nowMs + 59_999)).toBe('scored');
    expect(stateAt(fleet, nowMs + 60_000)).toBe('stale');
  });
});
