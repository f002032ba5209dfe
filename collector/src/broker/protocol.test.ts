/**
 * What MQTT 3.1.1 asks of a server, in the cases of the interoperability test of Eclipse Paho, against the real broker
 * with its bounds as they are.
 */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import {
  connectPacket,
  DISCONNECT,
  PUBLISH,
  publishPacket,
  RawClient,
  type RawConnect,
  type RawPacket,
  subscribePacket,
} from '../testing/raw-mqtt.js';
import { EmbeddedBroker } from './embedded-broker.js';

const PUBACK = 4;
const PUBREC = 5;
const PUBCOMP = 7;
const UNSUBACK = 11;
const PINGRESP = 13;

let broker: EmbeddedBroker;
let port = 0;
const clients: RawClient[] = [];

beforeAll(async () => {
  broker = new EmbeddedBroker({ host: '127.0.0.1', port: 0 }, () => {});
  port = await broker.start();
});

afterAll(() => broker.stop());

afterEach(() => {
  for (const client of clients.splice(0)) client.end();
});

async function connect(clientId: string, options?: RawConnect): Promise<RawClient> {
  const client = await RawClient.connect(port, clientId, options);
  clients.push(client);
  return client;
}

async function subscribe(client: RawClient, filters: string[], qos: number): Promise<void> {
  const before = client.granted.length;
  await client.write(subscribePacket(filters, { qos, id: 9 }));
  await client.until(() => client.granted.length === before + filters.length);
}

/** Sends at this QoS and goes through the whole handshake. */
async function send(
  client: RawClient,
  topic: string,
  payload: string,
  qos: number,
  retain = false,
): Promise<void> {
  const id = 1 + client.packets.length;
  const answers = (type: number) => client.of(type).filter(({ body }) => body.readUInt16BE(0) === id).length;
  const before = [answers(PUBACK), answers(PUBCOMP)];
  await client.write(publishPacket(topic, payload, { qos, id, retain }));
  if (qos === 1) await client.until(() => answers(PUBACK) > before[0]!);
  if (qos !== 2) return;
  await client.until(() => answers(PUBREC) > 0);
  await client.write(Buffer.from([0x62, 2, id >> 8, id & 0xff]));
  await client.until(() => answers(PUBCOMP) > before[1]!);
}

/** Everything sent before has been handled once this is answered. */
async function ping(client: RawClient): Promise<void> {
  const before = client.of(PINGRESP).length;
  await client.write(Buffer.from([0xc0, 0]));
  await client.until(() => client.of(PINGRESP).length > before);
}

async function leave(client: RawClient): Promise<void> {
  await client.write(DISCONNECT);
  await client.until(() => client.closed);
}

function read({ flags, body }: RawPacket) {
  const length = body.readUInt16BE(0);
  const qos = (flags >> 1) & 3;
  const at = 2 + length + (qos > 0 ? 2 : 0);
  return {
    topic: body.subarray(2, 2 + length).toString(),
    payload: body.subarray(at).toString(),
    qos,
    retain: (flags & 1) === 1,
    dup: (flags & 8) === 8,
    id: qos > 0 ? body.readUInt16BE(2 + length) : 0,
  };
}

const heard = (client: RawClient) => client.of(PUBLISH).map(read);
const hears = (client: RawClient, amount: number) => client.until(() => client.of(PUBLISH).length >= amount);

