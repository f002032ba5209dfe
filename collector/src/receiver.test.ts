import { topics } from '@lineheron/models';
import { expect, it } from 'vitest';
import { Fleet } from './hub/fleet.js';
import { BatchQueue } from './ingest/batch-queue.js';
import { createLogger } from './log.js';
import { Receiver, type ReceiverParts } from './receiver.js';
import { BOOT, makeBatch } from './testing/messages.js';
import { Totals } from './totals.js';

function build() {
  const log = createLogger('silent');
  const warnings: unknown[] = [];
  log.warn = (...words: unknown[]) => void warnings.push(words.at(-1));
  const world = { nowMs: 0 };
  const totals = new Totals();
  const deferred: unknown[] = [];
  const answers: unknown[] = [];
  const text = JSON.stringify(makeBatch());
  const maxLaneBytes = 2 * text.length + 10;
  const queue = new BatchQueue({ gatherMs: 60_000, maxLaneBytes, handle: async () => {} });
  const receiver = new Receiver({
    now: () => world.nowMs,
    log,
    fleet: new Fleet(),
    // A score batch never reaches it.
    training: {} as ReceiverParts['training'],
    lines: {} as ReceiverParts['lines'],
    forests: {} as ReceiverParts['forests'],
    totals,
    queue,
    deferrals: { add: (batch) => void deferred.push(batch) },
    answer: (agent, ack) => void answers.push([agent, ack]),
    agentSpoke: () => {},
    changed: () => {},
  });
  const receive = (sequence: number) =>
    receiver.receive(topics.score('gw-1'), Buffer.from(JSON.stringify(makeBatch({ sequence }))));
  return { receiver, receive, queue, totals, warnings, deferred, answers, world };
}

it('what finds no room is deferred before it is decoded, counted, and warned of once', async () => {
  const { receive, queue, totals, warnings, deferred, world } = build();
  for (let sequence = 1; sequence <= 5; sequence++) receive(sequence);
  expect(deferred).toEqual(
    [3, 4, 5].map((sequence) => ({ agent: 'gw-1', boot: BOOT, sequence, historical: false })),
  );
  expect(totals.view.deferred).toBe(3);
  expect(warnings).toEqual([expect.stringContaining('more comes than can be stored')]);
  world.nowMs = 60_001;
  receive(6);
  expect(warnings).toHaveLength(2);
  await queue.close();
});

it('what waits already is not taken twice', async () => {
  const { receive, queue, totals } = build();
  receive(1);
  receive(1);
  expect([queue.waiting, totals.view.duplicates]).toEqual([1, 1]);
  await queue.close();
});

it('what turns out to be no batch is refused, and its agent told', () => {
  const { receiver, answers, totals } = build();
  const payload = Buffer.from(JSON.stringify({ ...makeBatch({ sequence: 7 }), windows: 'none' }));
  const name = { boot: BOOT, sequence: 7 };
  expect(receiver.open([{ agent: 'gw-1', payload, name, historical: false }])).toEqual([]);
  const refused = [{ boot: BOOT, sequence: 7, code: 'invalid_schema' }];
  expect(answers).toEqual([['gw-1', { v: 1, ranges: [], refused }]]);
  expect(totals.view.refused).toBe(1);
});
