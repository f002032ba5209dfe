/** A line's level changes for good: real engine, real collector parts, in event time; only the broker is left out. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { anomalySchema, scoreBatchSchema } from '@lineheron/models';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { testScoring } from '../../agent/src/test-scoring.js';
import { loadConfig } from '../../collector/src/config.js';
import { createLogger } from '../../collector/src/log.js';
import { buildParts, type Parts } from '../../collector/src/parts.js';
import { Pipeline } from '../../collector/src/pipeline.js';

const START_MS = Date.UTC(2026, 0, 1);
const SETTLED_S = 15 * 60;
const CALM_S = 300;
/** Latency before and after; with the wobble neither reaches halfway to the other. */
const [OLD_MS, NEW_MS] = [20, 120];

let folder: string;
let parts: Parts;
let nowMs: number;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lineheron-level-'));
  nowMs = START_MS;
  const onFatal = (error: Error) => {
    throw error;
  };
  const config = loadConfig({ flags: { data_dir: folder } });
  parts = buildParts({ config, log: createLogger('silent'), version: '0.1.0', now: () => nowMs, onFatal });
  await parts.store.open();
});

afterEach(async () => {
  await parts.store.close();
  await rm(folder, { recursive: true, force: true });
});

const line = (second: number) =>
  `${JSON.stringify({
    timestamp: new Date(START_MS + second * 1000).toISOString(),
    device_id: 'modem-1',
    latency_ms: (second < CALM_S ? OLD_MS : NEW_MS) + ((second * 13) % 17) / 3,
    packet_loss_pct: ((second * 3) % 7) / 10,
    traffic_volume_mb: 2 + ((second * 7) % 5) / 9,
  })}\n`;

it('closes its episode as a level shift after a quarter of an hour, and then both sides learn from its windows', async () => {
  const learnt: Array<{ second: number; latency: number }> = [];
  const { engine, pipeline: edge } = testScoring({
    detection: { detecting: true },
    engine: { publishRecords: 'anomalous' },
    ...{ agent: 'gw-1', boot: 'aaaaaaaaaaaaaaaa' },
    nowMs: () => nowMs,
    onWindow: (scope, endMs, [latency]) => {
      if (scope === 'device') learnt.push({ second: (endMs - START_MS) / 1000, latency: latency ?? 0 });
    },
  });
  const link = { connected: true, publish: () => {} };
  const collector = new Pipeline({ ...parts, link, settings: () => parts.control.settings });
  const anomalies: Array<ReturnType<typeof anomalySchema.parse>> = [];
  const lastSecond = CALM_S + SETTLED_S + 300;
  for (let second = 0; second < lastSecond; second += 60) {
    nowMs = START_MS + (second + 60) * 1000;
    const lines = Array.from({ length: 60 }, (_, at) => line(second + at)).join('');
    edge.push({ bytes: Buffer.from(lines), emit: true, position: null });
    const output = edge.take();
    anomalies.push(...output.anomalies.map((anomaly) => anomalySchema.parse(anomaly)));
    const messages = output.batches.map(({ bytes }) => {
      const batch = scoreBatchSchema.parse(JSON.parse(bytes.toString()));
      return { kind: 'score' as const, agent: 'gw-1', batch, bytes: bytes.length };
    });
    await collector.handle(messages);
  }

  const told = anomalies.map(({ phase, why }) => [phase, why]);
  expect(told).toEqual([
    ['opened', undefined],
    ['closed', 'level_shift'],
  ]);
  const secondOf = (at: string) => (Date.parse(at) - START_MS) / 1000;
  const [openedAt, closedAt] = anomalies.map(({ at }) => secondOf(at));
  expect(openedAt).toBe(CALM_S);
  expect(closedAt).toBeGreaterThanOrEqual(CALM_S + SETTLED_S - 60);
  expect(closedAt).toBeLessThan(CALM_S + SETTLED_S + 120);

  const alerts = await parts.store.alerts({ limit: 10 });
  expect(alerts).toMatchObject([{ id: anomalies[0]!.episode, status: 'closed' }]);

  // The edge: nothing of the episode, then the new level.
  const after = learnt.filter(({ second }) => second >= CALM_S);
  expect(after.length).toBeGreaterThan(60);
  expect(after[0]!.second).toBeGreaterThanOrEqual(closedAt!);
  for (const { latency } of after) expect(latency).toBeGreaterThan((OLD_MS + NEW_MS) / 2);

  // The collector: what a candidate would be trained on.
  const { fingerprint } = engine;
  const history = await parts.store.history({ scope: 'device', fingerprint, limit: 10_000 });
  const latencies = Array.from(
    { length: history.counts[0]! },
    (_, row) => history.rows[row * history.columns]!,
  );
  const [newest, oldest] = [latencies[0]!, latencies.at(-1)!];
  expect(newest).toBeGreaterThan((OLD_MS + NEW_MS) / 2);
  expect(oldest).toBeLessThan((OLD_MS + NEW_MS) / 2);
  const shifted = latencies.filter((latency) => latency > (OLD_MS + NEW_MS) / 2).length;
  expect(shifted).toBeGreaterThan(60);
  expect(shifted).toBeLessThanOrEqual(lastSecond - closedAt!);
});
