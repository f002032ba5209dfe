/** One client that takes all it can get, against the real broker: what it holds stays bounded, and others are served. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  connectPacket,
  PUBLISH,
  publishPacket,
  RawClient,
  type RawConnect,
  subscribePacket,
} from '../testing/raw-mqtt.js';
import { type BrokerHeld, EmbeddedBroker } from './embedded-broker.js';
import { BROKER_LIMITS, type BrokerLimits } from './limits.js';
import type { RefusalReason } from './refusals.js';

const MIB = 1024 * 1024;
const OWNER = { clientId: 'collector-1', secret: 'only the collector knows' };

let broker: EmbeddedBroker | null = null;
let port = 0;
const clients: RawClient[] = [];
const problems: string[] = [];

beforeEach(() => problems.splice(0));

afterEach(async () => {
  for (const client of clients.splice(0)) client.end();
  await broker?.stop();
});

async function start(limits: Partial<BrokerLimits> = {}): Promise<EmbeddedBroker> {
  const started = new EmbeddedBroker(
    { host: '127.0.0.1', port: 0, owner: OWNER, limits },
    (error) => problems.push(error.message),
    (problem) => problems.push(problem),
  );
  broker = started;
  port = await started.start();
  return started;
}

async function connect(clientId: string, options?: RawConnect): Promise<RawClient> {
  const client = await RawClient.connect(port, clientId, options);
  clients.push(client);
  return client;
}

const refused = (reason: RefusalReason) => broker?.refused.get(reason) ?? 0;
const wasRefused = (reason: RefusalReason, times = 1) =>
  expect.poll(() => refused(reason), { timeout: 10_000 }).toBeGreaterThanOrEqual(times);
const held = () => expect.poll(() => broker?.held, { timeout: 10_000 });
/** What the broker holds, as it says from now on. */
async function heldNow(): Promise<BrokerHeld> {
  broker!.held = null;
  await held().not.toBeNull();
  return broker!.held!;
}
const topicOf = ({ body }: { body: Buffer }) => body.subarray(2, 2 + body.readUInt16BE(0)).toString();

/** What is retained under a filter, as a newcomer gets it. */
async function retained(filter: string, amount: number): Promise<string[]> {
  const reader = await connect(`reader-${Math.random()}`);
  await reader.write(subscribePacket([filter], { qos: 1 }));
  await reader.until(() => reader.of(PUBLISH).length >= amount);
  return reader.of(PUBLISH).map(topicOf).sort();
}

describe('connections', () => {
  it('that never send CONNECT give way to newcomers', async () => {
    await start({ maxUnconnected: 20 });
    const idle = await Promise.all(Array.from({ length: 60 }, () => RawClient.open(port)));
    clients.push(...idle);
    expect((await connect('newcomer')).returnCode).toBe(0);
    await wasRefused('too_many_unconnected', 40);
    expect(idle.filter(({ closed }) => !closed).length).toBeLessThanOrEqual(20);
  });

  it('that are idle give way to newcomers, while the collector and known agents keep their places', async () => {
    const started = await start({ maxConnections: 20 });
    const agent = await connect('lineheron-agent-gw-1');
    started.know(['gw-1']);
    for (let n = 0; n < 60; n++) expect((await connect(`idle-${n}`)).returnCode).toBe(0);
    await wasRefused('displaced', 41);
    expect(agent.closed).toBe(false);
    await held().toMatchObject({ connections: 20 });
    const [problem] = started.problems(60_000);
    expect(problem).toMatchObject({ code: 'displaced', detail: expect.stringContaining('max_connections') });
    expect(problems).toHaveLength(1);
  });

  it('are refused when every place is a known agent’s', async () => {
    const started = await start({ maxConnections: 10 });
    const ids = Array.from({ length: 10 }, (_, n) => `gw-${n}`);
    started.know(ids);
    const agents = await Promise.all(ids.map((id) => connect(`lineheron-agent-${id}`)));
    expect((await connect('stranger')).returnCode).toBe(3);
    expect(agents.every(({ closed }) => !closed)).toBe(true);
    await wasRefused('no_place');
  });

  it('may not hold back more than so much of packets half sent', async () => {
    await start({ maxPartialBytes: 4 * MIB });
    const most = publishPacket('half', Buffer.alloc(MIB - 100)).subarray(0, MIB - 200);
    for (let n = 0; n < 8; n++) await (await connect(`half-${n}`)).write(most);
    await wasRefused('partial_packets', 3);
    expect((await heldNow()).partial_bytes).toBeLessThanOrEqual(4 * MIB);
  });

  it('have ids of so many bytes at most', async () => {
    await start();
    expect((await connect('x'.repeat(BROKER_LIMITS.maxClientIdBytes))).returnCode).toBe(0);
    expect((await connect('x'.repeat(BROKER_LIMITS.maxClientIdBytes + 1))).returnCode).toBe(2);
    await wasRefused('bad_client_id');
  });

  it('have small wills with a valid topic', async () => {
    await start();
    const large = await connect('large', { will: { topic: 'will', payload: Buffer.alloc(17 * 1024) } });
    expect(large.closed).toBe(true);
    await wasRefused('bad_packet');
    for (const topic of ['', '#', 'a/+', '$SYS/x']) {
      expect((await connect('wild', { will: { topic, payload: 'x', retain: true } })).returnCode).toBeNull();
    }
    await wasRefused('bad_topic', 3);
  });
});

