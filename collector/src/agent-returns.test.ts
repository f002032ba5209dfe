/** Alerts of silences end with the first word, over a real broker and store, also of a collector that was restarted meanwhile. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Alert, topics } from '@lineheron/models';
import mqtt from 'mqtt';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type Addresses, Collector } from './collector.js';
import { loadConfig } from './config.js';
import { createLogger } from './log.js';
import { SqliteStore } from './store/sqlite-store.js';
import { makeBatch, makeInfo, makeWindow } from './testing/messages.js';
import { LIMITS, makeAlert, makeStored } from './testing/stored.js';

const HOUR_MS = 3_600_000;
const BOOT = 'abababababababab';

let folder: string;
let collector: Collector;
let addresses: Addresses;
const cleanups: Array<() => Promise<unknown>> = [];

/** A collector that was stopped while these alerts were open, is started. */
async function startWith(...alerts: Alert[]): Promise<void> {
  const store = new SqliteStore({ path: join(folder, 'lineheron.db'), limits: LIMITS });
  await store.open();
  const lastWord = new Date(Date.now() - HOUR_MS).toISOString();
  const windows = [makeStored(1, { end: lastWord, received_at: lastWord })];
  await store.commit({ ranges: [], windows, records: [], alerts, totals: {} });
  await store.close();
  const flags = { data_dir: folder, 'http.port': '0', 'mqtt.port': '0' };
  collector = new Collector({
    config: loadConfig({ flags }),
    log: createLogger('silent'),
    version: '0.1.0',
    onFatal: (error) => {
      throw error;
    },
  });
  addresses = await collector.start();
}

const silence = (changes: Partial<Alert>) =>
  makeAlert({ opened_by: 'collector', opened_at: new Date(Date.now() - HOUR_MS).toISOString(), ...changes });

async function connect() {
  const client = await mqtt.connectAsync(addresses.mqttUrl, { protocolVersion: 4, reconnectPeriod: 0 });
  cleanups.push(() => client.endAsync(true));
  return client;
}

const alerts = async (query: string): Promise<Alert[]> => {
  const answer = await fetch(`http://127.0.0.1:${addresses.httpPort}/api/v1/alerts?${query}`);
  return ((await answer.json()) as { alerts: Alert[] }).alerts;
};

/** The one alert, once it is closed. Throws after two seconds. */
async function closed(): Promise<Alert> {
  const untilMs = performance.now() + 2000;
  while (performance.now() < untilMs) {
    const [alert] = await alerts('status=closed&limit=10');
    if (alert) return alert;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error('it is still open');
}

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lineheron-returns-'));
});

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
  await collector.stop();
  await rm(folder, { recursive: true, force: true });
});

it('an offline alert closes within two seconds of the return of the agent, with that time', async () => {
  await startWith(silence({ kind: 'offline', device: '*', scope: 'gateway' }));
  expect(await alerts('status=open&limit=10')).toHaveLength(1);
  const client = await connect();
  const backMs = Date.now();
  await client.publishAsync(topics.status('gw-1'), 'online', { qos: 1, retain: true });
  const alert = await closed();
  expect(Date.parse(alert.closed_at!)).toBeGreaterThanOrEqual(backMs);
  expect(Date.parse(alert.closed_at!)).toBeLessThan(backMs + 1000);
  expect(alert.summary).toMatch(/It reports again\.$/);
});

it('a silence closes within two seconds of the next window of its line, with that time', async () => {
  await startWith(silence({ kind: 'silence' }));
  const client = await connect();
  const backMs = Date.now();
  const windows = [makeWindow({ end: new Date(backMs).toISOString() })];
  const batch = makeBatch({ agent: 'gw-1', boot: BOOT, sequence: 1, windows });
  await client.publishAsync(topics.score('gw-1'), JSON.stringify(batch), { qos: 1 });
  const alert = await closed();
  expect(Date.parse(alert.closed_at!)).toBeGreaterThanOrEqual(backMs);
  expect(Date.parse(alert.closed_at!)).toBeLessThan(backMs + 1000);
});

it('what a broker kept of an agent that is away closes nothing', async () => {
  await startWith(silence({ kind: 'offline', device: '*', scope: 'gateway' }));
  const client = await connect();
  await client.publishAsync(topics.info('gw-1'), JSON.stringify(makeInfo()), { qos: 1, retain: true });
  await client.publishAsync(topics.status('gw-1'), 'offline', { qos: 1, retain: true });
  await client.publishAsync(topics.status('gw-2'), 'online', { qos: 1, retain: true });
  await expect
    .poll(async () => (await fetch(`http://127.0.0.1:${addresses.httpPort}/status`)).text())
    .toContain('gw-2');
  expect(await alerts('status=open&limit=10')).toHaveLength(1);
});
