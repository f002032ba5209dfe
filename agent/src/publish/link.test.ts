/** The round trip to the broker, as the link tells it: an answer, a loss, or unknown. */
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { systemClock } from '../clock.js';
import { Counters } from '../counters.js';
import { lost, unmeasured } from '../reply.js';
import { TestBroker } from '../test-broker.js';
import { silentLog, until } from '../test-support.js';
import { Link } from './link.js';

let link: Link | null = null;
let server: Server | null = null;
const sockets = new Set<Socket>();

afterEach(async () => {
  await link?.stop(0);
  link = null;
  for (const socket of sockets) socket.destroy();
  server?.close();
  server = null;
});

function linkTo(url: string): Link {
  link = new Link({
    url,
    agent: 'gw-1',
    subscriptions: ['lineheron/v1/gw-1/ack'],
    clock: systemClock,
    random: () => 0.5,
    log: silentLog,
    counters: new Counters(),
    onConnect: () => {},
    onSubscribed: () => {},
    onMessage: () => {},
  });
  return link;
}

/** Passes everything on to the broker until it is told to swallow it. */
async function betweenThem(broker: TestBroker) {
  const { connect } = await import('node:net');
  const state = { swallow: false };
  server = createServer((near) => {
    const far = connect(broker.port, '127.0.0.1');
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(from);
      from.on('error', () => {}).on('data', (bytes) => state.swallow || to.write(bytes));
      from.on('close', () => to.destroy());
    }
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { state, url: `mqtt://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

describe('the round trip to the broker', () => {
  it('is unknown before anybody has tried', async () => {
    expect(await linkTo('mqtt://127.0.0.1:1').roundTrip(50)).toEqual(unmeasured('not_connected'));
  });

  it('is unknown while a broker refuses: the line carried its refusal', async () => {
    const closed = createServer().listen(0, '127.0.0.1');
    await once(closed, 'listening');
    const { port } = closed.address() as AddressInfo;
    closed.close();
    const refused = linkTo(`mqtt://127.0.0.1:${port}`);
    refused.start();
    await systemClock.sleep(100);
    expect(await refused.roundTrip(50)).toEqual(unmeasured('not_connected'));
  });

  it('is lost while nothing comes back, and stays so without a connection until something does', async () => {
    const broker = await TestBroker.start('gw-1');
    const { state, url } = await betweenThem(broker);
    const silent = linkTo(url);
    silent.start();
    await until('a connection', () => silent.connected);
    expect(await silent.roundTrip(2_000)).toMatchObject({ kind: 'answered', error: null });
    state.swallow = true;
    expect(await silent.roundTrip(50)).toEqual(lost('timeout'));
    for (const socket of sockets) socket.destroy();
    await until('the end', () => !silent.connected);
    expect(await silent.roundTrip(50)).toEqual(lost('timeout'));
    state.swallow = false;
    await until('a connection', () => silent.connected);
    expect(await silent.roundTrip(2_000)).toMatchObject({ kind: 'answered' });
    await broker.stop();
  });
});