describe('QoS 2', () => {
  it('costs its sender the connection when PUBREL never comes, and the broker no copy of a message', async () => {
    await start();
    const hoarder = await connect('hoarder');
    const body = Buffer.alloc(MIB - 100);
    for (let id = 1; id <= 30 && !hoarder.closed; id++) {
      await hoarder.write(publishPacket('hoard', body, { qos: 2, id }));
    }
    await hoarder.until(() => hoarder.closed);
    await wasRefused('qos2_in_flight');
  });

  it('of a lasting session gathers no numbers over many connections', async () => {
    await start();
    let last: RawClient | null = null;
    for (let round = 0; round < 3; round++) {
      last = await connect('again', { clean: false });
      const ids = Array.from({ length: 15 }, (_, n) => 1 + round * 15 + n);
      await last.write(Buffer.concat(ids.map((id) => publishPacket('hoard', 'x', { qos: 2, id }))));
      if (round < 2) last.end();
    }
    await last!.until(() => last!.closed);
    await wasRefused('qos2_in_flight');
  });
});

describe('subscriptions', () => {
  it('of one client are refused beyond its bound, one by one, and freed when it goes', async () => {
    await start();
    const greedy = await connect('greedy');
    for (let from = 0; from < 2000; from += 500) {
      const filters = Array.from({ length: 500 }, (_, n) => `f/${from + n}`);
      await greedy.write(subscribePacket(filters));
    }
    await greedy.until(() => greedy.granted.length === 2000);
    const { maxSubscriptions } = BROKER_LIMITS;
    expect(greedy.granted.filter((qos) => qos === 128)).toHaveLength(2000 - maxSubscriptions);
    await held().toMatchObject({ subscriptions: maxSubscriptions });
    greedy.end();
    await held().toMatchObject({ subscriptions: 0 });
  });

  it('of all strangers together leave a known agent its own', async () => {
    const started = await start({ maxSubscriptionsOfOthers: 300 });
    started.know(['gw-1']);
    const filters = (client: number) => Array.from({ length: 200 }, (_, n) => `f/${client}/${n}`);
    for (const n of [1, 2, 3]) {
      const client = await connect(`greedy-${n}`);
      await client.write(subscribePacket(filters(n)));
      await client.until(() => client.granted.length === 200);
    }
    await wasRefused('too_many_subscriptions', 300);
    const agent = await connect('lineheron-agent-gw-1');
    await agent.write(subscribePacket(['lineheron/v1/gw-1/ack'], { qos: 1 }));
    await agent.until(() => agent.granted.length === 1);
    expect(agent.granted).toEqual([1]);
  });

  it('to what is invalid, too deep or too long are refused and cost nothing else', async () => {
    await start();
    const client = await connect('odd');
    const filters = ['a/#/b', 'a#', '+a', '$SYS/#', 'x'.repeat(1025), 'a\0b', 'fine/+/#'];
    await client.write(subscribePacket(filters));
    await client.until(() => client.granted.length === filters.length || client.closed);
    expect(client.closed || client.granted.slice(0, -1).every((qos) => qos === 128)).toBe(true);
    const deep = await connect('deep');
    await deep.write(subscribePacket(['a/'.repeat(50)]));
    await deep.until(() => deep.closed || deep.granted[0] === 128);
    expect((await connect('after')).returnCode).toBe(0);
  });

  it('repeated without end replay what is retained no faster than it is taken', async () => {
    await start();
    const sender = await connect('sender');
    for (let n = 0; n < 40; n++) {
      await sender.write(publishPacket(`big/${n}`, Buffer.alloc(100 * 1024), { retain: true }));
    }
    const frozen = await connect('frozen');
    frozen.socket.pause();
    for (let n = 0; n < 200; n++) await frozen.write(subscribePacket(['big/#'], { id: n + 1 }));
    await wasRefused('too_many_replays', 100);
    expect(refused('slow_client')).toBe(0);
    expect((await heldNow()).outgoing_bytes).toBeLessThan(BROKER_LIMITS.maxOutgoingBytes);
    expect((await retained('big/#', 40)).length).toBe(40);
  });
});

