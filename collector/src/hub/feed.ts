/**
 * The live feed: a snapshot first, then what has changed, gathered for a moment. Clients that follow the same topics are an
 * audience and get the very same frames; those that watch the same lines are a group and get frames about them. A frame is
 * written and compressed once, whoever gets it, and a snapshot is built once a turn at most. A client that does not keep
 * up loses its backlog and gets a snapshot when it has caught up; one that takes nothing is cut off. None slows ingest.
 */
import {
  FEED_TOPICS,
  type FeedRequest,
  type FeedTopic,
  feedRequestSchema,
  type RecordView,
  type WatchedLines,
} from '@lineheron/models';
import type { Line } from './agent-view.js';
import { AlertQueue } from './alert-queue.js';
import { Audience } from './audience.js';
import { Connection, type FeedClient } from './connection.js';
import type { Changes } from './live-state.js';
import { News, type NewsTurn } from './news.js';
import { feedLine, SentStatus } from './sent-status.js';
import { SharedMessage } from './shared-message.js';
import { type SnapshotParts, snapshotText } from './snapshot.js';
import { WatchGroups } from './watch-groups.js';

export interface FeedOptions extends SnapshotParts {
  maxClients: number;
}

const TURN_MS = 100;
const RECORDS_MS = 250;
const STATUS_MS = 1000;
const FIGURES_MS = 2000;
const SOON_MS = 500;
/** Who hears nothing for longer may think that the connection hangs. */
const IDLE_MS = 2000;
const HEARTBEAT_MS = 15_000;
const MAX_REQUESTS_PER_HEARTBEAT = 60;
/** Lines whose values are told in a second, in turn. */
const VALUES_PER_SECOND = 200;
/** Records that wait to be told of as a sample. */
const MAX_SAMPLE = 40;

type TopicTexts = Record<FeedTopic, string>;

export class Feed {
  private readonly connections = new Map<FeedClient, Connection>();
  private readonly audiences = new Map<string, Audience>();
  private readonly groups = new WatchGroups();
  /** Those that wait for a snapshot. */
  private readonly waiting = new Set<Connection>();
  private readonly timers: NodeJS.Timeout[] = [];
  private readonly news = new News();
  private readonly alerts = new AlertQueue();
  private readonly told: SentStatus;
  /** Watched lines that stand otherwise. */
  private readonly restated = new Set<Line>();
  private sample: RecordView[] = [];
  private readonly dueMs = { records: 0, status: 0, figures: 0 };
  private figuresMs = 0;
  private changed = false;
  /** Clients that were cut off because they took nothing. */
  frozen = 0;

  constructor(private readonly options: FeedOptions) {
    this.told = new SentStatus(options.standings, options.board);
    options.standings.onLine = (line) => {
      if (this.groups.has(line.key)) this.restated.add(line);
    };
  }

  start(): void {
    this.timers.push(setInterval(() => this.flush(), TURN_MS));
    this.timers.push(setInterval(() => this.heartbeat(), HEARTBEAT_MS));
  }

  stop(): void {
    for (const timer of this.timers) clearInterval(timer);
    for (const client of this.connections.keys()) client.terminate();
    for (const client of [...this.connections.keys()]) this.disconnect(client);
  }

  get clients(): number {
    return this.connections.size;
  }

  get isFull(): boolean {
    return this.connections.size >= this.options.maxClients;
  }

  add(changes: Changes): void {
    if (this.connections.size === 0) return;
    this.news.add(changes);
    this.alerts.add(changes.alerts);
  }

  /** The clock was set by so much: what is due next does not wait for the old one. */
  clockMoved(byMs: number): void {
    for (const name of ['records', 'status', 'figures'] as const) this.dueMs[name] += byMs;
    this.figuresMs += byMs;
    for (const audience of this.audiences.values()) audience.sentMs += byMs;
    for (const connection of this.connections.values()) connection.clockMoved(byMs);
    this.alerts.clockMoved(byMs);
  }

  /** Status and models have changed: tell with the next turn instead of when they are due. */
  touch(): void {
    this.changed = true;
  }

  /** Its snapshot comes with the next turn, which all share that come until then. */
  connect(
    client: FeedClient,
    watched: WatchedLines = 'all',
    topics: readonly FeedTopic[] = FEED_TOPICS,
  ): void {
    if (this.connections.size === 0) this.startAnew();
    const connection = new Connection(client, inOrder(topics), watched);
    this.connections.set(client, connection);
    if (watched !== 'all') this.groups.join(connection, watched);
    this.waiting.add(connection);
  }

