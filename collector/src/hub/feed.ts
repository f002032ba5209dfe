/**
 * The live feed: a snapshot first, then numbered updates of what has changed, gathered for a moment. What all clients
 * get is written once; what only those get who watch a line, once for them. A client that does not keep up loses its
 * backlog and gets a new snapshot when it has caught up; it never slows ingest. Knows clients only by what they can
 * do, not as sockets.
 */
import { FEED_VERSION, type FeedRequest, feedRequestSchema, type WatchedLines } from '@lineheron/models';
import { AlertQueue } from './alert-queue.js';
import type { Changes } from './live-state.js';
import { News, type NewsTurn } from './news.js';
import { SentStatus } from './sent-status.js';
import { type SnapshotParts, snapshotText } from './snapshot.js';

export interface FeedClient {
  readonly bufferedAmount: number;
  send(text: string): void;
  ping(): void;
  terminate(): void;
}

export interface FeedOptions extends SnapshotParts {
  maxClients?: number;
}

interface Connection {
  client: FeedClient;
  watched: WatchedLines;
  /** `watched` has changed, and the client waits to hear from when on it holds. */
  asked: boolean;
  /** Number of its last frame. */
  n: number;
  sentMs: number;
  behind: boolean;
  alive: boolean;
  /** Requests since the last heartbeat: one that asks all the time is cut off. */
  requests: number;
}

const UPDATE_MS = 250;
const STATUS_MS = 1000;
const FIGURES_MS = 2000;
/** Who hears nothing for longer may think that the connection hangs. */
const IDLE_MS = 2000;
const HEARTBEAT_MS = 30_000;
const MAX_BUFFERED_BYTES = 1024 * 1024;
/** Lines whose values are told in a second, in turn. */
const VALUES_PER_SECOND = 200;
const MAX_REQUESTS_PER_HEARTBEAT = 120;

export class Feed {
  private readonly connections = new Map<FeedClient, Connection>();
  private readonly timers: NodeJS.Timeout[] = [];
  private readonly news = new News();
  private readonly alerts = new AlertQueue();
  private readonly told: SentStatus;
  private statusDueMs = 0;
  private figuresDueMs = 0;
  private changed = false;
  /** A snapshot as all get it, once somebody has needed it since the last change. */
  private snapshots = new Map<boolean, string>();

  constructor(private readonly options: FeedOptions) {
    this.told = new SentStatus(options.board);
  }

  start(): void {
    this.timers.push(setInterval(() => this.flush(), UPDATE_MS));
    this.timers.push(setInterval(() => this.heartbeat(), HEARTBEAT_MS));
  }

  stop(): void {
    for (const timer of this.timers) clearInterval(timer);
    for (const client of this.connections.keys()) client.terminate();
    this.connections.clear();
  }

  get clients(): number {
    return this.connections.size;
  }

  get isFull(): boolean {
    return this.connections.size >= (this.options.maxClients ?? 200);
  }

  add(changes: Changes): void {
    if (this.connections.size === 0) return;
    this.news.add(changes);
    this.alerts.add(changes.alerts);
  }

  /** The clock was set by so much: what is due next does not wait for the old one. */
  clockMoved(byMs: number): void {
    this.statusDueMs += byMs;
    this.figuresDueMs += byMs;
    for (const connection of this.connections.values()) connection.sentMs += byMs;
    this.alerts.clockMoved(byMs);
  }

  /** Status and models have changed: tell with the next update instead of at the next turn. */
  touch(): void {
    this.changed = true;
  }

  connect(client: FeedClient, watched: WatchedLines = 'all'): void {
    if (this.connections.size === 0) this.startAnew();
    this.flush();
    const connection: Connection = {
      client,
      watched,
      asked: false,
      n: 0,
      sentMs: 0,
      behind: false,
      alive: true,
      requests: 0,
    };
    this.connections.set(client, connection);
    this.sendSnapshot(connection);
  }

  disconnect(client: FeedClient): void {
    this.connections.delete(client);
  }

  pong(client: FeedClient): void {
    const connection = this.connections.get(client);
    if (connection) connection.alive = true;
  }

