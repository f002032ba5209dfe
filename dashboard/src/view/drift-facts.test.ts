import type { FeedModel, ModelCandidate } from '@lineheron/models';
import { describe, expect, it } from 'vitest';
import { UNKNOWN } from '../format.js';
import { at, instance, model, T0 } from '../testing/views.js';
import { driftRows, proposals } from './drift-facts.js';

type Drift = NonNullable<FeedModel['drift']>[number];

const drift = (agent: string, state: Drift['state'], fields: Partial<Drift> = {}): Drift => ({
  agent,
  scope: 'device',
  state,
  windows: 1200,
  feature: 'latency_mean',
  psi: 3.126,
  bound: 0.5,
  since: null,
  ...fields,
});

const candidate = (fields: Partial<ModelCandidate> = {}): ModelCandidate => ({
  scope: 'device',
  fingerprint: '0123456789abcdef',
  sha256: 'cd'.repeat(32),
  trained_at: at(60),
  rows: 3600,
  threshold: 0.61,
  agents: 1,
  ...fields,
});

describe('rows of drift', () => {
  it('begin with what lasts and end with what is unknown, over all models', () => {
    const unknown = drift('c', 'too_little', { feature: null, psi: null, bound: null });
    const forest = model({ drift: [unknown, drift('a', 'lasting')] });
    const network = model({ name: 'autoencoder', drift: [drift('b', 'none'), drift('a', 'drifting')] });
    const rows = driftRows([forest, network], T0);
    expect(rows.map(({ agent, state, model: name }) => `${agent} ${state} ${name}`)).toEqual([
      'a lasting Isolation forest',
      'a drifting Autoencoder',
      'b none Autoencoder',
      'c too_little Isolation forest',
    ]);
    expect(rows[0]).toMatchObject({ feature: 'mean latency', psi: '3.13', bound: '0.50', windows: '1,200' });
    expect(rows[3]).toMatchObject({ feature: UNKNOWN, psi: UNKNOWN, since: UNKNOWN });
  });
});

describe('a proposal', () => {
  it('stands beside the model that it would replace: same scope, features and agent', () => {
    const forest = model({
      in_use: [instance('gw-2', 1, { threshold: 0.7 }), instance('gw-1', 2, { threshold: 0.5 })],
      candidates: [candidate({ agent: 'gw-1' })],
    });
    const [one] = proposals([forest], T0);
    expect(one).toMatchObject({ title: 'Isolation forest of gw-1, device windows', sha256: 'cd'.repeat(32) });
    expect(one!.facts.slice(1)).toEqual([
      { label: 'Windows', retrained: '3,600', inUse: '1,000' },
      { label: 'Threshold', retrained: '0.61', inUse: '0.50' },
    ]);
  });

  it('says that a forest has seen too little for the budget, and knows nothing of a model that is gone', () => {
    const forest = model({ candidates: [candidate({ agent: 'gw-1', threshold: null })] });
    const network = model({ name: 'autoencoder', candidates: [candidate({ threshold: 3 })] });
    const [first, second] = proposals([forest, network], T0);
    expect(first!.facts[2]).toMatchObject({ retrained: 'cannot alert within the budget', inUse: UNKNOWN });
    expect(second).toMatchObject({ title: 'Autoencoder, device windows' });
    expect(second!.facts[2]).toMatchObject({ retrained: '3.00' });
  });
});
