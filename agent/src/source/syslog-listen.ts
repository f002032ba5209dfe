/**
 * Sockets that take syslog messages: UDP (one a datagram), TCP and TLS (framed as RFC 6587 says). Connections are
 * bounded in number, idle ones end; a full queue makes streams wait and drops datagrams, counted.
 */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { type AddressInfo, type BlockList, createServer, isIPv6, type Server, type Socket } from 'node:net';
import type { Counters } from '../counters.js';
import type { LineQueue } from './line-queue.js';
import { SyslogFraming } from './syslog-framing.js';

export interface ListenOptions {
  host: string;
  port: number;
  queue: LineQueue;
  counters: Counters;
  /** Null: everybody who can reach the socket. */
  allowed: BlockList | null;
  maxConnections: number;
  maxLineBytes: number;
  idleTimeoutMs: number;
  onError: (error: Error) => void;
}

export interface TlsFiles {
  cert_file: string;
  key_file: string;
  /** Senders must show a certificate signed by this one. */
  client_ca_file?: string | undefined;
}

export interface Listener {
  port: number;
  /** Called when the queue has room again. */
  resume(): void;
  close(): void;
}

/** Of the system's buffer, so that a burst is not lost before it is read. */
const UDP_BUFFER_BYTES = 1024 * 1024;

export async function listenUdp(options: ListenOptions): Promise<Listener> {
  const { host, port, queue, counters, onError } = options;
  const socket = createSocket({ type: isIPv6(host) ? 'udp6' : 'udp4', recvBufferSize: UDP_BUFFER_BYTES });
  socket.on('error', onError);
  socket.on('message', (message, { address }) => {
    if (!isAllowed(options, address)) return;
    if (message.length > options.maxLineBytes) counters.add('syslog_too_long');
    else if (!queue.add(senderOf(address), message, false)) counters.add('syslog_dropped');
  });
  socket.bind(port, host);
  await once(socket, 'listening').catch((error) => {
    socket.close();
    throw clearer('udp', options, error);
  });
  return { port: socket.address().port, resume: () => {}, close: () => socket.close() };
}

export async function listenTcp(options: ListenOptions, tls: TlsFiles | null): Promise<Listener> {
  const sockets = new Set<Socket>();
  /** Whose handshake hangs is no sender yet, and has to go all the same when the listener closes. */
  const opening = new Set<Socket>();
  const take = (socket: Socket) => takeStream(socket, sockets, options);
  const server = tls ? await tlsServer(tls, take, opening, options) : createServer(take);
  server.on('error', options.onError);
  // Handshakes that are not done count as well.
  server.maxConnections = options.maxConnections;
  server.on('drop', () => options.counters.add('syslog_refused_connections'));
  server.listen(options.port, options.host);
  const kind = tls ? 'tls' : 'tcp';
  await once(server, 'listening').catch((error) => Promise.reject(clearer(kind, options, error)));
  return {
    port: (server.address() as AddressInfo).port,
    resume: () => {
      for (const socket of sockets) socket.resume();
    },
    close: () => {
      server.close();
      for (const socket of [...opening, ...sockets]) socket.destroy();
    },
  };
}

async function tlsServer(
  files: TlsFiles,
  take: (socket: Socket) => void,
  opening: Set<Socket>,
  { idleTimeoutMs, counters }: ListenOptions,
): Promise<Server> {
  const read = (path: string | undefined) => (path === undefined ? undefined : readFile(path));
  const [cert, key, ca] = await Promise.all(
    [files.cert_file, files.key_file, files.client_ca_file].map(read),
  );
  const { createServer: createTlsServer } = await import('node:tls');
  const server = createTlsServer(
    { cert, key, ...(ca ? { ca, requestCert: true, rejectUnauthorized: true } : {}) },
    take,
  );
  server.on('tlsClientError', () => counters.add('syslog_tls_errors'));
  server.on('connection', (socket) => {
    opening.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => opening.delete(socket));
    socket.setTimeout(idleTimeoutMs, () => socket.destroy());
  });
  return server;
}

function takeStream(socket: Socket, sockets: Set<Socket>, options: ListenOptions): void {
  const { queue, counters, maxLineBytes, idleTimeoutMs } = options;
  const address = socket.remoteAddress ?? '';
  // A sender that goes away in mid-message is no fault of ours.
  socket.on('error', () => {});
  if (!isAllowed(options, address)) {
    socket.destroy();
    return;
  }
  const framing = new SyslogFraming(maxLineBytes);
  const sender = senderOf(address);
  const add = (message: Buffer) => queue.add(sender, message, true);
  sockets.add(socket);
  socket.setTimeout(idleTimeoutMs, () => socket.destroy());
  socket.on('data', (bytes: Buffer) => {
    try {
      for (const message of framing.push(bytes)) add(message);
    } catch {
      counters.add('syslog_framing_errors');
      socket.destroy();
    }
    counters.add('syslog_too_long', framing.tooLong);
    framing.tooLong = 0;
    if (queue.isHalfFull) socket.pause();
  });
  socket.on('end', () => {
    const last = framing.end();
    if (last) add(last);
  });
  socket.on('close', () => sockets.delete(socket));
}

function isAllowed({ allowed, counters }: ListenOptions, address: string): boolean {
  const sender = senderOf(address);
  if (!allowed || allowed.check(sender, isIPv6(sender) ? 'ipv6' : 'ipv4')) return true;
  counters.add('syslog_refused_senders');
  return false;
}

/** An IPv4 address that came in by an IPv6 socket is told as it is written elsewhere. */
function senderOf(address: string): string {
  return address.replace(/^::ffff:(?=\d+\.)/i, '');
}

function clearer(kind: string, { host, port }: ListenOptions, error: NodeJS.ErrnoException): Error {
  const advice =
    error.code === 'EACCES'
      ? ': ports under 1024 need a permission (CAP_NET_BIND_SERVICE)'
      : error.code === 'EADDRINUSE'
        ? ': another program listens there'
        : error.code === 'EADDRNOTAVAIL'
          ? ': this machine has no such address now'
          : `: ${error.message}`;
  return new Error(`cannot listen on ${kind} ${host}:${port}${advice}`);
}
