import { type Ack, ackSchema } from '@lineheron/models';
import { expect, it } from 'vitest';
import { BOOT } from '../testing/messages.js';
import { Deferrals } from './deferrals.js';

function build(perSecond: number | null) {
  const answers = new Map<string, Ack>();
  const deferrals = new Deferrals({
    monotonicMs: () => 0,
    perSecond: () => perSecond,
    answer: (agent, ack) => answers.set(agent, ackSchema.parse(ack)),
  });
  return { answers, deferrals };
}

it('what is deferred is told once an agent, and each agent is asked for a time of its own', () => {
  const { answers, deferrals } = build(8);
  for (const agent of ['gw-1', 'gw-2']) {
    for (const sequence of [1, 2, 4]) deferrals.add({ agent, boot: BOOT, sequence, historical: true });
  }
  deferrals.flush();
  const ranges = [
    { boot: BOOT, from: 1, to: 2 },
    { boot: BOOT, from: 4, to: 4 },
  ];
  expect(answers.get('gw-1')).toEqual({ v: 1, ranges: [], refused: [], busy: { retry_ms: 1300, ranges } });
  expect(answers.get('gw-2')?.busy?.retry_ms).toBe(1600);
  deferrals.add({ agent: 'gw-3', boot: BOOT, sequence: 1, historical: false });
  deferrals.flush();
  expect(answers.get('gw-3')?.busy?.retry_ms).toBe(1100);
});

it('nobody is asked to wait for longer than agents do by themselves', () => {
  const { answers, deferrals } = build(null);
  for (let agent = 0; agent < 5000; agent++)
    deferrals.add({ agent: `gw-${agent}`, boot: BOOT, sequence: 1, historical: false });
  deferrals.flush();
  const waits = [...answers.values()].map(({ busy }) => busy!.retry_ms);
  expect(Math.max(...waits)).toBe(20_000);
  expect(waits[0]).toBe(1008);
});
