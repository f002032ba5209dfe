/** A client that is let in and claims what it likes, against the real collector over its real broker. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type Alert,
  ackSchema,
  type MetricsView,
  type ScoreBatch,
  type StatusView,
  topics,
  type WindowView,
} from '@lineheron/models';
import mqtt, { type MqttClient } from 'mqtt';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type Addresses, Collector } from './collector.js';
import { loadConfig } from './config.js';
import { createLogger } from './log.js';
import { BOOT, makeBatch, makeWindow } from './testing/messages.js';

const OTHER = 'bbbbbbbbbbbbbbbb';

let folder: string;
let collector: Collector;
let addresses: Addresses;
let client: MqttClient;
let acknowledged: Array<{ boot: string; from: number; to: number }>;

async function start(): Promise<void> {
  collector = new Collector({
    config: loadConfig({ flags: { data_dir: folder, 'http.port': '0', 'mqtt.port': '0' } }),
    log: createLogger('silent'),
    version: '0.1.0',
    onFatal: (error) => {
      throw error;
    },
  });
  addresses = await collector.start();
  client = await mqtt.connectAsync(addresses.mqttUrl, { protocolVersion: 4, reconnectPeriod: 0 });
  acknowledged = [];
  client.on('message', (_topic, payload) => {
    acknowledged.push(...ackSchema.parse(JSON.parse(payload.toString())).ranges);
  });
  await client.subscribeAsync(topics.ack('gw-1'), { qos: 1 });
}

async function stop(): Promise<void> {
  await client.endAsync(true);
  await collector.stop();
}

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lineheron-claims-'));
  await start();
});

afterEach(async () => {
  await stop();
  await rm(folder, { recursive: true, force: true });
});

const isAcknowledged = (sequence: number, boot = BOOT) =>
  acknowledged.some((range) => range.boot === boot && range.from <= sequence && range.to >= sequence);

async function send(changes: Partial<ScoreBatch>): Promise<void> {
  const batch = makeBatch(changes);
  await client.publishAsync(topics.score('gw-1'), JSON.stringify(batch), { qos: 1 });
  await expect.poll(() => isAcknowledged(batch.sequence, batch.boot), { timeout: 10_000 }).toBe(true);
}

async function storedSequences(): Promise<string[]> {
  const answer = await fetch(`http://127.0.0.1:${addresses.httpPort}/api/v1/windows?limit=1000`);
  const { windows } = (await answer.json()) as { windows: WindowView[] };
  return windows.map(({ id }) => id.split('/').slice(1, 3).join('/'));
}

const totals = async () => {
  const answer = await fetch(`http://127.0.0.1:${addresses.httpPort}/metrics`);
  return ((await answer.json()) as MetricsView).totals;
};

const EMPTY = { windows: [], records: [] };
const ATTACKS: Array<[string, Partial<ScoreBatch>]> = [
  ['of everything there is', { ...EMPTY, first: 1, sequence: 999_999_999_999_999 }],
  ['as long as a spool segment', { ...EMPTY, first: 1, sequence: 1_000_001 }],
  ['of a few that are on their way', { ...EMPTY, first: 2, sequence: 5 }],
  ['with windows in it', { first: 1, sequence: 900_000 }],
  ['without `first`, far ahead', { ...EMPTY, sequence: 999_999_999_999_999 }],
  ['of one that is on its way', { ...EMPTY, sequence: 3 }],
];

it.each(ATTACKS)(
  'a claim %s costs no batch that comes after it, nor after a restart',
  async (_name, attack) => {
    await send({ sequence: 1 });
    await send(attack);
    for (const sequence of [2, 3]) await send({ sequence });
    await stop();
    await start();
    for (const sequence of [4, 5, 3]) await send({ sequence });
    const own = (await storedSequences()).filter((name) => Number(name.split('/')[1]) < 10);
    expect(own).toEqual([1, 2, 3, 4, 5].map((sequence) => `${BOOT}/${sequence}`));
    expect((await totals()).thinned).toBeLessThanOrEqual(1_000_000);
  },
);

it('nothing but what was sent is acknowledged, and what a batch claims is counted once', async () => {
  await send({ sequence: 9, first: 4 });
  await send({ sequence: 9, first: 4 });
  await send({ sequence: 12, first: 6 });
  for (const sequence of [4, 5, 8, 10, 11]) expect(isAcknowledged(sequence)).toBe(false);
  expect(await totals()).toMatchObject({ thinned: 7, duplicates: 1 });
});

it('a flood of invented boots evicts no real one, over a restart too', async () => {
  await send({ sequence: 1 });
  await send({ boot: OTHER, sequence: 1 });
  for (let n = 0; n < 400; n++) {
    const batch = makeBatch({ boot: n.toString(16).padStart(16, '0') });
    await client.publishAsync(topics.score('gw-1'), JSON.stringify(batch), { qos: 1 });
  }
  await send({ sequence: 2 });
  await stop();
  await start();
  for (const [boot, sequence] of [
    [BOOT, 1],
    [OTHER, 1],
    ['0'.repeat(16), 1],
  ] as const)
    await send({ boot, sequence });
  expect(await totals()).toMatchObject({ batches: 403, windows: 403, duplicates: 3 });
}, 30_000);

it.each(['2099-12-31T23:59:59.000Z', '9999-12-31T23:59:59.999Z'])(
  'a window of %s is of its arrival in every answer, and its alert ends like any other',
  async (end) => {
    await client.publishAsync(topics.status('gw-1'), 'online', { qos: 1, retain: true });
    const episode = `gw-1/${BOOT}/1/0`;
    const sentMs = Date.now();
    await send({ sequence: 1, windows: [makeWindow({ end, suspect: true, score: 0.9, episode })] });
    const get = async <T>(path: string) =>
      (await fetch(`http://127.0.0.1:${addresses.httpPort}${path}`)).json() as Promise<T>;
    const alerts = async () => (await get<{ alerts: Alert[] }>('/api/v1/alerts?limit=10')).alerts;
    const status = await get<StatusView>('/status');
    const { windows } = await get<{ windows: WindowView[] }>('/api/v1/windows?limit=10');
    const [alert] = await alerts();
    const times = [windows[0]!.end, alert!.opened_at, alert!.last_suspect_at];
    const line = status.agents[0]?.devices[0];
    for (const time of line ? [...times, line.end] : times) {
      expect(Date.parse(time)).toBeGreaterThanOrEqual(sentMs);
      expect(Date.parse(time)).toBeLessThanOrEqual(Date.now());
    }
    expect(await totals()).toMatchObject({ ahead: 1 });
    const quiet = new Date(Date.now() + 15_000).toISOString();
    await send({ sequence: 2, windows: [makeWindow({ end: quiet })] });
    expect(await alerts()).toMatchObject([{ status: 'closed' }]);
  },
);
