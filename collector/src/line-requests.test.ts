import type { Command, LinesEvent } from '@lineheron/models';
import { expect, it } from 'vitest';
import { LineRequests } from './line-requests.js';

const ALERT = 'gw-1/0123456789abcdef/1/0';

function build(timeoutMs = 1000) {
  const commands: Command[] = [];
  let id = 0;
  const requests = new LineRequests({
    newId: () => `r${++id}`,
    isOnline: (agent) => agent === 'gw-1',
    publish: (_topic, command) => commands.push(command),
    timeoutMs,
  });
  return { requests, commands };
}

const answer = (request_id: string, state: LinesEvent['state'] = 'sent'): LinesEvent => ({
  ...{ v: 1, type: 'lines', request_id, alert: ALERT, state, message: 'so', from: null, to: null },
  ...{ complete: true, truncated: false, redactions: 0, lines: [] },
});

it('gives the answer of the agent that was asked, and of no other', async () => {
  const { requests, commands } = build();
  const asked = requests.ask('gw-1', ALERT);
  expect(commands).toEqual([{ v: 1, type: 'send_lines', request_id: 'r1', alert: ALERT }]);
  requests.hear('gw-2', { ...answer('r1'), message: 'forged' });
  requests.hear('gw-1', answer('r1'));
  requests.hear('gw-1', answer('r1'));
  expect((await asked).message).toBe('so');
});

it.each([
  ['refused', 'not_shared'],
  ['missing', 'not_found'],
] as const)('an answer that is %s becomes the problem %s', async (state, code) => {
  const { requests } = build();
  const asked = requests.ask('gw-1', ALERT);
  requests.hear('gw-1', answer('r1', state));
  await expect(asked).rejects.toMatchObject({ code });
});

it('an agent that is away or stays silent is told of', async () => {
  const { requests } = build(20);
  await expect(requests.ask('gw-9', ALERT)).rejects.toMatchObject({ code: 'agent_offline' });
  await expect(requests.ask('gw-1', ALERT)).rejects.toMatchObject({ code: 'agent_silent' });
});

it('asks at most a hundred at once', async () => {
  const { requests } = build(200);
  const asked = Array.from({ length: 100 }, () => requests.ask('gw-1', ALERT).catch(() => {}));
  await expect(requests.ask('gw-1', ALERT)).rejects.toMatchObject({ code: 'not_ready' });
  await Promise.all(asked);
});