describe('retained messages', () => {
  const status = (agent: string) => `lineheron/v1/${agent}/status`;

  it('of one client end at its bound, and everybody else’s status is retained as ever', async () => {
    await start({
      retained: { ...BROKER_LIMITS.retained, perClient: { maxTopics: 100, maxBytes: MIB } },
    });
    const flood = await connect('flood');
    for (let n = 0; n < 500; n++) {
      await flood.write(publishPacket(`flood/${n}`, 'x', { retain: true }));
      await flood.write(publishPacket(status(`invented-${n}`), 'online', { retain: true }));
    }
    await wasRefused('not_retained', 800);
    const agent = await connect('any-id-at-all');
    await agent.write(publishPacket(status('gw-1'), 'online', { qos: 1, retain: true }));
    expect(await retained(status('gw-1'), 1)).toEqual([status('gw-1')]);
    await held().toMatchObject({ retained_topics: 201 });
  });

  it('of many invented agents give way to those of a known one, never the other way round', async () => {
    const { retained: limits } = BROKER_LIMITS;
    const started = await start({ retained: { ...limits, core: { maxTopics: 50, maxBytes: MIB } } });
    started.know(['gw-1']);
    const invent = async (from: number, to: number) => {
      for (let n = from; n < to; n++) {
        const client = await connect(`lineheron-agent-i${n}`);
        await client.write(publishPacket(status(`i${n}`), 'online', { qos: 1, retain: true }));
        client.end();
      }
    };
    await invent(0, 60);
    await wasRefused('not_retained', 10);
    const agent = await connect('lineheron-agent-gw-1');
    await agent.write(publishPacket(status('gw-1'), 'online', { qos: 1, retain: true }));
    await wasRefused('retained_displaced');
    await invent(60, 80);
    expect(await retained(status('gw-1'), 1)).toEqual([status('gw-1')]);
  });

  it('keep no more of a packet than their own bytes, and wills count as anything else', async () => {
    await start({ retained: { ...BROKER_LIMITS.retained, perClient: { maxTopics: 1, maxBytes: MIB } } });
    const client = await connect('one', { will: { topic: 'will/1', payload: 'gone', retain: true } });
    await client.write(publishPacket('first', 'x', { qos: 1, retain: true }));
    await client.until(() => client.packets.length >= 2);
    client.end();
    await wasRefused('not_retained');
    await held().toMatchObject({ retained_topics: 1 });
    expect((await heldNow()).retained_bytes).toBeLessThan(1000);
  });
});

