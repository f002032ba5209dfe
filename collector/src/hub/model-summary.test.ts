import type { ModelCandidate, ModelView } from '@lineheron/models';
import { expect, it } from 'vitest';
import { feedModel } from './model-summary.js';

const instance = (agent: string, release: number): ModelView['instances'][number] => ({
  agent,
  kind: 'isolation_forest',
  scope: 'device',
  release,
  sha256: 'ab'.repeat(32),
  fingerprint: '0123456789abcdef',
  trained_at: new Date(release * 1000).toISOString(),
  rows: 1000,
  threshold: 0.5,
  size_bytes: 90_000,
  training_ms: 40,
  inference_us: release === 1 ? null : release,
  memory_bytes: null,
});

const MODEL: ModelView = {
  name: 'isolation_forest',
  active: false,
  trained: true,
  description: '',
  place: 'edge',
  instances: [],
  instances_total: 0,
};

const candidate: ModelCandidate = {
  scope: 'device',
  fingerprint: '0123456789abcdef',
  sha256: 'cd'.repeat(32),
  trained_at: new Date(9000).toISOString(),
  rows: 10,
  threshold: 1,
  agents: 1,
  agent: 'gw-2',
};

it('a model is told with its instances in sum, and one by one those that a candidate would replace', () => {
  const instances = [instance('gw-1', 1), instance('gw-2', 4), instance('gw-3', 2)];
  const { instances: sum, in_use } = feedModel({ ...MODEL, instances, candidates: [candidate] });
  expect(sum).toEqual({
    count: 3,
    agents: 3,
    release: { least: 1, most: 4 },
    trained_at: new Date(4000).toISOString(),
    rows: 3000,
    size_bytes: 270_000,
    inference_us: 3,
    of_devices: { count: 3, threshold: { least: 0.5, most: 0.5 }, cannot_alert: null },
  });
  expect(in_use).toEqual([instances[1]]);
});

it('forests that cannot alert are counted, and the one that has seen least is named', () => {
  const unable = (windows: number) => ({
    ...instance('gw-1', 1),
    threshold: null,
    cannot_alert: { windows, needed: 120 },
  });
  const { instances } = feedModel({ ...MODEL, instances: [unable(34), unable(8), instance('gw-2', 1)] });
  expect(instances.of_devices).toEqual({
    count: 3,
    threshold: { least: 0.5, most: 0.5 },
    cannot_alert: { count: 2, least: { windows: 8, needed: 120 } },
  });
});

it('of a model without instances nothing is told', () => {
  expect(feedModel(MODEL)).toMatchObject({
    instances: { count: 0, release: null, trained_at: null, inference_us: null },
    in_use: [],
  });
});
