import type { LineRecord } from '@lineheron/models';
import { expect, it } from 'vitest';
import { at, makeBatch, makeWindow, START_MS } from '../testing/messages.js';
import { heldAgainstArrival } from './event-time.js';

const FAR = 73 * 365 * 86_400;
const record = (timestamp: string, device_id = 'modem-1') =>
  ({ timestamp, device_id, suspect: false }) as unknown as LineRecord;

it('a batch of now, of the past or a little ahead stays the very same', () => {
  const windows = [-86_400 * 300, -1, 0, 300].map((second) => makeWindow({ end: at(second) }));
  const batch = makeBatch({ windows, records: [record(at(299))] });
  expect(heldAgainstArrival(batch, START_MS)).toEqual({ batch, aheadMs: 0, windows: 0 });
  expect(heldAgainstArrival(batch, START_MS).batch).toBe(batch);
});

it('what is too far ahead ends at its arrival, in its order and at its distances, records too', () => {
  const windows = [FAR, FAR + 1, FAR + 10].map((second) => makeWindow({ end: at(second) }));
  const batch = makeBatch({ windows, records: [record(at(FAR + 10))] });
  const timed = heldAgainstArrival(batch, START_MS);
  expect(timed.batch.windows.map(({ end }) => end)).toEqual([at(-10), at(-9), at(0)]);
  expect(timed.batch.records[0]?.timestamp).toBe(at(0));
  expect(timed).toMatchObject({ aheadMs: (FAR + 10) * 1000, windows: 3 });
});

it('one device with a wrong clock moves no other, nor its own windows of the right time', () => {
  const windows = [
    makeWindow({ device: 'modem-2', end: at(-3) }),
    makeWindow({ end: at(-2) }),
    makeWindow({ end: '9999-12-31T23:59:59.999Z' }),
    makeWindow({ end: '2099-01-01T01:00:00.000+01:00' }),
  ];
  const ends = heldAgainstArrival(makeBatch({ windows }), START_MS).batch.windows.map(({ end }) => end);
  expect(ends.slice(0, 3)).toEqual([at(-3), at(-2), at(0)]);
  expect(Date.parse(ends[3]!)).toBeLessThan(START_MS);
});