  disconnect(client: FeedClient): void {
    const connection = this.connections.get(client);
    if (!connection) return;
    this.connections.delete(client);
    this.leave(connection);
    if (connection.watched !== 'all') this.groups.leave(connection, connection.watched);
    this.waiting.delete(connection);
  }

  pong(client: FeedClient): void {
    const connection = this.connections.get(client);
    if (connection) connection.alive = true;
  }

  /** What a client said, answered with the next turn; anything but a request that we know ends its connection. */
  message(client: FeedClient, text: string): void {
    const connection = this.connections.get(client);
    if (!connection) return;
    const request = parseRequest(text);
    if (request === null || ++connection.requests > MAX_REQUESTS_PER_HEARTBEAT) {
      this.cutOff(client);
    } else if (request.type === 'watch') {
      connection.asked = request.lines;
    } else {
      this.leave(connection);
      if (request.type === 'follow') connection.topics = inOrder(request.topics);
      this.waiting.add(connection);
    }
  }

  /** One turn: sends what has gathered. */
  flush(): void {
    if (this.connections.size === 0) return;
    const nowMs = this.options.now();
    const news = this.news.take(nowMs);
    const texts = this.takeTopics(nowMs, news);
    for (const audience of this.audiences.values()) this.tell(audience, texts, news, nowMs);
    this.tellWatchers(news, nowMs);
    this.answer(nowMs);
    this.welcome(nowMs);
  }

  /** While nobody listened nothing was told: the first to come gets the present, and nothing from before. */
  private startAnew(): void {
    const nowMs = this.options.now();
    this.changed = true;
    this.takeTopics(nowMs, this.news.take(nowMs));
    this.sample = [];
  }

  private tell(audience: Audience, texts: TopicTexts, news: NewsTurn, nowMs: number): void {
    const fields = audience.topics.map((topic) => texts[topic]).join('');
    const isIdle = nowMs - audience.sentMs >= IDLE_MS;
    if (audience.members.size > 0 && (fields !== '' || isIdle)) {
      const text = `{"type":"update","n":${++audience.n},"now_ms":${nowMs}${fields}}`;
      this.send(audience.members, audience.message(text, nowMs), nowMs);
    }
    if (!audience.all || audience.members.size === 0 || news.all === '') return;
    const text = `{"type":"lines","now_ms":${nowMs}${news.all}}`;
    this.send(audience.members, audience.message(text, nowMs), nowMs);
  }

  private tellWatchers(news: NewsTurn, nowMs: number): void {
    const restated = new Map([...this.restated].map((line) => [line.key, line]));
    this.restated.clear();
    const due = this.groups.of(new Set([...news.lines, ...restated.keys()]));
    for (const { lines, members } of due) {
      const rows = lines.flatMap((key) => {
        const line = restated.get(key);
        return line ? [feedLine(line, this.options.board)] : [];
      });
      const text = linesText(nowMs, news.of(lines), rows);
      this.send(members, new SharedMessage(text), nowMs);
    }
  }

  /** Who asked for other lines gets them from now on, and hears so. */
  private answer(nowMs: number): void {
    for (const connection of this.connections.values()) {
      if (connection.isFlooded) this.drop(connection);
      else if (connection.asked !== null) this.rewatch(connection, connection.asked, nowMs);
    }
  }

  private rewatch(connection: Connection, asked: WatchedLines, nowMs: number): void {
    const { watched } = connection;
    const isOther = asked === 'all' || watched === 'all';
    connection.asked = null;
    if (isOther) this.leave(connection);
    if (watched !== 'all') this.groups.leave(connection, watched);
    connection.watched = asked;
    if (asked !== 'all') this.groups.join(connection, asked);
    if (isOther) this.waiting.add(connection);
    else if (!this.waiting.has(connection)) this.sendWatching(connection, asked, nowMs);
  }

  private sendWatching(connection: Connection, watched: readonly string[], nowMs: number): void {
    const { standings, board } = this.options;
    const rows = watched.flatMap((key) => {
      const line = standings.lineOf(key);
      return line?.standing ? [feedLine(line, board)] : [];
    });
    const fields = `,"watching":${JSON.stringify(watched)}`;
    this.send([connection], new SharedMessage(linesText(nowMs, fields, rows)), nowMs);
  }

