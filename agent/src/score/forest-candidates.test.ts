/** Drift of a forest that was really trained, and what follows: a candidate, and nothing more until it is accepted. */
import { join } from 'node:path';
import { MIN_ROWS } from '@lineheron/models';
import { ModelStore, ProfileFiles, trainingProfile } from '@lineheron/models/persist';
import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import { testScoring } from '../test-scoring.js';
import { withFolder } from '../test-support.js';
import { ForestCandidates } from './forest-candidates.js';
import { ForestDrift } from './forest-drift.js';
import { Forests } from './forests.js';
import type { HistoryRow } from './history.js';

const START_MS = Date.UTC(2026, 0, 1);
const WINDOW_SECONDS = 2;
const log = pino({ level: 'silent' });

/** An agent's scoring around its own files in a folder; lines of one device come one a second. */
async function build(folder: string) {
  const scoring = testScoring({
    engine: { windowSeconds: WINDOW_SECONDS, publishRecords: 'none' },
    detection: { activeModel: 'isolation_forest' },
    nowMs: () => START_MS + 86_400_000,
    onWindow: (scope, endMs, features, judged) => {
      if (scope === 'gateway') return;
      rows = [...rows, { endMs, features }].slice(-400);
      drift.add(scope, { ...judged, endMs, features, windowMs: WINDOW_SECONDS * 1000 });
    },
  });
  const { engine, pipeline } = scoring;
  const models = join(folder, 'models');
  let monotonicMs = 0;
  const forests = new Forests({
    scoring,
    store: new ModelStore(models),
    profiles: new ProfileFiles(models),
    agent: 'gw-1',
    contamination: 0.1,
    seed: 1,
    nowMs: () => START_MS + second * 1000,
    monotonicMs: () => monotonicMs,
    log,
  });
  const names = engine.features.map(({ name }) => name);
  const drift = new ForestDrift('gw-1', names, (scope) => forests.profileOf(scope));
  let rows: HistoryRow[] = [];
  const read = async () => rows;
  const candidates = new ForestCandidates({
    store: new ModelStore(join(models, 'candidates')),
    profiles: new ProfileFiles(join(models, 'candidates')),
    forests,
    histories: { device: { read }, gateway: { read: async () => [] } },
    fingerprint: engine.fingerprint,
    lasting: () => drift.lasting,
    isTraining: () => false,
    monotonicMs: () => monotonicMs,
    onChange: () => {},
    log,
  });
  let second = 0;
  let state = 7;
  const random = () => {
    state = (state * 1103515245 + 12345) & 0x7fffffff;
    return state / 0x7fffffff;
  };
  /** So many seconds of a line whose latency lies around a level. */
  const feed = (seconds: number, latency: number) => {
    for (let end = second + seconds; second < end; second++) {
      const record = {
        timestamp: new Date(START_MS + second * 1000).toISOString(),
        device_id: 'modem-1',
        latency_ms: latency + 5 * random(),
        packet_loss_pct: random(),
        retry_count: random() < 0.3 ? 1 : 0,
        traffic_volume_mb: 1 + random(),
        connection_resets: 0,
      };
      pipeline.push({ bytes: Buffer.from(`${JSON.stringify(record)}\n`), emit: true, position: null });
    }
    monotonicMs += seconds * 1000;
    pipeline.take();
  };
  await forests.start();
  await candidates.start();
  engine.setDetecting(true);
  const train = async () => forests.install(await forests.fit('device', rows));
  return { forests, drift, candidates, feed, train };
}

describe('drift of a forest', () => {
  it('is unknown until enough windows have come, and none while they look as in training', () =>
    withFolder(async (folder) => {
      const { drift, feed, train } = await build(folder);
      feed(10, 20);
      expect(drift.view()).toEqual([]);
      feed(400, 20);
      await train();
      feed(MIN_ROWS, 20);
      expect(drift.view()).toMatchObject([{ scope: 'device', state: 'too_little', psi: null }]);
      feed(600, 20);
      expect(drift.view()).toMatchObject([{ scope: 'device', state: 'none', since: null }]);
      expect(drift.lasting).toEqual([]);
    }));

  it('proposes a retrained forest when it lasts, which goes to work when it is accepted and not before', () =>
    withFolder(async (folder) => {
      const { forests, drift, candidates, feed, train } = await build(folder);
      feed(400, 20);
      await train();
      const [before] = forests.models;
      await candidates.look();
      expect(candidates.view()).toEqual([]);
      // The baseline finds the first quarter of an hour strange: only then is the level the normal one.
      feed(1400, 30);
      expect(drift.view()).toMatchObject([{ state: 'lasting', since: expect.stringMatching(/^2026/) }]);
      expect(drift.view()[0]!.psi).toBeGreaterThan(drift.view()[0]!.bound!);
      await candidates.look();
      const [candidate, ...rest] = candidates.view();
      expect(rest).toEqual([]);
      expect(candidate).toMatchObject({ scope: 'device', rows: 400, fingerprint: before!.fingerprint });
      expect(forests.models).toEqual([before]);

      // A restart takes it up again, and fits no other in its place.
      const later = await build(folder);
      later.drift.load(drift.save());
      later.feed(400, 30);
      expect(later.drift.lasting).toEqual(['device']);
      await later.candidates.look();
      expect(later.candidates.view()).toEqual([candidate]);
      const no = await later.candidates.accept('r1', 'f'.repeat(64));
      expect(no).toMatchObject({ accepted: false, request_id: 'r1' });
      const yes = await later.candidates.accept('r2', candidate!.sha256);
      expect(yes).toMatchObject({
        accepted: true,
        kind: 'isolation_forest',
        scope: 'device',
        request_id: 'r2',
      });
      expect(later.forests.models).toMatchObject([{ sha256: candidate!.sha256, release: 2 }]);
      expect(later.candidates.view()).toEqual([]);
      // The new level is what the new forest knows.
      later.feed(700, 30);
      expect(later.drift.view()).toMatchObject([{ state: 'none' }]);
    }));

  it('is found in its scores alone, where every feature looks as in training', () => {
    const values = Float64Array.from({ length: 400 }, (_, at) => (at * 7) % 41);
    const scores = Float64Array.from({ length: 400 }, (_, at) => 0.4 + ((at * 11) % 37) / 400);
    const agents = Array.from(scores, () => 'gw-1');
    const model = { sha256: 'ab', profile: trainingProfile(values, 1, scores, agents, 1) };
    const drift = new ForestDrift('gw-1', ['latency_mean'], (scope) => (scope === 'device' ? model : null));
    values.forEach((value, at) => {
      const window = { device: 'm', endMs: at * 1000, windowMs: 1000, features: [value] };
      drift.add('device', { ...window, score: scores[at]! + 0.05 });
    });
    expect(drift.view()).toMatchObject([{ state: 'lasting', feature: 'isolation_forest_score' }]);
    expect(drift.lasting).toEqual(['device']);
  });
});
