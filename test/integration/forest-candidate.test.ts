/**
 * A retrained forest on its way: drift and candidate from a real agent to `GET /models`, the acceptance from `POST
 * /model` back to the agent. The candidate is the agent's own forest under a later date.
 */
import { join } from 'node:path';
import type { ModelView, Problem } from '@lineheron/models';
import { ModelStore } from '@lineheron/models/persist';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Part } from '../support/process.js';
import { Stack } from '../support/stack.js';
import { waitFor } from '../support/wait.js';

let stack: Stack;
let agent: Part;

const forest = async () => {
  const { body } = await stack.call<{ models: ModelView[] }>('GET', '/models');
  return body.models.find(({ name }) => name === 'isolation_forest')!;
};
const accept = (candidate: string) =>
  stack.call<Problem>('POST', '/model', { model_name: 'ensemble', candidate });

beforeAll(async () => {
  stack = await Stack.create();
  await stack.collector();
  agent = await stack.agent('gw-1', {
    source: { type: 'generate', devices: ['modem-1', 'modem-2'], backfill_minutes: 10 },
  });
  await stack.agentsOnline(1);
  await waitFor('windows to learn from', async () => (await stack.storedWindows('gw-1')).length > 600);
  await stack.trainOnHistory();
  await agent.stop();
  const models = new ModelStore(join(stack.folder, 'gw-1', 'models'));
  const candidates = new ModelStore(join(stack.folder, 'gw-1', 'models', 'candidates'));
  for (const { manifest, payload } of await models.loadAll()) {
    const { v: _, release: __, sha256: ___, size_bytes: ____, ...known } = manifest;
    const trained_at = new Date(Date.parse(manifest.trained_at) + 1000).toISOString();
    await candidates.save({ ...known, trained_at }, payload);
  }
  await agent.start();
}, 90_000);

afterAll(() => stack?.close());

describe('a retrained forest', () => {
  it('is told with its agent and the drift, and goes to work there as a new release when it is accepted', async () => {
    const before = await waitFor('the candidates', async () => {
      const view = await forest();
      return view.candidates?.length === 2 && view;
    });
    expect(before.drift!.map(({ agent: whose, scope }) => `${whose} ${scope}`).sort()).toEqual([
      'gw-1 device',
      'gw-1 gateway',
    ]);
    const candidate = before.candidates!.find(({ scope }) => scope === 'device')!;
    expect(candidate).toMatchObject({ agent: 'gw-1', agents: 1 });
    expect(await accept(candidate.sha256)).toMatchObject({ status: 200 });
    const after = await waitFor('the new release', async () => {
      const view = await forest();
      return view.instances.some(({ scope, release }) => scope === 'device' && release === 2) && view;
    });
    expect(after.candidates).toMatchObject([{ scope: 'gateway' }]);
    expect(await accept(candidate.sha256)).toMatchObject({ status: 404, body: { code: 'not_found' } });
  }, 60_000);

  it('cannot be accepted while its agent is away', async () => {
    const [candidate] = (await forest()).candidates!;
    await agent.stop();
    await waitFor('the agent to be away', async () => !(await stack.status()).agents[0]!.online);
    expect(await accept(candidate!.sha256)).toMatchObject({ status: 409, body: { code: 'agent_offline' } });
    expect((await forest()).candidates).toHaveLength(1);
  }, 30_000);
});
