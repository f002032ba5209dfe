/**
 * The live feed: a snapshot first, then numbered updates, gathered for a moment and serialised once for all clients.
 * A client that does not keep up loses its backlog and gets a new snapshot when it has caught up; it never slows
 * ingest. Knows clients only by what they can do, not as sockets.
 */
import {
  type Alert,
  feedRequestSchema,
  type MetricsView,
  type ModelView,
  type RecordView,
  type SnapshotFrame,
  type StatusView,
  type UpdateFrame,
  type WindowView,
} from '@lineheron/models';
import type { Changes } from './live-state.js';

export interface FeedClient {
  readonly bufferedAmount: number;
  send(text: string): void;
  ping(): void;
  terminate(): void;
}

export interface FeedOptions {
  now: () => number;
  snapshot: () => Omit<SnapshotFrame, 'type' | 'n' | 'now_ms'>;
  status: () => StatusView;
  models: () => ModelView[];
  metrics: () => MetricsView;
  maxClients?: number;
}

interface Connection {
  client: FeedClient;
  behind: boolean;
  alive: boolean;
  /** When it last asked for a snapshot: one that asks all the time is cut off. */
  snapshots: number;
}

const UPDATE_MS = 250;
const STATUS_MS = 1000;
const METRICS_MS = 2000;
const HEARTBEAT_MS = 30_000;
const MAX_BUFFERED_BYTES = 1024 * 1024;
/** Pending rows between two updates; of more the newest are kept, since a client could not show them all anyway. */
const MAX_PENDING = 4000;
const MAX_SNAPSHOTS_PER_HEARTBEAT = 60;

export class Feed {
  private readonly connections = new Map<FeedClient, Connection>();
  private readonly timers: NodeJS.Timeout[] = [];
  private n = 0;
  private windows: WindowView[] = [];
  private records: RecordView[] = [];
  private alerts = new Map<string, Alert>();
  private statusDueMs = 0;
  private metricsDueMs = 0;
  private changed = false;
  /** The snapshot at the present number, once somebody has needed it. */
  private snapshotText: string | null = null;

  constructor(private readonly options: FeedOptions) {}

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
    append(this.windows, changes.windows);
    append(this.records, changes.records);
    for (const alert of changes.alerts) this.alerts.set(alert.id, alert);
  }

  /** Status and models have changed: tell with the next update instead of at the next turn. */
  touch(): void {
    this.changed = true;
  }

  connect(client: FeedClient): void {
    const connection: Connection = { client, behind: false, alive: true, snapshots: 0 };
    // While nobody listened nothing was numbered: the snapshot that was kept may be old.
    if (this.connections.size === 0) this.snapshotText = null;
    this.flush();
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
    if (!isResync(text) || ++connection.snapshots > MAX_SNAPSHOTS_PER_HEARTBEAT) {
      this.connections.delete(client);
      client.terminate();
      return;
    }
    this.flush();
    // Who has not read what it was sent gets nothing on top of it: flush sends one snapshot when it has caught up.
    if (client.bufferedAmount > 0) connection.behind = true;
    else this.sendSnapshot(connection);
  }

  /** Sends what has gathered, at most once a call. */
  flush(): void {
    if (this.connections.size === 0) return;
    const update = this.takeUpdate();
    const text = update && JSON.stringify(update);
    for (const connection of this.connections.values()) {
      const { client } = connection;
      if (connection.behind && client.bufferedAmount === 0) this.sendSnapshot(connection);
      else if (client.bufferedAmount > MAX_BUFFERED_BYTES) connection.behind = true;
      else if (text && !connection.behind) client.send(text);
    }
  }

  private takeUpdate(): UpdateFrame | null {
    const nowMs = this.options.now();
    const statusDue = this.changed || nowMs >= this.statusDueMs;
    const metricsDue = nowMs >= this.metricsDueMs;
    const update: Omit<UpdateFrame, 'n' | 'now_ms'> = {
      type: 'update',
      ...(this.windows.length > 0 ? { windows: this.windows } : {}),
      ...(this.records.length > 0 ? { records: this.records } : {}),
      ...(this.alerts.size > 0 ? { alerts: [...this.alerts.values()] } : {}),
      ...(statusDue ? { status: this.options.status() } : {}),
      ...(metricsDue ? { metrics: this.options.metrics() } : {}),
      ...(this.changed || metricsDue ? { models: this.options.models() } : {}),
    };
    if (statusDue) this.statusDueMs = nowMs + STATUS_MS;
    if (metricsDue) this.metricsDueMs = nowMs + METRICS_MS;
    this.changed = false;
    [this.windows, this.records, this.alerts] = [[], [], new Map()];
    if (Object.keys(update).length === 1) return null;
    this.snapshotText = null;
    return { ...update, n: ++this.n, now_ms: nowMs };
  }

  private sendSnapshot(connection: Connection): void {
    connection.behind = false;
    this.snapshotText ??= this.writeSnapshot();
    connection.client.send(this.snapshotText);
  }

  private writeSnapshot(): string {
    const { now, snapshot } = this.options;
    const frame: SnapshotFrame = { type: 'snapshot', n: this.n, now_ms: now(), ...snapshot() };
    return JSON.stringify(frame);
  }

  private heartbeat(): void {
    for (const [client, connection] of this.connections) {
      if (!connection.alive) {
        this.connections.delete(client);
        client.terminate();
        continue;
      }
      connection.alive = false;
      connection.snapshots = 0;
      client.ping();
    }
  }
}

/** Item by item, since a spread of a large group overflows the stack. */
function append<T>(pending: T[], more: readonly T[]): void {
  for (const item of more.slice(-MAX_PENDING)) pending.push(item);
  if (pending.length > MAX_PENDING) pending.splice(0, pending.length - MAX_PENDING);
}

function isResync(text: string): boolean {
  try {
    return feedRequestSchema.safeParse(JSON.parse(text)).success;
  } catch {
    return false;
  }
}
