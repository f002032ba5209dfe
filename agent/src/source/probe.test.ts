/** Round trips to real servers on loopback: each kind of target, what it says when it fails, and what comes of it. */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createServer as createHttpServer } from 'node:http';
import { type AddressInfo, createServer } from 'node:net';
import { describe, expect, it } from 'vitest';
import { systemClock } from '../clock.js';
import { Counters } from '../counters.js';
import { lost, type Reply, unmeasured } from '../reply.js';
import { silentLog } from '../test-support.js';
import { ProbeSource, probe } from './probe.js';
import { dnsAnswer, dnsQuery } from './probe-dns.js';
import { pingReply } from './probe-ping.js';
import { asker, type Target } from './probe-target.js';

const tools = { clock: systemClock, random: () => 0.5 };
const ask = (target: Target, timeoutMs = 2_000) => asker(target, tools)(timeoutMs);
const answered = (error: string | null, latencyMs: unknown = expect.any(Number)) => ({
  kind: 'answered',
  latencyMs,
  error,
});
const PING = ['/usr/bin/ping', '/bin/ping'].find((path) => existsSync(path));

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/** Answers with these flags, under these ids, to every query. */
async function nameServer(answers: (query: Buffer) => Buffer[]) {
  const socket = createSocket('udp4');
  socket.on('message', (query, { port, address }) => {
    for (const answer of answers(query)) socket.send(answer, port, address);
  });
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  return { server: `127.0.0.1:${socket.address().port}`, close: () => socket.close() };
}

function answerTo(query: Buffer, code: number, id = query.readUInt16BE(0)): Buffer {
  const answer = Buffer.from(query);
  answer.writeUInt16BE(id, 0);
  answer.writeUInt16BE(0x8180 | code, 2);
  return answer;
}

