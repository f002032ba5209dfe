/**
 * Worker thread entry: an aedes broker on a TCP port, with bounds on all that clients may take (`limits.ts`). What a
 * client sends may cost that client its connection, never this thread.
 */
import { timingSafeEqual } from 'node:crypto';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { parentPort, workerData } from 'node:worker_threads';
import { Aedes, type AuthenticateError, type Client, type ConnectPacket } from 'aedes';
import { Connections, type Peer } from './connections.js';
import type { BrokerOrder, BrokerReport, BrokerWorkerOptions } from './embedded-broker.js';
import { OutgoingBound } from './outgoing-bound.js';
import { PacketGuard } from './packet-guard.js';
import { Persistence, QOS2_FULL } from './persistence.js';
import { type RefusalReason, Refusals } from './refusals.js';
import { Replay } from './replay.js';
import { RetainedStore } from './retained-store.js';
import { Sessions } from './sessions.js';
import { SubscriptionBound } from './subscription-bound.js';
import { agentOfClient, isTopic } from './topic.js';

/** MQTT's return codes of CONNACK. */
const BAD_CLIENT_ID = 2;
const UNAVAILABLE = 3;
const BAD_LOGIN = 4;
/** Granted QoS of a filter that was refused: null says so to aedes. */
const REFUSED = null;
const MQTT_3_1_1 = 4;
const SWEEP_MS = 1000;

const { limits, ...options } = workerData as BrokerWorkerOptions;
const report = (message: BrokerReport) => parentPort?.postMessage(message);
const refusals = new Refusals((counts) => report({ type: 'refused', counts }));
const refuse = (reason: RefusalReason) => refusals.count(reason);

/** Agents that the collector knows. */
const known = new Set<string>();
const isKnown = (agent: string) => known.has(agent);
/** The collector's own connections. */
const owners = new WeakSet<Client>();
const peers = new WeakMap<Client, Peer>();
/** Clients whose CONNECT names an id that they cannot have. */
const misnamed = new WeakSet<Client>();

const isReservedId = (clientId: string) => isKnown(agentOfClient(clientId) ?? '');
const connections = new Connections(limits, refuse);
const subscriptions = new SubscriptionBound(
  limits,
  (client) => owners.has(client) || isReservedId(client.id),
);
const outgoing = new OutgoingBound(limits, () => refuse('slow_client'));
const retained = new RetainedStore({
  limits: limits.retained,
  ownerId: options.owner?.clientId,
  isKnown,
  refuse,
});
const sessions = new Sessions(limits, refuse);
const replay = new Replay(retained);
const isGranted = (client: Client, filter: string) => subscriptions.isGranted(client, filter);

const same = (a: string, b: string): boolean => {
  const [left, right] = [Buffer.from(a), Buffer.from(b)];
  return left.length === right.length && timingSafeEqual(left, right);
};

interface Refusal {
  reason: RefusalReason | null;
  code: number;
  text: string;
}

/** Null when it may come in. Only who knows the secret may bear the owner's id: that would end the owner's session. */
function admit(client: Client, username: string, password: string): Refusal | null {
  const { owner, username: user, password: secret } = options;
  if (misnamed.has(client))
    return { reason: 'bad_client_id', code: BAD_CLIENT_ID, text: 'identifier rejected' };
  const isOwner = owner !== undefined && client.id === owner.clientId;
  if (isOwner && !same(password, owner.secret)) {
    return { reason: 'bad_client_id', code: BAD_LOGIN, text: 'this client id is taken' };
  }
  if (!isOwner && user !== undefined && !(same(username, user) && same(password, secret ?? ''))) {
    return { reason: 'bad_login', code: BAD_LOGIN, text: 'bad user name or password' };
  }
  const peer = peers.get(client);
  if (!peer || !connections.admit(peer, client.id, isOwner || isReservedId(client.id))) {
    return { reason: null, code: UNAVAILABLE, text: 'no place left' };
  }
  if (isOwner) {
    owners.add(client);
    OutgoingBound.waitFor(client);
  }
  if (!client.clean) sessions.attach(client.id, client);
  return null;
}

