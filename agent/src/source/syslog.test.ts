/** The syslog listener on real sockets: all three ways in, who may send, and every bound. */
import { execFileSync } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import { afterEach, describe, expect, it } from 'vitest';
import { Counters } from '../counters.js';
import { until, withFolder } from '../test-support.js';
import { type SyslogConfig, SyslogSource, syslog } from './syslog.js';

const configOf = (settings: object): SyslogConfig => syslog.schema.parse({ type: 'syslog', ...settings });

/** Takes everything that comes, unless it is told to hold. */
class Receiver {
  readonly lines: string[] = [];
  readonly devices = new Set<string | undefined>();
  readonly counters = new Counters();
  readonly source: SyslogSource;
  holding: Promise<void> = Promise.resolve();
  private readonly abort = new AbortController();
  readonly done: Promise<void>;

  constructor(settings: object) {
    this.source = new SyslogSource({ config: configOf(settings), counters: this.counters });
    this.done = this.run();
    this.done.catch(() => {});
  }

  private async run(): Promise<void> {
    for await (const { bytes, device } of this.source.chunks(this.abort.signal)) {
      this.devices.add(device);
      const text = Buffer.from(bytes).toString();
      expect(text.endsWith('\n')).toBe(true);
      this.lines.push(...text.slice(0, -1).split('\n'));
      await this.holding;
    }
  }

  async port(kind: string): Promise<number> {
    const pattern = new RegExp(`${kind} \\S+:([1-9]\\d*)`);
    return Number((await until(`${kind} to listen`, () => pattern.exec(this.source.detail)))[1]);
  }

  async stop(): Promise<void> {
    this.abort.abort();
    await this.done;
  }
}

let receiver: Receiver;
afterEach(() => receiver?.stop().catch(() => {}));

async function stream(port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => {});
  await once(socket, 'connect');
  return socket;
}