describe('one round trip', () => {
  it('by TCP takes as long as the handshake, and fails where nobody listens', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    expect(await ask({ type: 'tcp', address: `127.0.0.1:${port}` })).toEqual(answered(null));
    server.close();
    const refused = await ask({ type: 'tcp', address: `127.0.0.1:${await freePort()}` });
    expect(refused).toEqual(lost('connrefused'));
  });

  it('by HTTP tells a bad status beside the time, and why there is no answer', async () => {
    const server = createHttpServer(({ url }, response) => {
      if (url === '/silent') return;
      response.writeHead(url === '/bad' ? 503 : 200).end();
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    expect(await ask({ type: 'http', url: `${base}/` })).toEqual(answered(null));
    expect(await ask({ type: 'http', url: `${base}/bad` })).toEqual(answered('503'));
    expect(await ask({ type: 'http', url: `${base}/silent` }, 50)).toEqual(lost('timeout'));
    server.close();
    server.closeAllConnections();
    const gone = await ask({ type: 'http', url: `http://127.0.0.1:${await freePort()}/` });
    expect(gone).toEqual(lost('connrefused'));
  });

  it('by DNS takes only the answer to its own question', async () => {
    const wrongFirst = await nameServer((query) => [
      answerTo(query, 0, query.readUInt16BE(0) ^ 1),
      dnsQuery(query.readUInt16BE(0), 'example.org'),
      answerTo(query, 3),
    ]);
    const reply = await ask({ type: 'dns', server: wrongFirst.server, query: 'example.org' });
    expect(reply).toEqual(answered('nxdomain'));
    wrongFirst.close();
    const silent = await nameServer(() => []);
    const none = await ask({ type: 'dns', server: silent.server, query: 'example.org' }, 50);
    expect(none).toEqual(lost('timeout'));
    silent.close();
  });

  it.skipIf(!PING)('by the program ping reaches this machine (skipped where there is none)', async () => {
    const reply = await ask({ type: 'icmp', address: '127.0.0.1', program: PING });
    // Where the system lets nobody ping, that is what it says.
    if (reply.kind !== 'unmeasured') expect(reply).toEqual(answered(null));
    const none = await ask({ type: 'icmp', address: '127.0.0.1', program: '/nonexistent/ping' });
    expect(none).toEqual(unmeasured('no_ping_program'));
  });
});

describe('what ping says', () => {
  it.each<[string, number | null, Reply | ReturnType<typeof answered>]>([
    ['64 bytes from 192.0.2.1: icmp_seq=1 ttl=64 time=0.143 ms', 0, answered(null, 0.143)],
    ['64 bytes from 192.0.2.1: seq=0 ttl=64 time<1 ms', 0, answered(null, 1)],
    ['1 packets transmitted, 0 received, 100% packet loss', 1, lost('timeout')],
    ['1 packets transmitted, 0 packets received, 100.0% packet loss', 2, lost('timeout')],
    ['64 bytes from 192.0.2.1: icmp_seq=1 ttl=64 time=2500 ms', 0, lost('timeout')],
    ['From 192.0.2.9 icmp_seq=1 Destination Host Unreachable', 1, lost('unreachable')],
    ['ping: connect: Network is unreachable', 2, lost('unreachable')],
    ['ping: sendto: No route to host\n1 packets transmitted, 0 received', 1, lost('unreachable')],
    ['ping: socket: Operation not permitted', 2, unmeasured('not_permitted')],
    ['ping: permission denied (are you root?)', 1, unmeasured('not_permitted')],
    ['ping: sendmsg: Operation not permitted\n1 packets transmitted', 1, unmeasured('not_permitted')],
    ['ping: usage error', 2, unmeasured('ping_failed')],
    ['', 1, unmeasured('ping_failed')],
    ['', null, unmeasured('ping_ended')],
  ])('%s (%s)', (output, code, reply) => {
    expect(pingReply(output, code, 2_000)).toEqual(reply);
  });
});

describe('DNS messages', () => {
  it('are asked and recognised as RFC 1035 says', () => {
    const query = dnsQuery(0x1234, 'a.example.org.');
    expect(query.toString('hex')).toBe(
      '12340100000100000000000001610765786d706c65036f72670000010001'.replace('65786d', '6578616d'),
    );
    expect(dnsAnswer(answerTo(query, 0), 0x1234, 'A.EXAMPLE.org')).toEqual({ error: null });
    expect(dnsAnswer(answerTo(query, 2), 0x1234, 'a.example.org')).toEqual({ error: 'servfail' });
    for (const wrong of [query, Buffer.alloc(0), answerTo(query, 0).subarray(0, 20)]) {
      expect(dnsAnswer(wrong, 0x1234, 'a.example.org')).toBeNull();
    }
    expect(dnsAnswer(answerTo(query, 0), 0x1234, 'b.example.org')).toBeNull();
  });
});

describe('ProbeSource', () => {
  it('gives a record a target and interval with mean latency, loss and error', async () => {
    const server = createServer((socket) => socket.destroy()).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const config = probe.schema.parse({
      type: 'probe',
      interval_seconds: 1,
      timeout_seconds: 0.2,
      targets: [
        { name: 'up', type: 'tcp', address: `127.0.0.1:${port}` },
        { name: 'down', type: 'tcp', address: `127.0.0.1:${await freePort()}` },
      ],
    });
    const counters = new Counters();
    const abort = new AbortController();
    const source = new ProbeSource({ config, clock: systemClock, random: () => 0, log: silentLog, counters });
    const records = new Map<string, Record<string, unknown>>();
    for await (const { bytes } of source.chunks(abort.signal)) {
      for (const line of Buffer.from(bytes).toString().trim().split('\n')) {
        const record = JSON.parse(line);
        records.set(record.device_id, record);
      }
      if (records.size === 2) abort.abort();
    }
    expect(records.get('up')).toMatchObject({ packet_loss_pct: 0, latency_ms: expect.any(Number) });
    expect(records.get('up')).not.toHaveProperty('error_code');
    expect(records.get('down')).toMatchObject({ packet_loss_pct: 100, error_code: 'connrefused' });
    expect(records.get('down')).not.toHaveProperty('latency_ms');
    expect(counters.get('probe_failures')).toBe(3);
    server.close();
  });

  it.each([
    [{ targets: [] }, /targets/],
    [{ targets: [{ name: 'a', type: 'icmp', address: '-f' }] }, /host name or address/],
    [{ targets: [{ name: 'a', type: 'http', url: 'file:///etc/passwd' }] }, /Invalid URL/],
    [{ targets: [{ name: 'a', type: 'dns', server: '192.0.2.1', query: 'a b' }] }, /host name/],
    [{ targets: [{ name: 'a', type: 'tcp', address: 'a:1' }], timeout_seconds: 9 }, /not be longer than/],
    [{ targets: [{ name: 'a', type: 'tcp', address: 'a:70000' }] }, /from 1 to 65535/],
    [{ targets: [{ name: 'a', type: 'dns', server: '192.0.2.1:0', query: 'a' }] }, /from 1 to 65535/],
    [{ targets: [{ name: 'a', type: 'dns', server: '[::1]:99999', query: 'a' }] }, /from 1 to 65535/],
  ])('refuses %j', (settings, message) => {
    expect(() => probe.schema.parse({ type: 'probe', ...settings })).toThrow(message);
  });
});