describe('subscribers', () => {
  it('that read nothing are cut at their bound, and nobody waits for them', async () => {
    await start({ maxOutgoingBytes: 2 * MIB });
    const frozen = await connect('frozen');
    await frozen.write(subscribePacket(['load/#'], { qos: 1 }));
    await frozen.until(() => frozen.granted.length === 1);
    frozen.socket.pause();
    const healthy = await connect('healthy');
    await healthy.write(subscribePacket(['load/small']));
    await healthy.until(() => healthy.granted.length === 1);
    const sender = await connect('sender');
    for (let n = 0; n < 300; n++) {
      await sender.write(publishPacket('load/large', Buffer.alloc(50_000)));
      await sender.write(publishPacket('load/small', String(n), { qos: 1 }));
    }
    await healthy.until(() => healthy.of(PUBLISH).length === 300);
    await wasRefused('slow_client');
    expect(healthy.closed).toBe(false);
  });

  it('that read nothing are cut, too, when all of them together leave too much behind', async () => {
    await start({ maxOutgoingBytes: 64 * MIB, maxOutgoingBytesOfAll: 8 * MIB });
    for (let n = 0; n < 6; n++) {
      const frozen = await connect(`frozen-${n}`);
      await frozen.write(subscribePacket(['load/#']));
      await frozen.until(() => frozen.granted.length === 1);
      frozen.socket.pause();
    }
    const sender = await connect('sender');
    for (let n = 0; n < 200; n++) await sender.write(publishPacket(`load/${n}`, Buffer.alloc(100_000)));
    await wasRefused('slow_client', 4);
    expect((await connect('after')).returnCode).toBe(0);
  });

  it('that stall for too long are cut however little waits for them', async () => {
    await start({ stallMs: 1000 });
    const frozen = await connect('frozen');
    await frozen.write(subscribePacket(['load/#']));
    await frozen.until(() => frozen.granted.length === 1);
    frozen.socket.pause();
    const sender = await connect('sender');
    for (let n = 0; n < 60; n++) await sender.write(publishPacket('load/x', Buffer.alloc(100_000)));
    await wasRefused('slow_client');
    expect((await connect('after')).returnCode).toBe(0);
  });
});

describe('lasting sessions', () => {
  it('are so many; the longest abandoned one ends for a new one, and who finds none free has none', async () => {
    await start({ maxSessions: 3 });
    for (let n = 0; n < 5; n++) {
      const client = await connect(`away-${n}`, { clean: false });
      await client.write(subscribePacket(['a/#'], { qos: 1 }));
      await client.until(() => client.granted.length === 1);
      client.end();
    }
    await wasRefused('session_dropped', 2);
    await held().toMatchObject({ sessions: 3 });
    expect((await connect('away-4', { clean: false })).sessionPresent).toBe(true);
    await connect('here-1', { clean: false });
    await connect('here-2', { clean: false });
    const late = await connect('here-3', { clean: false });
    expect([late.returnCode, late.sessionPresent]).toEqual([0, false]);
    await wasRefused('no_session');
    await held().toMatchObject({ sessions: 3 });
  });

  it('queue so many messages of so many bytes, and no more', async () => {
    await start({ maxSessionMessages: 50, maxSessionBytes: MIB });
    for (const id of ['many', 'large']) {
      const client = await connect(id, { clean: false });
      await client.write(subscribePacket([`${id}/#`], { qos: 1 }));
      await client.until(() => client.granted.length === 1);
      client.end();
    }
    const sender = await connect('sender');
    for (let n = 0; n < 100; n++) {
      await sender.write(publishPacket('many/x', 'x', { qos: 1, id: n + 1 }));
      await sender.write(publishPacket('large/x', Buffer.alloc(100_000), { qos: 1, id: n + 200 }));
    }
    await wasRefused('session_full', 140);
    await held().toMatchObject({ session_messages: 60 });
    expect((await heldNow()).session_bytes).toBeLessThan(MIB + 50 * 400);
    const back = await connect('many', { clean: false });
    await back.until(() => back.of(PUBLISH).length === 50);
  });
});

describe('a flood of refusals', () => {
  it('is told once in the log, and harms nobody', async () => {
    await start();
    for (let n = 0; n < 200; n++) {
      const client = await RawClient.open(port);
      await client.write(Buffer.concat([connectPacket(`f-${n}`), publishPacket('$SYS/x', 'y')]));
      clients.push(client);
    }
    await wasRefused('bad_topic', 200);
    expect(problems).toHaveLength(1);
    expect((await connect('after')).returnCode).toBe(0);
  });
});
