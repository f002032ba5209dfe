import { topics } from '@lineheron/models';
import { expect, it } from 'vitest';
import { Fleet } from './hub/fleet.js';
import { BatchQueue } from './ingest/batch-queue.js';
import { createLogger } from './log.js';
import { Receiver, type ReceiverParts } from './receiver.js';
import { makeBatch } from './testing/messages.js';
import { Totals } from './totals.js';

it('a full queue is warned of once, however many batches it drops', async () => {
  const log = createLogger('silent');
  const warnings: unknown[] = [];
  log.warn = (...words: unknown[]) => void warnings.push(words.at(-1));
  const limits = { gatherMs: 60_000, maxGroup: 10, maxBatches: 2, maxBytes: 1024 * 1024 };
  const queue = new BatchQueue({ ...limits, handle: async () => {} });
  const receiver = new Receiver({
    now: () => 0,
    log,
    fleet: new Fleet(),
    // A score batch never reaches it.
    training: {} as ReceiverParts['training'],
    lines: {} as ReceiverParts['lines'],
    forests: {} as ReceiverParts['forests'],
    totals: new Totals(),
    queue,
    answer: () => {},
    agentSpoke: () => {},
    changed: () => {},
  });
  for (let sequence = 1; sequence <= 5; sequence++) {
    receiver.receive(topics.score('gw-1'), Buffer.from(JSON.stringify(makeBatch({ sequence }))));
  }
  expect(queue.dropped).toBe(3);
  expect(warnings).toEqual([expect.stringContaining('queue is full')]);
  await queue.close();
});
