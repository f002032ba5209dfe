/** What the link logs of a broker that comes and goes: a real socket that takes every connection and ends it soon. */
import { createServer, type Server, type Socket } from 'node:net';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { MqttLink } from './mqtt-link.js';

const CONNACK = Buffer.from([0x20, 2, 0, 0]);

let server: Server;
let connections: number;
let link: MqttLink;
const lines: string[] = [];

beforeEach(async () => {
  connections = 0;
  lines.length = 0;
  server = createServer((socket: Socket) => {
    connections++;
    socket.on('error', () => {});
    socket.once('data', () => socket.write(CONNACK, () => setTimeout(() => socket.destroy(), 20)));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const told = (_detail: object, message: string) => void lines.push(message);
  link = new MqttLink({
    clientId: 'collector-1',
    me: {
      ...{ instance: 'a'.repeat(16), host: 'h', pid: 1, address: '', version: '0.1.0' },
      started_at: '2026-01-01T00:00:00.000Z',
    },
    onMessage: () => {},
    onConnect: () => {},
    onDisconnect: () => {},
    onStandby: () => {},
    log: { info: told, warn: told },
  });
  link.start(`mqtt://127.0.0.1:${(server.address() as { port: number }).port}`);
});

afterEach(async () => {
  await link.stop();
  server.close();
});

it('a broker that takes and ends every connection is called flapping once, and then no more', async () => {
  await expect.poll(() => connections, { timeout: 20_000, interval: 100 }).toBeGreaterThan(7);
  const lost = 'the connection to the broker is lost: trying again';
  const connected = 'connected to the broker';
  expect(lines).toEqual([
    ...[connected, lost, connected, lost, connected],
    expect.stringMatching(/^the broker comes and goes \(3 times in \d s\): more of that is only counted$/),
  ]);
}, 30_000);
