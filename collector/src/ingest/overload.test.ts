/**
 * Queue and deferrals against a fleet that offers more than can be done, in simulated time: agents by their own rules
 * (sixteen on the way, twelve of them backlog, a look each second at what is due again) and work that takes its time.
 */
import type { Ack } from '@lineheron/models';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { BatchQueue, type WaitingBatch } from './batch-queue.js';
import { Deferrals } from './deferrals.js';

const BOOT = 'aaaaaaaaaaaaaaaa';
const BATCH_BYTES = 21_000;
const IN_FLIGHT = 16;
const HISTORICAL = 12;
const TICK_MS = 1000;

interface Sent {
  historical: boolean;
  madeMs: number;
  dueMs: number;
}

class SimulatedAgent {
  readonly sent = new Map<number, Sent>();
  readonly live: number[] = [];
  backlog = 0;
  private historical = 0;
  private sequence = 0;

  constructor(
    readonly id: string,
    private readonly publish: (batch: WaitingBatch) => void,
  ) {}

  pump(): void {
    while (this.sent.size < IN_FLIGHT) {
      const madeMs = this.live.shift();
      if (madeMs !== undefined) this.send(++this.sequence, { historical: false, madeMs });
      else if (this.backlog > 0 && this.historical < HISTORICAL) {
        this.backlog--;
        this.send(++this.sequence, { historical: true, madeMs: performance.now() });
      } else return;
    }
  }

  tick(): void {
    for (const [sequence, sent] of this.sent) if (sent.dueMs <= performance.now()) this.send(sequence, sent);
    this.pump();
  }

  settled(sequence: number): Sent | undefined {
    const sent = this.sent.get(sequence);
    if (sent?.historical) this.historical--;
    this.sent.delete(sequence);
    return sent;
  }

  hear({ busy }: Ack): void {
    for (const { from, to } of busy?.ranges ?? []) {
      for (const [sequence, sent] of this.sent) {
        if (from <= sequence && sequence <= to) sent.dueMs = performance.now() + busy!.retry_ms;
      }
    }
  }

  private send(sequence: number, { historical, madeMs }: Omit<Sent, 'dueMs'>): void {
    if (historical && !this.sent.has(sequence)) this.historical++;
    this.sent.set(sequence, { historical, madeMs, dueMs: performance.now() + 30_000 });
    const payload = { length: BATCH_BYTES } as Buffer;
    this.publish({ agent: this.id, payload, name: { boot: BOOT, sequence }, historical });
  }
}

/** Runs so long; `offer` says how many live and backlog batches a second come up, beside what is there at the start. */
async function simulate(fleet: {
  agents: number;
  perSecond: number;
  seconds: number;
  live: number;
  backlog: number;
  atOnce?: number;
}) {
  const done = { batches: 0, deferred: 0, latencies: [] as number[] };
  const agents = new Map<string, SimulatedAgent>();
  let freeMs = 0;
  const work = async (group: WaitingBatch[]) => {
    freeMs = Math.max(freeMs, performance.now()) + 5 + (1000 * group.length) / fleet.perSecond;
    await new Promise((resolve) => setTimeout(resolve, freeMs - performance.now()));
    for (const { agent, name } of group) {
      const sent = agents.get(agent)!.settled(name!.sequence);
      if (!sent) continue;
      done.batches++;
      if (!sent.historical) done.latencies.push(performance.now() - sent.madeMs);
    }
    for (const agent of new Set(group.map(({ agent }) => agent))) agents.get(agent)!.pump();
  };
  const queue = new BatchQueue({ handle: work });
  const answer = (agent: string, ack: Ack) => agents.get(agent)!.hear(ack);
  const deferrals = new Deferrals({ perSecond: () => queue.batchesPerSecond, answer });
  const publish = (batch: WaitingBatch) => {
    if (queue.push(batch) !== 'full') return;
    done.deferred++;
    deferrals.add({ agent: batch.agent, ...batch.name!, historical: batch.historical });
  };
  for (let at = 0; at < fleet.agents; at++) {
    const agent = new SimulatedAgent(`gw-${at}`, publish);
    agents.set(agent.id, agent);
    agent.backlog = fleet.atOnce ?? 0;
    // Agents look at different moments of the second.
    setTimeout(() => setInterval(() => agent.tick(), TICK_MS), (TICK_MS * at) / fleet.agents);
    agent.pump();
  }
  const all = [...agents.values()];
  let [live, backlog, next] = [0, 0, 0];
  const startMs = performance.now();
  setInterval(() => {
    const seconds = (performance.now() - startMs) / 1000;
    for (; live < fleet.live * seconds; live++) all[next++ % all.length]!.live.push(performance.now());
    for (; backlog < fleet.backlog * seconds; backlog++) all[next++ % all.length]!.backlog++;
    for (const agent of all) agent.pump();
  }, 50);
  await vi.advanceTimersByTimeAsync(5000);
  const before = done.batches;
  done.latencies.length = 0;
  await vi.advanceTimersByTimeAsync(fleet.seconds * 1000);
  const sorted = done.latencies.sort((a, b) => a - b);
  return {
    share: (done.batches - before) / (fleet.perSecond * fleet.seconds),
    p99: sorted[Math.floor(0.99 * sorted.length)] ?? 0,
    ...done,
  };
}

// A busy machine takes longer for the same simulated time.
vi.setConfig({ testTimeout: 120_000 });

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
});

describe('when twice is offered of what can be done', () => {
  it.each([
    ['a hundred gateways', 100, 400],
    ['a slow machine', 200, 80],
  ])(
    '%s: nearly all of the time goes into work, and live data comes through at once',
    async (_, agents, perSecond) => {
      const offer = { live: perSecond / 2, backlog: 1.5 * perSecond, seconds: 20 };
      const { share, p99 } = await simulate({ agents, perSecond, ...offer });
      expect(share).toBeGreaterThan(0.95);
      expect(p99).toBeLessThan(2000);
    },
  );

  it('two hundred and fifty gateways that come back at once after an outage are served at the full rate', async () => {
    const { share, p99, deferred } = await simulate({
      ...{ agents: 250, perSecond: 400, seconds: 30, live: 100, backlog: 0, atOnce: 200 },
    });
    expect(share).toBeGreaterThan(0.95);
    expect(p99).toBeLessThan(2000);
    // Asking again costs little.
    expect(deferred).toBeLessThan(35 * 400 * 3);
  });
});

it('when all that comes is live and twice too much, what is done goes on at the full rate', async () => {
  const { share } = await simulate({ agents: 300, perSecond: 400, seconds: 30, live: 800, backlog: 0 });
  expect(share).toBeGreaterThan(0.95);
});

it('a rate below what can be done defers nothing', async () => {
  const { deferred, p99 } = await simulate({
    agents: 100,
    perSecond: 400,
    seconds: 30,
    live: 300,
    backlog: 0,
  });
  expect(deferred).toBe(0);
  expect(p99).toBeLessThan(500);
});
