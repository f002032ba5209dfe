/** The pipeline with the real engine: batches as the schema wants them, ids, bounds, episodes, refill. */
import {
  anomalySchema,
  MAX_BATCH_BYTES,
  MAX_BATCH_WINDOWS,
  type ScoreBatch,
  scoreBatchSchema,
  windowId,
} from '@lineheron/models';
import { Engine, Forest, fitForest, provokePanic } from '@lineheron/native';
import { describe, expect, it } from 'vitest';
import { testScoring } from '../test-scoring.js';
import { arrivalClock, EventClock } from './device-clock.js';
import { type Output, Pipeline } from './pipeline.js';

const BOOT = '0123456789abcdef';
const START_MS = Date.UTC(2026, 0, 1);

const line = (second: number, device: string, fields: object = {}) =>
  `${JSON.stringify({
    timestamp: new Date(START_MS + second * 1000).toISOString(),
    device_id: device,
    latency_ms: 20 + ((second * 13) % 17) / 3,
    packet_loss_pct: ((second * 3) % 7) / 10,
    retry_count: second % 4 === 0 ? 1 : 0,
    traffic_volume_mb: 2 + ((second * 7) % 5) / 9,
    connection_resets: 0,
    is_anomaly: false,
    ...fields,
  })}\n`;

function build(publishRecords: 'none' | 'anomalous' | 'all' = 'all') {
  const seen: { scope: string; features: readonly (number | null)[] }[] = [];
  const { engine, pipeline } = testScoring({
    engine: { publishRecords },
    boot: BOOT,
    nowMs: () => START_MS + 3_600_000,
    onWindow: (scope, _endMs, features) => seen.push({ scope, features }),
  });
  const push = (text: string, emit = true) =>
    pipeline.push({ bytes: Buffer.from(text), emit, position: null });
  return { engine, pipeline, push, seen };
}

const batchesOf = (output: Output): ScoreBatch[] =>
  output.batches.map(({ bytes }) => scoreBatchSchema.parse(JSON.parse(bytes.toString())));

async function train(built: ReturnType<typeof build>) {
  const { engine, push, seen } = built;
  for (let second = 0; second < 200; second++) push(line(second, 'a'));
  const rows = seen
    .filter(({ scope }) => scope === 'device')
    .map(({ features }) => features.map((x) => x ?? Number.NaN));
  const fitted = await fitForest(Float64Array.from(rows.flat()), {
    fingerprint: engine.fingerprint,
    features: engine.features,
    contamination: 0.01,
  });
  engine.setForest('device', fitted.bytes);
  engine.setThreshold('device', fitted.threshold);
  engine.setDetecting(true);
  built.pipeline.take();
  return fitted;
}

