/**
 * MQTT clients that take all they can get, against a collector as it is delivered: its memory stays bounded, and a
 * gateway that comes afterwards finds a place, is retained and stored. `npm run faults` attacks at full size.
 */
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PUBLISH, publishPacket, RawClient, subscribePacket } from '../../collector/src/testing/raw-mqtt.js';
import type { Part } from '../support/process.js';
import { report } from '../support/report.js';
import { Stack } from '../support/stack.js';

const SHARE = process.env.LINEHERON_KILLS ? 1 : 0.05;
const MIB = 1024 * 1024;
/** Of the whole collector, all attacks together. One of them took 2,500 before there were bounds. */
const MOST_GROWTH_MIB = 600;

let stack: Stack;
let collector: Part;
const clients: RawClient[] = [];

const scaled = (amount: number) => Math.ceil(amount * SHARE);

beforeAll(async () => {
  stack = await Stack.create();
  collector = await stack.collector();
});

afterAll(async () => {
  for (const client of clients) client.end();
  await stack.close();
});

function rssMib(): number {
  const status = readFileSync(`/proc/${collector.pid}/status`, 'utf8');
  return Math.round(Number(/VmRSS:\s+(\d+)/.exec(status)![1]) / 1024);
}

async function connect(id: string): Promise<RawClient> {
  const client = await RawClient.connect(stack.mqttPort, id);
  clients.push(client);
  return client;
}

/** How long a gateway that comes now waits for its status to be retained for others, in ms. */
async function gatewayIsServed(id: string): Promise<number> {
  const beganMs = performance.now();
  const topic = `lineheron/v1/${id}/status`;
  const agent = await connect(`lineheron-agent-${id}`);
  expect(agent.returnCode).toBe(0);
  await agent.write(publishPacket(topic, 'online', { qos: 1, retain: true }));
  const reader = await connect(`reader-of-${id}`);
  await reader.write(subscribePacket([topic], { qos: 1 }));
  await reader.until(() => reader.of(PUBLISH).length > 0);
  return Math.round(performance.now() - beganMs);
}

const attacks: Record<string, () => Promise<void>> = {
  async qos2() {
    for (let n = 0; n < 3; n++) {
      const hoarder = await connect(`hoarder-${n}`);
      const body = Buffer.alloc(MIB - 100);
      for (let id = 1; id <= scaled(1000) && !hoarder.closed; id++) {
        await hoarder.write(publishPacket('hoard', body, { qos: 2, id }));
      }
    }
  },
  async half_sent() {
    const half = publishPacket('half', Buffer.alloc(MIB - 100)).subarray(0, MIB - 200);
    for (let n = 0; n < scaled(1000); n++) await (await connect(`half-${n}`)).write(half);
  },
  async idle() {
    for (let n = 0; n < scaled(3000); n++) await connect(`idle-${n}`);
  },
  async retained() {
    const flood = await connect('flood');
    for (let n = 0; n < scaled(50_000); n += 50) {
      const topics = Array.from({ length: 50 }, (_, at) => `lineheron/v1/invented-${n + at}/status`);
      const messages = topics.map((topic) => publishPacket(topic, 'online', { retain: true }));
      await flood.write(Buffer.concat(messages));
    }
  },
  async subscriptions() {
    const greedy = await connect('greedy');
    for (let n = 0; n < scaled(100_000); n += 500) {
      await greedy.write(subscribePacket(Array.from({ length: 500 }, (_, at) => `f/${n + at}/+/#`)));
    }
    await greedy.until(() => greedy.closed || greedy.granted.length >= scaled(100_000), 60_000);
  },
};

describe('a client that takes all it can get', () => {
  for (const [name, attack] of Object.entries(attacks)) {
    it(`by ${name} leaves a gateway that comes now its place and its status`, async () => {
      const before = rssMib();
      await attack();
      const servedMs = await gatewayIsServed(`gw-${name.replace('_', '-')}`);
      report(`attack ${name}`, { rss_mib_before: before, rss_mib_after: rssMib(), served_ms: servedMs });
      expect((await stack.call('GET', '/readyz')).status).toBe(200);
      if (SHARE === 1) expect(rssMib() - before).toBeLessThan(MOST_GROWTH_MIB);
    }, 180_000);
  }

  it('is named in /status and counted in /metrics', async () => {
    await expect
      .poll(async () => (await stack.status()).broker.problems.map(({ code }) => code))
      .toContain('qos2_in_flight');
    const metrics = await fetch(`${stack.url}/metrics`, { headers: { accept: 'text/plain' } });
    const text = await metrics.text();
    expect(text).toMatch(/lineheron_broker_refused_total\{reason="qos2_in_flight"\} [1-9]/);
    expect(text).toMatch(/lineheron_broker_held\{what="subscriptions"\} [1-9]/);
  });
});