describe('SyslogSource', () => {
  it('takes datagrams, without what senders put at their end, and says who sent them', async () => {
    receiver = new Receiver({ udp_port: 0 });
    const socket = createSocket('udp4');
    const port = await receiver.port('udp');
    for (const text of ['<13>one\n', '<13>two\r\n\0', '<13>th\nree']) socket.send(text, port, '127.0.0.1');
    await until('three lines', () => receiver.lines.length === 3);
    expect(receiver.lines.sort()).toEqual(['<13>one', '<13>th ree', '<13>two']);
    expect([...receiver.devices]).toEqual(['127.0.0.1']);
    socket.close();
  });

  it('still tells at its end what it took before, and no more than its time allows', async () => {
    receiver = new Receiver({ tcp_port: 0 });
    let release = () => {};
    receiver.holding = new Promise((resolve) => {
      release = resolve;
    });
    const socket = await stream(await receiver.port('tcp'));
    socket.write('<13>first\n');
    await until('the first', () => receiver.lines.length === 1);
    socket.write('<13>second\n<13>third\n');
    await until('the others', () => receiver.source.waitingBytes > 20);
    const stopped = receiver.stop();
    release();
    await stopped;
    expect(receiver.lines).toEqual(['<13>first', '<13>second', '<13>third']);
    socket.destroy();
  });

  it('takes both framings over TCP, each connection in its own', async () => {
    receiver = new Receiver({ tcp_port: 0 });
    const port = await receiver.port('tcp');
    const [lines, counted] = await Promise.all([stream(port), stream(port)]);
    lines.write('<13>a\n<13>b');
    counted.write('5 <13>c6 <1');
    counted.write('3>d\n');
    lines.end();
    await until('four lines', () => receiver.lines.length === 4);
    expect(receiver.lines.sort()).toEqual(['<13>a', '<13>b', '<13>c', '<13>d']);
    counted.destroy();
  });

  it('takes TLS, and only from who shows a certificate of the given authority', () =>
    withFolder(async (folder) => {
      const [cert, key] = [join(folder, 'cert.pem'), join(folder, 'key.pem')];
      const subject = ['-subj', '/CN=localhost', '-days', '2', '-nodes', '-newkey', 'rsa:2048'];
      execFileSync('openssl', ['req', '-x509', ...subject, '-keyout', key, '-out', cert], {
        stdio: 'ignore',
      });
      const tls = { cert_file: cert, key_file: key, client_ca_file: cert };
      receiver = new Receiver({ tls_port: 0, tls });
      const port = await receiver.port('tls');
      const { readFileSync } = await import('node:fs');
      const own = { cert: readFileSync(cert), key: readFileSync(key) };
      const stranger = connectTls({ port, host: '127.0.0.1', rejectUnauthorized: false });
      stranger.on('error', () => {});
      stranger.write('<13>stranger\n');
      await until('the refusal', () => receiver.counters.get('syslog_tls_errors') > 0);
      const known = connectTls({ port, host: '127.0.0.1', rejectUnauthorized: false, ...own });
      known.write('<13>known\n');
      await until('the line', () => receiver.lines.length > 0);
      expect(receiver.lines).toEqual(['<13>known']);
      stranger.destroy();
      known.destroy();
    }));

  it('ends at once with a handshake that hangs, resets in mid-message and what was not closed', () =>
    withFolder(async (folder) => {
      const [cert, key] = [join(folder, 'cert.pem'), join(folder, 'key.pem')];
      const subject = ['-subj', '/CN=localhost', '-days', '2', '-nodes', '-newkey', 'rsa:2048'];
      execFileSync('openssl', ['req', '-x509', ...subject, '-keyout', key, '-out', cert], {
        stdio: 'ignore',
      });
      receiver = new Receiver({ tcp_port: 0, tls_port: 0, tls: { cert_file: cert, key_file: key } });
      const [tcp, tls] = [await receiver.port('tcp'), await receiver.port('tls')];
      const hanging = await stream(tls);
      const broken = await stream(tls);
      broken.write(Buffer.from('16030100ff', 'hex'));
      broken.resetAndDestroy();
      const reset = await stream(tcp);
      reset.write('<13>whole\n<13>ha');
      await until('the whole line', () => receiver.lines.length === 1);
      reset.resetAndDestroy();
      const half = await stream(tcp);
      half.write('9 <13>');
      await receiver.stop();
      await until('their end', () => hanging.destroyed && half.destroyed);
      expect(receiver.lines).toEqual(['<13>whole']);
    }));

  it('refuses senders that are not allowed, and counts them', async () => {
    receiver = new Receiver({ udp_port: 0, tcp_port: 0, allow: ['10.0.0.0/8', 'fd00::/8'] });
    const [udp, tcp] = [await receiver.port('udp'), await receiver.port('tcp')];
    const socket = createSocket('udp4');
    socket.send('<13>x', udp, '127.0.0.1');
    const connection = await stream(tcp);
    await once(connection, 'close');
    await until('two refusals', () => receiver.counters.get('syslog_refused_senders') === 2);
    expect(receiver.lines).toEqual([]);
    socket.close();
  });

  it('takes no more connections than it may, and ends idle ones', async () => {
    receiver = new Receiver({ tcp_port: 0, max_connections: 2, idle_timeout_seconds: 1 });
    const port = await receiver.port('tcp');
    const kept = await Promise.all([stream(port), stream(port)]);
    const refused = await stream(port);
    await once(refused, 'close');
    expect(receiver.counters.get('syslog_refused_connections')).toBe(1);
    await Promise.all(kept.map((socket) => once(socket, 'close')));
    const later = await stream(port);
    later.write('<13>later\n');
    await until('the line', () => receiver.lines.length === 1);
    later.destroy();
  });

  it('passes over lines that are too long, ends connections that cannot count, and counts both', async () => {
    receiver = new Receiver({ tcp_port: 0, max_line_bytes: 480 });
    const port = await receiver.port('tcp');
    const socket = await stream(port);
    socket.write(`<13>${'x'.repeat(10_000)}\n<13>short\n`);
    const lost = await stream(port);
    lost.write('5 <13>axx <13>');
    await once(lost, 'close');
    await until('the short line', () => receiver.lines.includes('<13>short'));
    expect(receiver.counters.get('syslog_too_long')).toBe(1);
    expect(receiver.counters.get('syslog_framing_errors')).toBe(1);
    socket.destroy();
  });

  it('lets streams wait and drops datagrams, counted, when its lines are not taken', async () => {
    receiver = new Receiver({ udp_port: 0, tcp_port: 0, queue_bytes: 64 * 1024 });
    const [udp, tcp] = [await receiver.port('udp'), await receiver.port('tcp')];
    let release = () => {};
    receiver.holding = new Promise((resolve) => {
      release = resolve;
    });
    const socket = createSocket('udp4');
    const message = `<13>${'u'.repeat(1000)}`;
    await until('dropped datagrams', () => {
      socket.send(message, udp, '127.0.0.1');
      return receiver.counters.get('syslog_dropped') > 0;
    });
    const dropped = receiver.counters.get('syslog_dropped');
    const connection = await stream(tcp);
    const count = 20_000;
    connection.end(`${Array.from({ length: count }, (_, index) => `<13>t${index}`).join('\n')}\n`);
    release();
    const streamed = () => receiver.lines.filter((line) => line.startsWith('<13>t'));
    await until('every streamed line', () => streamed().length === count);
    expect(streamed()).toEqual(Array.from({ length: count }, (_, index) => `<13>t${index}`));
    expect(receiver.counters.get('syslog_dropped')).toBeGreaterThanOrEqual(dropped);
    socket.close();
  });

  it('says so when the port is taken', async () => {
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as { port: number };
    receiver = new Receiver({ tcp_port: port });
    await expect(receiver.done).rejects.toThrow(/cannot listen on tcp 127\.0\.0\.1:\d+: another program/);
    server.close();
  });

  it.each(['udp', 'tcp'])('says so when its address is not there (%s)', async (kind) => {
    receiver = new Receiver({ [`${kind}_port`]: 0, host: '192.0.2.77' });
    await expect(receiver.done).rejects.toThrow(/has no such address now/);
  });
});

describe('settings of syslog', () => {
  it.each([
    [{}, /at least one of/],
    [{ tls_port: 6514 }, /needs a certificate/],
    [{ udp_port: 5514, host: 'localhost' }, /must be an IP address/],
    [{ udp_port: 5514, allow: ['10.0.0.0/99'] }, /an address or a network/],
    [{ udp_port: 5514, max_line_bytes: 10 }, /480/],
  ])('refuse %j', (settings, message) => {
    expect(() => configOf(settings)).toThrow(message);
  });

  it('stay on loopback unless they say otherwise', () => {
    expect(configOf({ udp_port: 514 }).host).toBe('127.0.0.1');
  });
});
