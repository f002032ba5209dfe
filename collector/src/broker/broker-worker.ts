/**
 * Worker thread entry: an aedes broker on a TCP port. Bounds packets and connections itself, since aedes bounds
 * neither. What a client sends may cost that client its connection, never this thread.
 */
import { timingSafeEqual } from 'node:crypto';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { parentPort, workerData } from 'node:worker_threads';
import { Aedes, type AuthenticateError, type Client } from 'aedes';
import type { BrokerOptions, BrokerReport } from './embedded-broker.js';
import { PacketGuard } from './packet-guard.js';
import { RetainedBound } from './retained-bound.js';

/** A client that reads nothing for so long is cut, since whoever publishes waits for it. */
const DRAIN_MS = 1000;

const options = workerData as BrokerOptions;
const report = (message: BrokerReport) => parentPort?.postMessage(message);

const same = (a: string, b: string): boolean => {
  const [left, right] = [Buffer.from(a), Buffer.from(b)];
  return left.length === right.length && timingSafeEqual(left, right);
};

const retained = new RetainedBound(options.retained);
/** The collector's own connections. */
const owners = new WeakSet<Client>();

/** Null when it may come in. Only who knows the secret may bear the owner's id: that would end the owner's session. */
function admit(client: Client, username: string, password: string): string | null {
  const { owner, username: user, password: secret } = options;
  if (owner && client.id === owner.clientId) {
    if (!same(password, owner.secret)) return 'this client id is taken';
    owners.add(client);
    waitForEver(client);
    return null;
  }
  if (user === undefined) return null;
  return same(username, user) && same(password, secret ?? '') ? null : 'bad user name or password';
}

/**
 * The collector may be busy for longer than any other client may: what it is sent waits, and who publishes waits for
 * its PUBACK. Cutting it would lose what is acknowledged already. It dies with this thread, so no limit is needed.
 */
function waitForEver(client: Client): void {
  Object.assign(client, { waitForDrain: (done: () => void) => client.conn.once('drain', () => done()) });
}

const broker = await Aedes.createBroker({
  drainTimeout: DRAIN_MS,
  connectTimeout: 10_000,
  preConnect: (_client, packet, done) => {
    // A session that outlives its connection would gather messages without a bound; agents send again by themselves.
    packet.clean = true;
    done(null, true);
  },
  authenticate: (client, username, password, done) => {
    const refusal = admit(client, username ?? '', password?.toString() ?? '');
    if (refusal === null) return done(null, true);
    // 4 is MQTT's "bad user name or password".
    return done(Object.assign(new Error(refusal), { returnCode: 4 }) as AuthenticateError, null);
  },
  authorizePublish: (client, packet, done) => {
    if (packet.topic.startsWith('$')) return done(new Error('topics that begin with $ belong to the broker'));
    if (packet.retain && !(client && owners.has(client))) {
      packet.retain = retained.accept(packet.topic, Buffer.byteLength(packet.payload));
      if (!packet.retain) report({ type: 'count', reason: 'not_retained' });
    }
    return done(null);
  },
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
