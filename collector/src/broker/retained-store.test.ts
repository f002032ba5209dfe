import { beforeEach, describe, expect, it } from 'vitest';
import type { RetainedLimits } from './limits.js';
import type { RefusalReason } from './refusals.js';
import { RetainedStore } from './retained-store.js';

const share = (maxTopics: number, maxBytes = 100_000) => ({ maxTopics, maxBytes });
const LIMITS: RetainedLimits = {
  core: share(4),
  agents: share(6),
  others: share(6),
  owner: share(2),
  perAgent: share(5),
  perClient: share(4),
};

let refusals: RefusalReason[] = [];
let store: RetainedStore;

beforeEach(() => {
  refusals = [];
  store = new RetainedStore({
    limits: LIMITS,
    ownerId: 'owner',
    isKnown: (agent) => agent.startsWith('known'),
    refuse: (reason) => refusals.push(reason),
  });
});

const put = (clientId: string, topic: string, payload: string | number = 'x') =>
  store.put(
    { topic, payload: typeof payload === 'number' ? Buffer.alloc(payload) : Buffer.from(payload), qos: 1 },
    clientId,
  );
const client = (agent: string) => `lineheron-agent-${agent}`;
const topics = () => [...store.all()].map(({ topic }) => topic).sort();

describe('RetainedStore', () => {
  it('takes so many topics of one client, goes on renewing them, and gives back the place of a cleared one', () => {
    for (const topic of ['a', 'b', 'c', 'd', 'e']) put('one', topic);
    expect(topics()).toEqual(['a', 'b', 'c', 'd']);
    put('one', 'a', 'newer');
    expect(store.get('a')!.payload.toString()).toBe('newer');
    put('one', 'b', '');
    put('one', 'e');
    expect(topics()).toEqual(['a', 'c', 'd', 'e']);
    expect(refusals).toEqual(['not_retained']);
  });

  it('takes so many bytes, overhead counted, and keeps what a topic held when its next message is too large', () => {
    put('one', 'a', 60_000);
    put('one', 'a', 99_900);
    expect(store.get('a')!.payload).toHaveLength(60_000);
    put('one', 'b', 50_000);
    expect(topics()).toEqual(['a']);
    expect(refusals).toHaveLength(2);
  });

  it('has who holds most give way to who holds less', () => {
    for (const topic of ['a', 'b', 'c', 'd']) put('many', topic);
    put('other', 'e');
    put('other', 'f');
    put('third', 'g');
    expect(topics()).toEqual(['b', 'c', 'd', 'e', 'f', 'g']);
    put('many', 'h');
    expect(topics()).toEqual(['b', 'c', 'd', 'e', 'f', 'g']);
    expect(refusals).toEqual(['retained_displaced', 'not_retained']);
  });

  it('lets a known agent in before invented ones, and never puts it out for them', () => {
    for (const n of [1, 2, 3, 4]) put(client(`new-${n}`), `lineheron/v1/new-${n}/status`);
    put(client('known-1'), 'lineheron/v1/known-1/status');
    put(client('known-1'), 'lineheron/v1/known-1/info');
    for (const n of [5, 6, 7, 8]) put(client(`new-${n}`), `lineheron/v1/new-${n}/status`);
    expect(topics()).toEqual(
      expect.arrayContaining(['lineheron/v1/known-1/info', 'lineheron/v1/known-1/status']),
    );
    expect(topics()).toHaveLength(4);
  });

  it('counts what a stranger retains under an agent’s id as the stranger’s own', () => {
    for (let n = 0; n < 6; n++) put('stranger', `lineheron/v1/known-1/state/${n}`);
    expect(topics()).toHaveLength(4);
    for (let n = 0; n < 5; n++) put(client('known-1'), `lineheron/v1/known-1/state/own-${n}`);
    expect(topics()).toHaveLength(9);
  });

  it('keeps the collector’s own apart from everybody else’s', () => {
    for (const topic of ['a', 'b', 'c', 'd']) put('one', topic);
    put('owner', 'lineheron/v1/fleet/desired');
    put('owner', 'lineheron/v1/fleet/model/x');
    expect(topics()).toHaveLength(6);
  });

  it('comes back to nothing when everything is cleared, whoever clears it', () => {
    for (const id of ['one', 'owner', client('known-1')]) put(id, `lineheron/v1/known-1/${id}`, 500);
    for (const topic of topics()) put('sweeper', topic, '');
    expect([store.topics, store.bytes]).toEqual([0, 0]);
  });
});
