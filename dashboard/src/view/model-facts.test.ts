import type { FeedModel } from '@lineheron/models';
import { describe, expect, it } from 'vitest';
import { UNKNOWN } from '../format.js';
import { at, metrics, model, T0 } from '../testing/views.js';
import { modelFacts, span } from './model-facts.js';

function fact(models: readonly FeedModel[], group: string, label: string) {
  const groups = modelFacts(models, metrics(), T0 + 60_000);
  const row = groups
    .find(({ title }) => title === group)
    ?.rows.find((candidate) => candidate.label === label);
  return row?.values.map((value) => value.replaceAll('\u00a0', ' '));
}

describe('the models side by side', () => {
  const forest = model({
    instances: {
      count: 2,
      agents: 2,
      release: { least: 1, most: 3 },
      trained_at: at(3),
      rows: 2000,
      size_bytes: 180_000,
      inference_us: 6,
      of_devices: { count: 2, threshold: { least: 0.5, most: 0.5 }, cannot_alert: null },
    },
  });
  const untrained = model({ name: 'autoencoder', trained: false, place: 'collector' });

  it('sum what their instances hold and span what differs', () => {
    expect(fact([forest, untrained], 'Model', 'Trained models')).toEqual(['2 on 2 agents', 'not yet']);
    expect(fact([forest, untrained], 'Model', 'Release')).toEqual(['1–3', '–']);
    expect(fact([forest, untrained], 'Model', 'Training windows')).toEqual(['2,000', '–']);
    expect(fact([forest, untrained], 'Model', 'Size on disk')).toEqual(['180 kB', '–']);
    expect(fact([forest, untrained], 'Model', 'Time per score')).toEqual(['6.00 µs', '–']);
  });

  it('say why a model cannot alert, in place of a threshold that no score reaches', () => {
    const least = { windows: 8, needed: 30 };
    const blocked = (count: number) => {
      const of_devices = { count, threshold: null, cannot_alert: { count: 1, least } };
      return model({ instances: { ...forest.instances, of_devices } });
    };
    const [one, both] = [blocked(1), blocked(2)];
    expect(fact([one, both, untrained], 'Model', 'Threshold')).toEqual([
      'cannot alert yet: 8 independent windows, 30 needed for this budget',
      '1 of 2 cannot alert yet: 8 independent windows, 30 needed for this budget',
      UNKNOWN,
    ]);
    expect(fact([forest], 'Model', 'Threshold')?.[0]).toMatch(/^0\.\d\d$/);
  });

  it('tell quality on records and on episodes', () => {
    expect(fact([forest], 'Records', 'Precision')).toEqual(['0.80']);
    expect(fact([forest], 'Episodes', 'Found')).toEqual(['4 of 5']);
    expect(fact([forest], 'Episodes', 'False alerts per device-hour')).toEqual(['1.25']);
    expect(fact([forest], 'Episodes', 'Delay, p99')).toEqual(['9.00 s']);
  });

  it('span nothing when all agree', () => {
    expect([span(null, String), span({ least: 2, most: 2 }, String)]).toEqual(['–', '2']);
  });

  it('say which agent drifted by what, and that a retrained model waits', () => {
    const one = {
      windows: 200,
      feature: 'latency_mean',
      psi: 3,
      bound: 0.5,
      since: at(0),
      scope: 'device' as const,
    };
    const drift = [
      { ...one, agent: 'gw-2', state: 'lasting' as const },
      { ...one, agent: 'gw-1', state: 'drifting' as const },
      { ...one, agent: 'gw-3', state: 'none' as const },
    ];
    const kind = { scope: 'device' as const, fingerprint: '0123456789abcdef', sha256: 'cd'.repeat(32) };
    const candidates = [{ ...kind, trained_at: at(0), rows: 900, threshold: 1, agents: 2 }];
    const quiet = [{ ...drift[2]!, agent: 'gw-1' }];
    const models = [model({ drift, candidates }), model({ drift: quiet }), model({})];
    expect(fact(models, 'Model', 'Drift')).toEqual(['gw-2 and 1 more: mean latency', 'none', UNKNOWN]);
    expect(fact(models, 'Model', 'Retrained')?.[0]).toMatch(/, not in use$/);
  });
});
