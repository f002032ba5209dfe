/**
 * Worker thread entry: an aedes broker on a TCP port. Bounds packets and connections itself, since aedes bounds
 * neither. What a client sends may cost that client its connection, never this thread.
 */
import { timingSafeEqual } from 'node:crypto';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { parentPort, workerData } from 'node:worker_threads';
import { Aedes, type AuthenticateError } from 'aedes';
import type { BrokerOptions, BrokerReport } from './embedded-broker.js';
import { PacketGuard } from './packet-guard.js';

const options = workerData as BrokerOptions;
const report = (message: BrokerReport) => parentPort?.postMessage(message);

const same = (a: string, b: string): boolean => {
  const [left, right] = [Buffer.from(a), Buffer.from(b)];
  return left.length === right.length && timingSafeEqual(left, right);
};

const broker = await Aedes.createBroker({
  drainTimeout: 1000,
  connectTimeout: 10_000,
  authenticate: (_client, username, password, done) => {
    const { username: user, password: secret } = options;
    if (user === undefined) return done(null, true);
    if (same(username ?? '', user) && same(password?.toString() ?? '', secret ?? '')) return done(null, true);
    // 4 is MQTT's "bad user name or password".
    return done(
      Object.assign(new Error('bad user name or password'), { returnCode: 4 }) as AuthenticateError,
      null,
    );
  },
  authorizePublish: (_client, packet, done) =>
    done(packet.topic.startsWith('$') ? new Error('topics that begin with $ belong to the broker') : null),
});

broker.on('clientError', () => report({ type: 'count', reason: 'client_error' }));
broker.on('connectionError', () => report({ type: 'count', reason: 'connection_error' }));

function welcome(socket: Socket): void {
  const guard = new PacketGuard(options.maxPacketBytes);
  socket.setNoDelay(true);
  socket.on('error', () => {});
  broker.handle(socket);
  // aedes reads by `read()`, which also emits what it returns: the guard sees every byte without a second stream.
  socket.on('data', (chunk: Buffer) => {
    if (guard.accept(chunk)) return;
    report({ type: 'count', reason: 'bad_packet' });
    socket.destroy();
  });
}

const server = createServer(welcome);
server.maxConnections = options.maxConnections;
server.on('drop', () => report({ type: 'count', reason: 'too_many_connections' }));
server.on('error', (error: NodeJS.ErrnoException) =>
  report({ type: 'failed', code: error.code ?? 'UNKNOWN', message: error.message }),
);
server.listen(options.port, options.host, () =>
  report({ type: 'listening', port: (server.address() as AddressInfo).port }),
);

parentPort?.on('message', () => {
  server.close();
  broker.close(() => process.exit(0));
});
