/** How the spool is emptied: order, bound, resend with back-off, reconnects. */
import { describe, expect, it } from 'vitest';
import type { Clock } from '../clock.js';
import { silentLog, until } from '../test-support.js';
import { type BatchKey, Drain, MAX_IN_FLIGHT } from './drain.js';

function build(count: number) {
  const waiting = new Map(
    Array.from({ length: count }, (_, index) => [index + 1, Buffer.from(`{"n":${index + 1}}`)]),
  );
  const sent: number[] = [];
  const historical: number[] = [];
  /** When a batch was made, ms; 0 when not told. */
  const made = new Map<number, number>();
  const world = { nowMs: 0, connected: true, onSleep: () => {} };
  const clock: Clock = {
    nowMs: () => world.nowMs,
    monotonicMs: () => world.nowMs,
    sleep: async (ms) => {
      world.nowMs += ms;
      world.onSleep();
    },
  };
  const drain = new Drain({
    waiting: {
      oldest: (except) => {
        for (const sequence of waiting.keys())
          if (!except({ boot: 'b', sequence }))
            return { boot: 'b', sequence, createdMs: made.get(sequence) ?? 0 };
        return null;
      },
      read: async ({ sequence }: BatchKey) => waiting.get(sequence) ?? null,
    },
    send: (bytes) => {
      const batch = JSON.parse(bytes.toString()) as { n: number; historical?: boolean };
      if (world.connected) sent.push(batch.n);
      if (world.connected && batch.historical) historical.push(batch.n);
      return world.connected;
    },
    clock,
    log: silentLog,
  });
  const settle = (sequence: number) => {
    waiting.delete(sequence);
    drain.settled([{ boot: 'b', sequence }]);
  };
  const offer = (sequence: number) => {
    waiting.set(sequence, Buffer.from(`{"n":${sequence}}`));
    made.set(sequence, world.nowMs);
    drain.offer([{ boot: 'b', sequence }]);
  };
  return { drain, sent, historical, settle, offer, world, waiting };
}

const numbers = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, index) => from + index);

describe('Drain', () => {
  it('sends the oldest first and never more at once than allowed', async () => {
    const { drain, sent, settle } = build(40);
    drain.pump();
    await until('the first ones', () => sent.length === MAX_IN_FLIGHT);
    expect(sent).toEqual(numbers(1, MAX_IN_FLIGHT));
    for (let next = 1; next <= 40; next++) {
      settle(next);
      const due = Math.min(40, MAX_IN_FLIGHT + next);
      await until('the next', () => sent.length === due);
      expect(drain.waitingForAck).toBeLessThanOrEqual(MAX_IN_FLIGHT);
    }
    expect(sent).toEqual(numbers(1, 40));
    expect(drain.waitingForAck).toBe(0);
  });

  it('sends again after 30 s without an acknowledgement, then after 60 s more', async () => {
    const { drain, sent, world } = build(1);
    drain.pump();
    await until('the first', () => sent.length === 1);
    for (const [nowMs, times] of [
      [29_999, 1],
      [30_000, 2],
      [89_999, 2],
      [90_000, 3],
      [209_999, 3],
      [210_000, 4],
    ] as const) {
      world.nowMs = nowMs;
      await drain.resendDue();
      expect(sent).toEqual(Array(times).fill(1));
    }
  });

  it('sends again when the collector says, and no backlog in place of what it had no room for', async () => {
    const { drain, sent, settle, offer, world } = build(30);
    world.nowMs = 60_001;
    drain.reconnected();
    await until('some of the backlog', () => sent.length === 12);
    drain.deferred([{ boot: 'b', from: 1, to: 10 }], 4000);
    drain.deferred([{ boot: 'other', from: 11, to: 12 }], 1);
    settle(11);
    offer(31);
    await until('a live one', () => sent.includes(31));
    expect(sent.slice(12)).toEqual([13, 31]);
    world.nowMs += 3999;
    await drain.resendDue();
    expect(sent).toHaveLength(14);
    world.nowMs += 1;
    await drain.resendDue();
    expect(sent.slice(14)).toEqual(numbers(1, 10));
    world.nowMs += 29_999;
    await drain.resendDue();
    expect(sent.slice(24)).toEqual([12, 13, 31]);
    world.nowMs += 1;
    await drain.resendDue();
    expect(sent.slice(27)).toEqual(numbers(1, 10));
  });

  it('sends everything on the way again after a reconnect', async () => {
    const { drain, sent, world } = build(3);
    drain.pump();
    await until('all', () => sent.length === 3);
    world.connected = false;
    world.nowMs = 40_000;
    await drain.resendDue();
    expect(sent).toEqual([1, 2, 3]);
    world.connected = true;
    drain.reconnected();
    await until('all again', () => sent.length === 6);
    expect(sent.slice(3)).toEqual([1, 2, 3]);
  });

  it('lets live batches overtake a backlog of more than a minute, which follows oldest first, marked', async () => {
    const { drain, sent, historical, settle, offer, world } = build(40);
    world.nowMs = 60_001;
    drain.reconnected();
    await until('some of the backlog', () => sent.length === 12);
    expect(historical).toEqual(numbers(1, 12));
    offer(41);
    offer(42);
    await until('the live ones', () => sent.length === 14);
    expect(sent.slice(12)).toEqual([41, 42]);
    for (const sequence of numbers(1, 40)) {
      await until('it on its way', () => sent.includes(sequence));
      settle(sequence);
    }
    offer(43);
    await until('the last one', () => sent.includes(43));
    expect(historical).toEqual(numbers(1, 40));
    expect(new Set(sent).size).toBe(sent.length);
  });

  it('keeps the order of a backlog of up to a minute, and marks nothing', async () => {
    const { drain, sent, historical, settle, offer, world } = build(20);
    world.nowMs = 59_000;
    drain.reconnected();
    offer(21);
    await until('the first ones', () => sent.length === MAX_IN_FLIGHT);
    for (const sequence of numbers(1, 21)) {
      await until('it on its way', () => sent.includes(sequence));
      settle(sequence);
    }
    expect(sent).toEqual(numbers(1, 21));
    expect(historical).toEqual([]);
  });

  it('sends what is live only until the connection ends as live: after that it is backlog', async () => {
    const { drain, sent, historical, offer, world } = build(0);
    offer(1);
    await until('the live one', () => sent.length === 1);
    world.nowMs = 61_000;
    drain.reconnected();
    await until('it again', () => sent.length === 2);
    expect(historical).toEqual([1]);
  });

  describe('at the end', () => {
    const DEADLINE_MS = 1_500;

    async function sentAll(count: number) {
      const built = build(count);
      built.drain.pump();
      await until('all', () => built.sent.length === count);
      return built;
    }

    it('waits until everything is acknowledged', async () => {
      const { drain, settle, world } = await sentAll(2);
      world.onSleep = () => settle(world.nowMs / 20);
      await drain.finish(DEADLINE_MS, () => true);
      expect(world.nowMs).toBe(40);
    });

    it('does not wait when what is on the way has had no answer for long', async () => {
      const { drain, world } = await sentAll(2);
      world.nowMs = 800;
      await drain.finish(800 + DEADLINE_MS, () => true);
      expect(world.nowMs).toBe(800);
    });

    it('waits no longer than it is told, and not without a connection', async () => {
      const { drain, world } = await sentAll(1);
      await drain.finish(100, () => true);
      expect(world.nowMs).toBe(100);
      await drain.finish(200, () => false);
      expect(world.nowMs).toBe(100);
    });
  });
});