describe('the embedded broker speaks MQTT 3.1.1', () => {
  it('basic: delivers at every QoS, ends a second CONNECT and a wrong protocol name', async () => {
    const client = await connect('basic');
    expect([client.returnCode, client.sessionPresent]).toEqual([0, false]);
    await subscribe(client, ['basic/a'], 2);
    for (const qos of [0, 1, 2]) await send(client, 'basic/a', `qos ${qos}`, qos);
    await hears(client, 3);
    expect(heard(client).map(({ payload, qos }) => `${payload}=${qos}`)).toEqual([
      'qos 0=0',
      'qos 1=1',
      'qos 2=2',
    ]);
    await client.write(connectPacket('basic'));
    await client.until(() => client.closed);
    expect((await connect('basic', { protocol: 'hj' })).returnCode).toBeNull();
  });

  it('retained messages: kept at every QoS, cleared by an empty payload', async () => {
    const client = await connect('keeper');
    for (const qos of [0, 1, 2]) await send(client, `kept/${qos}`, `qos ${qos}`, qos, true);
    await subscribe(client, ['kept/+'], 2);
    await hears(client, 3);
    expect(heard(client).map(({ qos, retain }) => [qos, retain])).toEqual([
      [0, true],
      [1, true],
      [2, true],
    ]);
    for (const qos of [0, 1, 2]) await send(client, `kept/${qos}`, '', qos, true);
    const late = await connect('late');
    await subscribe(late, ['kept/+'], 2);
    await ping(late);
    expect(heard(late)).toEqual([]);
  });

  it('retained messages come at no higher QoS than was granted', async () => {
    const client = await connect('keeper');
    await send(client, 'graded/x', 'x', 2, true);
    await subscribe(client, ['graded/#'], 0);
    await hears(client, 1);
    expect(heard(client)[0]).toMatchObject({ qos: 0, retain: true });
    await send(client, 'graded/x', '', 2, true);
  });

  it('offline queueing: what comes meanwhile at QoS 1 and 2 waits for the client', async () => {
    const first = await connect('away', { clean: false });
    await subscribe(first, ['queued/+'], 2);
    await leave(first);
    const sender = await connect('sender');
    for (const qos of [0, 1, 2]) await send(sender, `queued/${qos}`, `qos ${qos}`, qos);
    const again = await connect('away', { clean: false });
    expect(again.sessionPresent).toBe(true);
    await hears(again, 2);
    expect(heard(again).map(({ payload }) => payload)).toEqual(['qos 1', 'qos 2']);
    const clean = await connect('away');
    expect(clean.sessionPresent).toBe(false);
    await leave(clean);
    expect((await connect('away', { clean: false })).sessionPresent).toBe(false);
  });

  it('will: published when the connection breaks, not when it is ended', async () => {
    const watcher = await connect('watcher');
    await subscribe(watcher, ['will/#'], 2);
    const will = (topic: string) => ({ will: { topic, payload: 'gone' } });
    await leave(await connect('polite', will('will/polite')));
    (await connect('broken', will('will/broken'))).end();
    await hears(watcher, 1);
    expect(heard(watcher)).toMatchObject([{ topic: 'will/broken', payload: 'gone' }]);
  });

  it('overlapping subscriptions: one message or one for each, one of them at the highest QoS', async () => {
    const client = await connect('overlapping');
    await subscribe(client, ['over/#', 'over/+'], 2);
    await send(client, 'over/a', 'x', 2);
    await ping(client);
    expect([1, 2]).toContain(heard(client).length);
    expect(Math.max(...heard(client).map(({ qos }) => qos))).toBe(2);
  });

  it('keepalive: a client that is silent for one and a half times as long is gone, and its will is told', async () => {
    const watcher = await connect('watcher');
    await subscribe(watcher, ['silent'], 1);
    const silent = await connect('silent', { keepalive: 1, will: { topic: 'silent', payload: 'expired' } });
    await hears(watcher, 1);
    await silent.until(() => silent.closed);
    expect(heard(watcher)[0]!.payload).toBe('expired');
  });

  it('redelivery: what was not acknowledged comes again, marked as a repetition', async () => {
    const first = await connect('forgetful', { clean: false });
    await subscribe(first, ['again/#'], 2);
    await send(first, 'again/1', 'one', 1);
    await send(first, 'again/2', 'two', 2);
    await hears(first, 2);
    await leave(first);
    const second = await connect('forgetful', { clean: false });
    await hears(second, 2);
    expect(heard(second)).toMatchObject([
      { payload: 'one', qos: 1, dup: true },
      { payload: 'two', qos: 2, dup: true },
    ]);
    for (const { id, qos } of heard(second)) {
      await second.write(Buffer.from([qos === 1 ? 0x40 : 0x50, 2, id >> 8, id & 0xff]));
    }
    await second.until(() => second.of(6).length === 1);
    const { body } = second.of(6)[0]!;
    await second.write(Buffer.concat([Buffer.from([0x70, 2]), body]));
    await ping(second);
    await leave(second);
    const third = await connect('forgetful', { clean: false });
    await ping(third);
    expect(heard(third)).toEqual([]);
  });

  it('QoS 2: a message that is repeated before its PUBREL is delivered once', async () => {
    const client = await connect('twice');
    await subscribe(client, ['twice'], 0);
    const message = publishPacket('twice', 'x', { qos: 2, id: 7 });
    await client.write(message);
    await client.until(() => client.of(PUBREC).length === 1);
    await client.write(publishPacket('twice', 'x', { qos: 2, id: 7, dup: true }));
    await client.until(() => client.of(PUBREC).length === 2);
    await client.write(Buffer.from([0x62, 2, 0, 7]));
    await client.until(() => client.of(PUBCOMP).length === 1);
    await ping(client);
    expect(heard(client)).toHaveLength(1);
  });

  it('subscribe failure: a filter that is refused is answered with 0x80, the others are granted', async () => {
    const client = await connect('picky');
    await subscribe(client, ['fine', '$SYS/#', 'fine/+'], 1);
    expect(client.granted).toEqual([1, 128, 1]);
  });

  it('dollar topics: are no match for a filter that begins with a wildcard', async () => {
    const client = await connect('dollar', { clean: false });
    await subscribe(client, ['+/money', '#'], 1);
    await send(client, '$price/money', 'x', 1, true);
    await ping(client);
    expect(heard(client)).toEqual([]);
    await subscribe(client, ['$price/#'], 1);
    await hears(client, 1);
    await send(client, '$price/money', '', 1, true);
  });

  it('unsubscribe: ends what it names and nothing else', async () => {
    const client = await connect('fickle');
    await subscribe(client, ['un/a', 'un/b', 'un/c'], 2);
    await client.write(Buffer.from([0xa2, 8, 0, 3, 0, 4, ...Buffer.from('un/a')]));
    await client.until(() => client.of(UNSUBACK).length === 1);
    const sender = await connect('sender');
    for (const topic of ['un/a', 'un/b', 'un/c']) await send(sender, topic, topic, 1);
    await hears(client, 2);
    expect(heard(client).map(({ payload }) => payload)).toEqual(['un/b', 'un/c']);
  });

  it('zero-length client id: gets one of its own for a clean session, and 2 for one that is to last', async () => {
    expect((await connect('', { clean: true })).returnCode).toBe(0);
    const lasting = await connect('', { clean: false });
    expect(lasting.returnCode).toBe(2);
    await lasting.until(() => lasting.closed);
  });
});
