/** GET /ws: the live feed over WebSocket. Origin and Host were checked before this is reached. */
import { upgradeWebSocket } from '@hono/node-server';
import type { OpenAPIHono } from '@hono/zod-openapi';
import { type WatchedLines, watchedLinesSchema } from '@lineheron/models';
import type { Context } from 'hono';
import type { AppDependencies, FeedSocket } from '../dependencies.js';
import { ProblemError } from '../problem.js';

/** What we use of a socket of `ws` beyond the helper's own interface. */
interface RawSocket extends FeedSocket {
  on(event: 'pong', listener: () => void): void;
}

export function feedRoutes(app: OpenAPIHono, { feed, onError }: AppDependencies): void {
  const upgrade = upgradeWebSocket(
    (c) => {
      const watched = watchedLines(c);
      let client: RawSocket | null = null;
      return {
        onOpen(_event, socket) {
          client = socket.raw as unknown as RawSocket;
          const opened = client;
          opened.on('pong', () => feed.pong(opened));
          feed.connect(opened, watched);
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
    if (feed.isFull) throw new ProblemError('not_ready', 'Too many clients follow the feed.');
    return upgrade(c, next);
  });
}

/** `?lines=all` (also when it is absent), `?lines=none`, or `?lines=<agent>/<device>` once for each line. */
function watchedLines(c: Context): WatchedLines {
  const given = c.req.queries('lines') ?? ['all'];
  if (given.length === 1 && given[0] === 'none') return [];
  const parsed = watchedLinesSchema.safeParse(given.length === 1 && given[0] === 'all' ? 'all' : given);
  if (parsed.success) return parsed.data;
  const message = 'must be all, none, or <agent>/<device>, up to 50 times';
  throw new ProblemError('invalid_request', `lines: ${message}`, [{ path: 'lines', message }]);
}