/** What is settled before the client gets its id. */
function prepare(client: Client, packet: ConnectPacket): RefusalReason | null {
  const { clientId, will, protocolVersion } = packet;
  const needsId = packet.clean === false || protocolVersion !== MQTT_3_1_1;
  if (Buffer.byteLength(clientId) > limits.maxClientIdBytes || (clientId === '' && needsId))
    misnamed.add(client);
  if (will && !isTopic(will.topic, limits)) return 'bad_topic';
  // A slice of what was received would keep alive the whole chunk that it came in.
  if (will) will.payload = Buffer.from(will.payload);
  if (packet.clean === false && clientId !== '' && !sessions.hasRoom(clientId)) {
    packet.clean = true;
    refuse('no_session');
  }
  return null;
}

const broker = await Aedes.createBroker({
  connectTimeout: limits.connectMs,
  maxInflightInbound: limits.maxQos2InFlight,
  maxTopicLevels: limits.maxTopicLevels,
  persistence: new Persistence({ retained, sessions, limits, isGranted }),
  preConnect: (client, packet, done) => {
    const reason = prepare(client, packet);
    if (reason === null) return done(null, true);
    refuse(reason);
    return done(new Error(reason), false);
  },
  authenticate: (client, username, password, done) => {
    const refusal = admit(client, username ?? '', password?.toString() ?? '');
    if (refusal === null) return done(null, true);
    if (refusal.reason) refuse(refusal.reason);
    return done(
      Object.assign(new Error(refusal.text), { returnCode: refusal.code }) as AuthenticateError,
      null,
    );
  },
  authorizePublish: (client, packet, done) => {
    if (!isTopic(packet.topic, limits)) {
      refuse('bad_topic');
      return done(new Error('the topic is invalid or reserved'));
    }
    // Retained messages are held to the account of who sent them.
    if (client) Object.assign(packet, { clientId: client.id });
    return done(null);
  },
  authorizeSubscribe: (client, subscription, done) => {
    const isFlood = !owners.has(client) && replay.pending(client) >= limits.maxReplays;
    const reason = isFlood ? 'too_many_replays' : subscriptions.grant(client, subscription.topic);
    if (reason === null) return done(null, subscription);
    refuse(reason);
    return done(null, REFUSED);
  },
});

broker.on('subscribe', (granted, client) => replay.start(client, granted));
broker.on('unsubscribe', (filters, client) => subscriptions.release(client, filters));
broker.on('clientError', (_client, error) =>
  refuse(error.message.startsWith(QOS2_FULL) ? 'qos2_in_flight' : 'client_error'),
);
broker.on('connectionError', () => refuse('connection_error'));

function welcome(socket: Socket): void {
  const guard = new PacketGuard(limits);
  const peer: Peer = { address: socket.remoteAddress ?? '', cut: () => socket.destroy() };
  socket.setNoDelay(true);
  // A peer that has vanished without a word holds no place for ever.
  socket.setKeepAlive(true, 60_000);
  socket.on('error', () => {});
  connections.open(peer);
  const client = broker.handle(socket);
  peers.set(client, peer);
  outgoing.bind(client, socket);
  // aedes reads by `read()`, which also emits what it returns: the guard sees every byte without a second stream.
  socket.on('data', (chunk: Buffer) => {
    const isSound = guard.accept(chunk);
    connections.heard(peer, guard.partialBytes);
    if (isSound) return;
    refuse('bad_packet');
    socket.destroy();
  });
  socket.on('close', () => {
    connections.close(peer);
    subscriptions.releaseAll(client);
    sessions.detach(client.id, client);
  });
}

const server = createServer(welcome);
server.on('error', (error: NodeJS.ErrnoException) => {
  if (server.listening) return refuse('accept_failed');
  return report({ type: 'failed', code: error.code ?? 'UNKNOWN', message: error.message });
});
server.listen(options.port, options.host, () =>
  report({ type: 'listening', port: (server.address() as AddressInfo).port }),
);

setInterval(() => {
  outgoing.sweep();
  sessions.expire();
  report({
    type: 'held',
    held: {
      connections: connections.connected,
      unconnected: connections.unconnected,
      partial_bytes: connections.partialBytes,
      subscriptions: subscriptions.count,
      outgoing_bytes: outgoing.bytes,
      retained_topics: retained.topics,
      retained_bytes: retained.bytes,
      sessions: sessions.count,
      session_messages: sessions.messages,
      session_bytes: sessions.bytes,
    },
  });
}, SWEEP_MS).unref();

parentPort?.on('message', (order: BrokerOrder) => {
  if (order.type === 'know') {
    for (const agent of order.agents) known.add(agent);
    connections.reserve(isReservedId);
    return;
  }
  server.close();
  broker.close(() => process.exit(0));
});
