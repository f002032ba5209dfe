/** GET /ws: the live feed over WebSocket. Origin and Host were checked before this is reached. */
import type { IncomingMessage } from 'node:http';
import { upgradeWebSocket } from '@hono/node-server';
import type { OpenAPIHono } from '@hono/zod-openapi';
import {
  FEED_TOPICS,
  type FeedTopic,
  feedTopicsSchema,
  type WatchedLines,
  watchedLinesSchema,
} from '@lineheron/models';
import type { Context } from 'hono';
import type { AppDependencies } from '../dependencies.js';
import { type RawSocket, WireClient } from '../feed-socket.js';
import { ProblemError } from '../problem.js';

export function feedRoutes(app: OpenAPIHono, { feed, onError }: AppDependencies): void {
  const upgrade = upgradeWebSocket(
    (c) => {
      const [watched, topics] = [watchedLines(c), followedTopics(c)];
      const request = (c.env as { incoming: IncomingMessage }).incoming;
      let client: WireClient | null = null;
      return {
        onOpen(_event, socket) {
          const raw = socket.raw as unknown as RawSocket;
          const opened = new WireClient(raw, request);
          client = opened;
          raw.on('pong', () => feed.pong(opened));
          feed.connect(opened, watched, topics);
        },
        onMessage(event) {
          if (client) feed.message(client, typeof event.data === 'string' ? event.data : '');
        },
        onClose() {
          if (client) feed.disconnect(client);
        },
        onError() {
          if (client) feed.disconnect(client);
        },
      };
    },
    { onError },
  );
  app.get('/ws', async (c, next) => {
    if (c.req.header('upgrade')?.toLowerCase() !== 'websocket') {
      throw new ProblemError('invalid_request', 'This address speaks WebSocket only.');
    }
    watchedLines(c);
    followedTopics(c);
    if (feed.isFull) throw new ProblemError('feed_full', 'Try again later, or raise http.max_feed_clients.');
    return upgrade(c, next);
  });
}

/** `?lines=all`, `?lines=none`, or `?lines=<agent>/<device>` once for each line; absent: all, or none where topics are named. */
function watchedLines(c: Context): WatchedLines {
  const given = c.req.queries('lines') ?? [c.req.queries('topics') ? 'none' : 'all'];
  if (given.length === 1 && given[0] === 'none') return [];
  const parsed = watchedLinesSchema.safeParse(given.length === 1 && given[0] === 'all' ? 'all' : given);
  if (parsed.success) return parsed.data;
  throw refusal('lines', 'must be all, none, or <agent>/<device>, up to 50 times');
}

/** `?topics=fleet,alerts`; absent: all. */
function followedTopics(c: Context): readonly FeedTopic[] {
  const given = c.req.queries('topics');
  if (!given) return FEED_TOPICS;
  const names = given.flatMap((list) => list.split(',')).filter((name) => name !== '');
  const parsed = feedTopicsSchema.safeParse(names);
  if (parsed.success) return parsed.data;
  throw refusal('topics', `must be some of ${FEED_TOPICS.join(', ')}, with commas between them`);
}

function refusal(path: string, message: string): ProblemError {
  return new ProblemError('invalid_request', `${path}: ${message}`, [{ path, message }]);
}