describe('Pipeline', () => {
  it('writes batches that the schema takes, with windows, their records and the ground truth', () => {
    const { pipeline, push, seen } = build();
    push(line(0, 'a') + line(0, 'b', { is_anomaly: true, anomaly_type: 'packet_loss', error_code: 503 }));
    push(line(1, 'a'));
    const [batch, ...rest] = batchesOf(pipeline.take());
    expect(rest).toEqual([]);
    expect(batch).toMatchObject({ agent: 'gw', boot: BOOT, sequence: 1 });
    expect(batch!.records.map(({ device_id, error_code }) => [device_id, error_code])).toEqual([
      ['a', undefined],
      ['b', '503'],
      ['a', undefined],
    ]);
    const ofB = batch!.windows.find(({ device }) => device === 'b')!;
    expect(ofB).toMatchObject({
      scope: 'device',
      state: 'warming_up',
      is_anomaly: true,
      anomaly_type: 'packet_loss',
    });
    expect(batch!.records[ofB.record!]).toMatchObject({ device_id: 'b' });
    expect(batch!.windows.some(({ scope, device }) => scope === 'gateway' && device === '*')).toBe(true);
    // Windows that are still filling are told, never learnt from.
    expect(seen).toEqual([]);
  });

  it('counts sequences on and cuts batches by size and by windows', () => {
    const { pipeline, push } = build();
    const text = Array.from({ length: 3000 }, (_, second) => line(second, 'a')).join('');
    push(text);
    const output = pipeline.take();
    const batches = batchesOf(output);
    expect(batches.length).toBeGreaterThan(2);
    expect(batches.map(({ sequence }) => sequence)).toEqual(batches.map((_, index) => index + 1));
    for (const { bytes } of output.batches) expect(bytes.length).toBeLessThanOrEqual(MAX_BATCH_BYTES);
    for (const { windows } of batches) expect(windows.length).toBeLessThanOrEqual(MAX_BATCH_WINDOWS);
    expect(batches.flatMap(({ records }) => records).length).toBe(3000);
    for (const { windows, records } of batches) {
      for (const window of windows.filter(({ scope }) => scope === 'device')) {
        expect(records[window.record!]!.timestamp).toBe(window.end);
      }
    }
  });

  it('opens an episode under the id of its first suspect window, and closes it', async () => {
    const built = build();
    await train(built);
    const { pipeline, push } = built;
    let urgent = false;
    for (let second = 200; second < 215; second++)
      urgent = push(line(second, 'a', { packet_loss_pct: 60, latency_ms: 400 })) || urgent;
    expect(urgent).toBe(true);
    const during = pipeline.take();
    const opened = during.anomalies.map((anomaly) => anomalySchema.parse(anomaly));
    expect(opened).toHaveLength(1);
    expect(opened[0]).toMatchObject({ phase: 'opened', device: 'a' });
    expect(opened[0]!.reasons[0]!.feature).toMatch(/^(packet_loss|latency)/);
    const [first] = batchesOf(during).flatMap(({ sequence, windows }) =>
      windows.flatMap((window, index) =>
        window.suspect ? [{ window, id: windowId('gw', BOOT, sequence, index) }] : [],
      ),
    );
    expect(opened[0]!.id).toBe(first!.id);
    expect(first!.window.episode).toBe(first!.id);
    for (let second = 215; second < 300; second++) push(line(second, 'a'));
    const after = pipeline.take();
    expect(after.anomalies[0]).toMatchObject({ phase: 'closed', device: 'a', episode: first!.id });
  });

  it('alarms by the baseline with no forest at all, says who found it, and learns nothing of it', () => {
    const { engine, pipeline, push, seen } = build();
    engine.setDetecting(true);
    for (let second = 0; second < 120; second++) push(line(second, 'a'));
    expect(pipeline.take().anomalies).toEqual([]);
    const learnt = seen.length;
    for (let second = 120; second < 125; second++) push(line(second, 'a', { latency_ms: 400 }));
    const output = pipeline.take();
    const [opened] = output.anomalies.map((anomaly) => anomalySchema.parse(anomaly));
    // Beside the surprise that alarms goes what ranks the record.
    const told = batchesOf(output).flatMap(({ windows }) =>
      windows.flatMap(({ baseline }) => baseline ?? []),
    );
    expect(told.length).toBeGreaterThan(4);
    expect(told.every(({ strangeness }) => strangeness! > 0)).toBe(true);
    expect(opened).toMatchObject({ phase: 'opened', score: null, detectors: ['adaptive_baseline'] });
    expect(opened!.at).toBe(new Date(START_MS + 120_000).toISOString());
    expect(opened!.baseline!.nats).toBeGreaterThan(opened!.baseline!.threshold);
    expect(opened!.reasons[0]).toMatchObject({ feature: 'latency_ms', unit: 'ms', observed: 400 });
    expect(seen.length).toBe(learnt);
    for (let second = 125; second < 140; second++) push(line(second, 'a'));
    expect(pipeline.take().anomalies).toMatchObject([{ phase: 'closed', why: 'quiet' }]);
  });

  it('says what would have made the record that opened it normal, and with it no episode opens', () => {
    const opened = (latencyMs: number) => {
      const { engine, pipeline, push } = build();
      engine.setDetecting(true);
      for (let second = 0; second < 120; second++) push(line(second, 'a'));
      for (let second = 120; second < 123; second++)
        push(line(second, 'a', second === 120 ? { latency_ms: latencyMs } : {}));
      const output = pipeline.take();
      const changes = batchesOf(output).flatMap(({ windows }) =>
        windows.flatMap(({ normal_if }) => (normal_if ? [normal_if] : [])),
      );
      return { changes, anomalies: output.anomalies.map((anomaly) => anomalySchema.parse(anomaly)) };
    };
    const { changes, anomalies } = opened(400);
    expect(changes).toHaveLength(1);
    expect(anomalies).toMatchObject([{ phase: 'opened', normal_if: changes[0] }]);
    const [change] = changes[0]!;
    expect(change).toMatchObject({
      detector: 'adaptive_baseline',
      feature: 'latency_ms',
      unit: 'ms',
      side: 'below',
    });
    expect(anomalies[0]!.summary).toMatch(/Alerts above [\d.]+ ms\.$/);
    expect(opened(change!.value).anomalies).toEqual([]);
    expect(opened(change!.value + 2).anomalies).toHaveLength(1);
  });

  it('says which change of one feature the forest would have found normal', async () => {
    const built = build();
    const { bytes, threshold } = await train(built);
    const { engine, pipeline, push } = built;
    engine.setActive('isolation_forest');
    for (let second = 200; second < 215; second++) push(line(second, 'a', { latency_ms: 40 }));
    const [window] = batchesOf(pipeline.take()).flatMap(({ windows }) =>
      windows.filter(({ normal_if }) => normal_if),
    );
    const change = window!.normal_if!.find(({ detector }) => detector === 'isolation_forest')!;
    const place = engine.features.findIndex(({ name }) => name === change.feature);
    const row = Float64Array.from(window!.features, (value) => value ?? Number.NaN);
    const forest = Forest.load(bytes);
    expect(forest.scoreOne(row)).toBeGreaterThan(threshold);
    row[place] = change.value;
    expect(forest.scoreOne(row)).toBeLessThanOrEqual(threshold);
  });

  it('tells that a device fell silent while its source is live, and when it reports again', () => {
    let nowMs = 0;
    let live = false;
    const { pipeline } = testScoring({
      boot: BOOT,
      nowMs: () => START_MS,
      clock: arrivalClock(
        () => nowMs,
        () => live,
      ),
    });
    const push = (second: number) =>
      pipeline.push({ bytes: Buffer.from(line(second, 'a')), emit: true, position: null });
    for (let second = 0; second < 20; second++) push(second);
    const told = (atMs: number) => {
      nowMs = atMs;
      pipeline.sweep();
      return pipeline.take().anomalies.map((anomaly) => anomalySchema.parse(anomaly));
    };
    expect(told(100_000)).toEqual([]);
    live = true;
    expect(told(130_000)).toEqual([]);
    const [silent, ...rest] = told(160_000);
    expect(rest).toEqual([]);
    expect(silent).toMatchObject({ phase: 'opened', device: 'a', state: 'stale' });
    expect(silent!.summary).toBe('a has been silent for 60 s: it usually reports every 1 s.');
    push(200);
    expect(told(170_000)).toMatchObject([{ phase: 'closed', why: 'resumed', episode: silent!.episode }]);
  });

  it('emits nothing of a refill, but has its windows full after it', () => {
    const { pipeline, push } = build();
    const text = Array.from({ length: 40 }, (_, second) => line(second, 'a')).join('');
    push(text, false);
    expect(pipeline.take().batches).toEqual([]);
    push(line(40, 'a'));
    const [batch] = batchesOf(pipeline.take());
    expect(batch!.records).toHaveLength(1);
    expect(batch!.windows.find(({ scope }) => scope === 'device')).toMatchObject({
      records: 30,
      state: 'untrained',
    });
  });

  it('keeps records at home unless told otherwise', () => {
    const { pipeline, push } = build('none');
    push(line(0, 'a'));
    const [batch] = batchesOf(pipeline.take());
    expect(batch!.records).toEqual([]);
    expect(batch!.windows[0]).not.toHaveProperty('record');
  });

  it('asks a chunk for its position with the newest event time in it', () => {
    const { pipeline } = build();
    const asked: (number | null)[] = [];
    const position = (newestMs: number | null) => {
      asked.push(newestMs);
      return { at: asked.length };
    };
    pipeline.push({ bytes: Buffer.from(line(5, 'a') + line(3, 'a')), emit: true, position });
    pipeline.push({ bytes: Buffer.from('no record\n'), emit: true, position });
    expect(asked).toEqual([START_MS + 5000, null]);
    expect(pipeline.take().position).toEqual({ at: 2 });
  });

  it('leaves a chunk out that makes the engine panic, and goes on after it', () => {
    const engine = new Engine({ publishRecords: 'all' });
    const errors: unknown[] = [];
    let panics = true;
    const pipeline = new Pipeline({
      engine: {
        fingerprint: engine.fingerprint,
        channels: engine.channels,
        counters: () => engine.counters(),
        smallestChange: () => null,
        push: (bytes, arrivalMs, emit) => {
          if (panics) provokePanic();
          return engine.push(bytes, arrivalMs, emit);
        },
      },
      ...{ agent: 'gw', boot: BOOT, windowSeconds: 30, maxDevices: 10 },
      maintenance: () => [],
      active: () => 'ensemble',
      clock: new EventClock(10),
      nowMs: () => START_MS,
      onWindow: () => {},
      onEngineError: (error) => errors.push(error),
    });
    let next = 0;
    const push = (second: number) =>
      pipeline.push({
        bytes: Buffer.from(line(second, 'a')),
        emit: true,
        position: () => ({ next: ++next }),
      });
    push(0);
    panics = false;
    push(1);
    expect(errors).toHaveLength(1);
    const output = pipeline.take();
    expect(batchesOf(output)[0]!.records).toHaveLength(1);
    expect(output.position).toEqual({ next: 2 });
  });
});