  /** What a client said; anything but a request that we know ends its connection. */
  message(client: FeedClient, text: string): void {
    const connection = this.connections.get(client);
    if (!connection) return;
    const request = parseRequest(text);
    if (request === null || ++connection.requests > MAX_REQUESTS_PER_HEARTBEAT) {
      this.connections.delete(client);
      client.terminate();
      return;
    }
    this.flush();
    if (request.type === 'watch') {
      connection.watched = request.lines;
      connection.asked = true;
    } else {
      connection.behind = true;
    }
    this.serve(connection, '', null);
  }

  /** Sends what has gathered, at most once a call. */
  flush(): void {
    if (this.connections.size === 0) return;
    const nowMs = this.options.now();
    const shared = this.takeShared(nowMs);
    const news = this.news.take(nowMs);
    if (shared !== '' || !news.isEmpty) this.snapshots.clear();
    for (const connection of this.connections.values()) this.serve(connection, shared, news);
  }

  /** While nobody listened nothing was told: the first to come gets the present, and nothing from before. */
  private startAnew(): void {
    const nowMs = this.options.now();
    this.changed = true;
    this.takeShared(nowMs);
    this.news.take(nowMs);
    this.snapshots.clear();
  }

  /** Who has not read what it was sent gets nothing on top of a snapshot, and that when it has caught up. */
  private serve(connection: Connection, shared: string, news: NewsTurn | null): void {
    const { client, watched, asked } = connection;
    if (connection.behind) {
      if (client.bufferedAmount === 0) this.sendSnapshot(connection);
    } else if (client.bufferedAmount > MAX_BUFFERED_BYTES) {
      connection.behind = true;
    } else {
      const answer = asked ? `,"watching":${JSON.stringify(watched)}` : '';
      connection.asked = false;
      this.sendUpdate(connection, shared + (news?.of(watched) ?? '') + answer);
    }
  }

  private sendUpdate(connection: Connection, fields: string): void {
    const nowMs = this.options.now();
    if (fields === '' && nowMs - connection.sentMs < IDLE_MS) return;
    connection.sentMs = nowMs;
    connection.client.send(`{"type":"update","n":${++connection.n},"now_ms":${nowMs}${fields}}`);
  }

  /** Fields of an update for everybody, each after a comma. */
  private takeShared(nowMs: number): string {
    const { status, models, metrics, board } = this.options;
    const statusDue = this.changed || nowMs >= this.statusDueMs;
    const figuresDue = this.changed || nowMs >= this.figuresDueMs;
    const alerts = this.alerts.take(nowMs);
    const values = nowMs >= this.statusDueMs ? board.takeValues(VALUES_PER_SECOND) : [];
    const fields = {
      ...(statusDue ? this.told.status(status()) : {}),
      ...(figuresDue ? this.told.figures(models(), metrics()) : {}),
      ...(values.length > 0 ? { values } : {}),
      ...(alerts.length > 0 ? { alerts } : {}),
    };
    // A change that is told at once does not put off the turn of the values.
    if (nowMs >= this.statusDueMs) this.statusDueMs = nowMs + STATUS_MS;
    if (nowMs >= this.figuresDueMs) this.figuresDueMs = nowMs + FIGURES_MS;
    this.changed = false;
    if (Object.keys(fields).length === 0) return '';
    return `,${JSON.stringify(fields).slice(1, -1)}`;
  }

  private sendSnapshot(connection: Connection): void {
    const { client, watched, n } = connection;
    const all = watched === 'all';
    const text = this.snapshots.get(all) ?? snapshotText(this.options, all);
    this.snapshots.set(all, text);
    connection.behind = false;
    connection.asked = false;
    connection.sentMs = this.options.now();
    const head = `{"type":"snapshot","v":${FEED_VERSION},"n":${n},"watching":${JSON.stringify(watched)}`;
    client.send(`${head},${text}`);
  }

  private heartbeat(): void {
    for (const [client, connection] of this.connections) {
      if (!connection.alive) {
        this.connections.delete(client);
        client.terminate();
        continue;
      }
      connection.alive = false;
      connection.requests = 0;
      client.ping();
    }
  }
}

function parseRequest(text: string): FeedRequest | null {
  try {
    return feedRequestSchema.parse(JSON.parse(text));
  } catch {
    return null;
  }
}