  /** Snapshots for all who wait and have read what they were sent before. */
  private welcome(nowMs: number): void {
    const snapshots = new Map<Audience, SharedMessage>();
    for (const connection of this.waiting) {
      const progress = connection.progress(nowMs);
      if (progress === 'frozen') this.drop(connection);
      if (progress !== 'ready') continue;
      this.waiting.delete(connection);
      const audience = this.audienceOf(connection, nowMs);
      const snapshot =
        snapshots.get(audience) ?? new SharedMessage(snapshotText(this.options, audience), Buffer.alloc(0));
      snapshots.set(audience, snapshot);
      audience.join(connection);
      this.send([connection], snapshot, nowMs);
      if (connection.watched !== 'all') this.sendWatching(connection, connection.watched, nowMs);
    }
  }

  private audienceOf({ topics, watched }: Connection, nowMs: number): Audience {
    const all = watched === 'all';
    const key = Audience.key(topics, all);
    const audience = this.audiences.get(key) ?? new Audience(topics, all, nowMs);
    this.audiences.set(key, audience);
    return audience;
  }

  /** It gets no more updates until it has had a snapshot. */
  private leave(connection: Connection): void {
    const key = Audience.key(connection.topics, connection.watched === 'all');
    const audience = this.audiences.get(key);
    audience?.members.delete(connection);
    if (audience?.members.size === 0) this.audiences.delete(key);
  }

  private send(to: Iterable<Connection>, message: SharedMessage, nowMs: number): void {
    for (const connection of to) {
      if (this.waiting.has(connection) || connection.send(message, nowMs)) continue;
      this.leave(connection);
      this.waiting.add(connection);
    }
  }

  /** What is new in each topic, as fields of a frame, each after a comma. */
  private takeTopics(nowMs: number, news: NewsTurn): TopicTexts {
    const { status, models, metrics, board } = this.options;
    const isNews = this.changed;
    this.changed = false;
    // Figures are of the whole fleet: they come soon after a change, but not with each.
    if (isNews) this.dueMs.figures = Math.min(this.dueMs.figures, this.figuresMs + SOON_MS);
    const statusDue = nowMs >= this.dueMs.status;
    const figuresDue = nowMs >= this.dueMs.figures;
    const alerts = this.alerts.take(nowMs);
    const fleet = {
      ...(statusDue || isNews ? this.told.status(status()) : {}),
      ...(figuresDue ? this.told.figures(models(), metrics()) : {}),
    };
    const list = statusDue || isNews ? this.told.list() : {};
    // A change that is told at once does not put off the turn of the values.
    const values = statusDue ? board.takeValues(VALUES_PER_SECOND) : [];
    if (statusDue) this.dueMs.status = nowMs + STATUS_MS;
    if (figuresDue) {
      this.dueMs.figures = nowMs + FIGURES_MS;
      this.figuresMs = nowMs;
    }
    return {
      fleet: fieldsText(fleet),
      list: fieldsText({ ...list, ...(values.length > 0 ? { values } : {}) }),
      alerts: fieldsText(alerts.length > 0 ? { alerts } : {}),
      records: this.takeSample(nowMs, news),
    };
  }

  private takeSample(nowMs: number, { sample }: NewsTurn): string {
    this.sample = [...this.sample, ...sample].slice(-MAX_SAMPLE);
    if (this.sample.length === 0 || nowMs < this.dueMs.records) return '';
    this.dueMs.records = nowMs + RECORDS_MS;
    const records = this.sample;
    this.sample = [];
    return fieldsText({ records });
  }

  private heartbeat(): void {
    for (const [client, connection] of this.connections) {
      if (!connection.alive) {
        this.drop(connection);
        continue;
      }
      connection.alive = false;
      connection.requests = 0;
      client.ping();
    }
  }

  private drop(connection: Connection): void {
    this.frozen++;
    this.cutOff(connection.client);
  }

  private cutOff(client: FeedClient): void {
    this.disconnect(client);
    client.terminate();
  }
}

function linesText(nowMs: number, fields: string, rows: readonly unknown[]): string {
  const lines = rows.length > 0 ? `,"lines":${JSON.stringify(rows)}` : '';
  return `{"type":"lines","now_ms":${nowMs}${fields}${lines}}`;
}

function fieldsText(fields: object): string {
  return Object.keys(fields).length === 0 ? '' : `,${JSON.stringify(fields).slice(1, -1)}`;
}

/** Each once and always in one order, so that those that follow the same are one audience. */
function inOrder(topics: readonly FeedTopic[]): readonly FeedTopic[] {
  return FEED_TOPICS.filter((topic) => topics.includes(topic));
}

function parseRequest(text: string): FeedRequest | null {
  try {
    return feedRequestSchema.parse(JSON.parse(text));
  } catch {
    return null;
  }
}
