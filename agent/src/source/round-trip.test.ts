/**
 * Round trips under bad conditions: nobody answers, the other end breaks off at any moment, names cannot be looked up,
 * the machine has nothing left to measure with, sockets fail twice, clocks jump. Each settles once, in time, as an
 * answer, a loss or unknown; nothing is ever thrown past it.
 */
import { createSocket, Socket as UdpSocket } from 'node:dgram';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { type Clock, systemClock } from '../clock.js';
import { lost, type Reply, replyOfError, unmeasured } from '../reply.js';
import { NameLookup } from './name-lookup.js';
import { asker, type Target } from './probe-target.js';
import { settled, tcpRoundTrip, timely } from './round-trip.js';

const ask = (target: Target, timeoutMs = 150, clock: Clock = systemClock) =>
  asker(target, { clock, random: () => 0.5 })(timeoutMs);

const open: { close: () => void }[] = [];
afterEach(() => {
  for (const one of open.splice(0)) one.close();
});

/** A server that does with its connections what it is told; returns its address. */
async function peer(behave: (socket: Socket) => void): Promise<string> {
  const sockets = new Set<Socket>();
  const server: Server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    behave(socket);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  open.push({
    close: () => {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  });
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** Port of a UDP socket that is closed again: whoever sends there is refused. */
async function closedUdpPort(): Promise<number> {
  const socket = createSocket('udp4').bind(0, '127.0.0.1');
  await once(socket, 'listening');
  const { port } = socket.address();
  socket.close();
  return port;
}

describe('a peer that is half there', () => {
  const speaking = (behave: (socket: Socket) => void) => (socket: Socket) => {
    socket.once('data', () => behave(socket));
  };

  it.each<[string, 'http' | 'https', (socket: Socket) => void, Reply | object]>([
    ['accepts and never answers', 'http', () => {}, lost('timeout')],
    ['closes at once', 'http', (socket) => socket.destroy(), lost('connreset')],
    ['resets in the middle', 'http', speaking((socket) => socket.resetAndDestroy()), lost('connreset')],
    ['sends half a header', 'http', speaking((socket) => socket.write('HTTP/1.1 200')), lost('timeout')],
    ['ends within the header', 'http', speaking((socket) => socket.end('HTTP/1.1 2')), lost('connreset')],
    [
      'speaks no HTTP',
      'http',
      speaking((socket) => socket.end('SSH-2.0-OpenSSH\r\n')),
      { kind: 'answered', latencyMs: null, error: expect.stringMatching(/^hpe_/) },
    ],
    [
      'breaks off in the body',
      'http',
      speaking((socket) => {
        socket.write('HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\nab');
        socket.resetAndDestroy();
      }),
      expect.anything(),
    ],
    ['hangs in the TLS handshake', 'https', () => {}, lost('timeout')],
    ['closes in the TLS handshake', 'https', speaking((socket) => socket.end()), lost('connreset')],
    [
      'speaks no TLS',
      'https',
      speaking((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n')),
      { kind: 'answered', latencyMs: null, error: expect.any(String) },
    ],
  ])('and %s (%s) gives one reply in time', async (_, scheme, behave, reply) => {
    const address = await peer(behave);
    const startMs = performance.now();
    expect(await ask({ type: 'http', url: `${scheme}://${address}/` })).toEqual(reply);
    expect(performance.now() - startMs).toBeLessThan(2_000);
  });

  it('is lost to DNS when it refuses, and when it is silent', async () => {
    const refusing = {
      type: 'dns',
      server: `127.0.0.1:${await closedUdpPort()}`,
      query: 'a.example',
    } as const;
    expect(await ask(refusing)).toEqual(lost('connrefused'));
    const silent = createSocket('udp4').bind(0, '127.0.0.1');
    open.push(silent);
    await once(silent, 'listening');
    const server = `127.0.0.1:${silent.address().port}`;
    expect(await ask({ type: 'dns', server, query: 'a.example' })).toEqual(lost('timeout'));
  });

  it('answers late, to nobody', async () => {
    const server = createSocket('udp4').bind(0, '127.0.0.1');
    open.push(server);
    await once(server, 'listening');
    let answered = 0;
    server.on('message', (query, { port, address }) => {
      setTimeout(() => server.send(query, port, address, () => (answered += 1)), 80);
    });
    const address = `127.0.0.1:${server.address().port}`;
    expect(await ask({ type: 'dns', server: address, query: 'a.example' }, 40)).toEqual(lost('timeout'));
    while (answered === 0) await systemClock.sleep(10);
  });
});

describe('a round trip', () => {
  it('settles once, however often its socket fails afterwards', async () => {
    let freed = 0;
    const reply = await settled(1_000, (settle) => {
      settle(lost('connrefused'));
      settle(lost('netunreach'));
      setImmediate(() => settle(lost('timeout')));
      return () => {
        freed += 1;
      };
    });
    expect(reply).toEqual(lost('connrefused'));
    await systemClock.sleep(20);
    expect(freed).toBe(1);
  });

  it('that cannot even begin is unknown', async () => {
    const reply = await settled(1_000, () => {
      throw Object.assign(new Error('too many open files'), { code: 'EMFILE' });
    });
    expect(reply).toEqual(unmeasured('no_socket'));
    expect(await ask({ type: 'icmp', address: '127.0.0.1', program: 'a\0b' })).toMatchObject({
      kind: 'unmeasured',
    });
    expect(await ask({ type: 'tcp', address: '127.0.0.1:70000' })).toMatchObject({ kind: 'unmeasured' });
  });

  it('by a UDP socket that emits two errors is one loss', async () => {
    const connectTo = UdpSocket.prototype.connect;
    UdpSocket.prototype.connect = function (this: UdpSocket) {
      const fail = () => this.emit('error', Object.assign(new Error('gone'), { code: 'ENETUNREACH' }));
      process.nextTick(fail);
      setImmediate(fail);
    } as typeof connectTo;
    try {
      const target = { type: 'dns', server: '192.0.2.1', query: 'a.example' } as const;
      expect(await ask(target)).toEqual(lost('netunreach'));
      await systemClock.sleep(20);
    } finally {
      UdpSocket.prototype.connect = connectTo;
    }
  });

  it.each([
    ['ENETUNREACH', lost('netunreach')],
    ['EHOSTUNREACH', lost('hostunreach')],
    ['ECONNREFUSED', lost('connrefused')],
    ['ETIMEDOUT', lost('timeout')],
    ['EMFILE', unmeasured('no_socket')],
    ['ENOBUFS', unmeasured('no_socket')],
    ['EPERM', unmeasured('not_permitted')],
    ['EACCES', unmeasured('not_permitted')],
    ['EINVAL', unmeasured('failed_einval')],
    [undefined, unmeasured('failed')],
  ])('that fails by %s is a loss only where the line said so', (code, reply) => {
    expect(replyOfError(Object.assign(new Error('x'), { code }))).toEqual(reply);
  });

  it('to several addresses is lost when the line failed one of them', () => {
    const errors = ['EACCES', 'ENETUNREACH'].map((code) => Object.assign(new Error('x'), { code }));
    expect(replyOfError(new AggregateError(errors))).toEqual(lost('netunreach'));
  });
});

describe('a name', () => {
  const failing = (code: string) => async () => {
    throw Object.assign(new Error('no'), { code });
  };

  it.each([
    ['that no name server tells is unknown, no loss', failing('EAI_AGAIN'), 'no_name_server'],
    ['that exists nowhere is unknown, no loss', failing('ENOTFOUND'), 'unknown_host'],
    ['with no address is unknown, no loss', async () => [], 'no_name_server'],
    ['whose look-up hangs is unknown, no loss', () => new Promise<never>(() => {}), 'no_name_server'],
  ])('%s', async (_, lookup, why) => {
    const clock = systemClock;
    expect(await tcpRoundTrip('router.example:80', clock, lookup)(60)).toEqual(unmeasured(why));
    const tools = { clock, random: () => 0, lookup };
    expect(await asker({ type: 'http', url: 'http://router.example/' }, tools)(60)).toEqual(unmeasured(why));
    expect(await asker({ type: 'icmp', address: 'router.example' }, tools)(60)).toEqual(unmeasured(why));
    const dns = { type: 'dns', server: 'ns.example', query: 'a.example' } as const;
    expect(await asker(dns, tools)(60)).toEqual(unmeasured(why));
  });

  it('that was known is measured at its last address while the name server is away', async () => {
    let there = true;
    const lookup = () =>
      there ? Promise.resolve([{ address: '127.0.0.1', family: 4 }]) : new Promise<never>(() => {});
    const port = (await peer((socket) => socket.resume())).split(':')[1]!;
    const roundTrip = tcpRoundTrip(`router.example:${port}`, systemClock, lookup);
    expect(await roundTrip(500)).toMatchObject({ kind: 'answered' });
    there = false;
    const away = await roundTrip(500);
    expect(away).toMatchObject({ kind: 'answered' });
    expect((away as { latencyMs: number }).latencyMs).toBeLessThan(100);
    for (const one of open.splice(0)) one.close();
    expect(await roundTrip(500)).toEqual(lost('connrefused'));
  });

  it('is looked up once at a time, however long that hangs, and its late failure concerns nobody', async () => {
    let asked = 0;
    let fail: (error: Error) => void = () => {};
    const names = new NameLookup('router.example', () => {
      asked += 1;
      return new Promise((_, reject) => {
        fail = reject;
      });
    });
    for (let turn = 0; turn < 3; turn++)
      expect(await names.addresses(10)).toMatchObject({ kind: 'unmeasured' });
    expect(asked).toBe(1);
    fail(Object.assign(new Error('late'), { code: 'EAI_AGAIN' }));
    await systemClock.sleep(5);
    await names.addresses(10);
    expect(asked).toBe(2);
  });
});

describe('a clock that jumps', () => {
  const HOUR_MS = 3_600_000;

  /** Each round trip takes `tookMs`, and meanwhile the wall clock goes by `wallMs`. */
  function after(reply: Reply, tookMs: number, wallMs: number): Promise<Reply> {
    let [monotonicMs, nowMs] = [5_000, 1_800_000_000_000];
    const clock: Clock = { nowMs: () => nowMs, monotonicMs: () => monotonicMs, sleep: async () => {} };
    const took = async () => {
      monotonicMs += tookMs;
      nowMs += wallMs;
      return reply;
    };
    return timely(took, clock)(2_000);
  }
  const answer: Reply = { kind: 'answered', latencyMs: 20, error: null };

  it.each([
    ['forth by an hour', HOUR_MS],
    ['back by an hour', -HOUR_MS],
    ['forth by a day', 24 * HOUR_MS],
    ['back by a day', -24 * HOUR_MS],
  ])('%s changes no latency and no refusal', async (_, jumpMs) => {
    expect(await after(answer, 20, jumpMs)).toEqual(answer);
    expect(await after(lost('connrefused'), 20, jumpMs)).toEqual(lost('connrefused'));
  });

  it('makes no loss of a machine that slept, and none unknown that did not', async () => {
    expect(await after(lost('timeout'), 2_000, 2_000)).toEqual(lost('timeout'));
    expect(await after(lost('timeout'), 2_000, -HOUR_MS)).toEqual(lost('timeout'));
    expect(await after(lost('timeout'), 2_000, HOUR_MS)).toEqual(unmeasured('paused'));
    expect(await after(lost('timeout'), 9_000, 9_000)).toEqual(unmeasured('paused'));
    expect(await after(answer, 9_000, 9_000)).toEqual(unmeasured('paused'));
  });

  it('finds an answer that came while the process was busy', async () => {
    const address = await peer((socket) => socket.resume());
    const reply = ask({ type: 'tcp', address }, 30);
    const untilMs = performance.now() + 120;
    setImmediate(() => {
      while (performance.now() < untilMs);
    });
    expect(await reply).toMatchObject({ kind: 'answered' });
  });
});
