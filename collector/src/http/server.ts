/** The listening socket: HTTP and WebSocket upgrades on one port, with limits on size, time and connections. */
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createAdaptorServer, type WebSocketServerLike } from '@hono/node-server';
import { WebSocketServer } from 'ws';
import { createProblemServer, refuseBadHandshakes } from './early-refusals.js';
import { UpgradeDoor } from './upgrade-door.js';

export interface HttpServerOptions {
  host: string;
  port: number;
  maxFeedClients: number;
  fetch: (request: Request, env: object) => Response | Promise<Response>;
  onError: (error: Error) => void;
}

/** The longest is the list of lines that a client watches. */
const MAX_CLIENT_MESSAGE_BYTES = 32 * 1024;
/** Of what clients say; what they hear comes compressed to here. */
const COMPRESSION = { clientNoContextTakeover: true, clientMaxWindowBits: 10 };
const LIMITS = { requestTimeout: 30_000, headersTimeout: 10_000, maxHeaderSize: 16_384 };
/** Besides those that follow the feed. */
const MAX_CONNECTIONS = 1000;

export class HttpServer {
  private server: Server | null = null;

  constructor(private readonly options: HttpServerOptions) {}

  /** Resolves to the port. */
  start(): Promise<number> {
    const { host, port, fetch, onError } = this.options;
    const sockets = new WebSocketServer({
      noServer: true,
      maxPayload: MAX_CLIENT_MESSAGE_BYTES,
      perMessageDeflate: COMPRESSION,
    });
    const door = new UpgradeDoor();
    refuseBadHandshakes(sockets);
    const watched = door.watch(fetch);
    const server = createAdaptorServer({
      fetch: watched,
      createServer: () => createProblemServer(LIMITS, watched, onError),
      // The adaptor's type is stricter than the one that `ws` declares for the same object.
      websocket: { server: sockets as unknown as WebSocketServerLike },
    }) as Server;
    server.maxConnections = MAX_CONNECTIONS + this.options.maxFeedClients;
    door.guard(server);
    this.server = server;
    return new Promise((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, host, () => {
        server.off('error', reject);
        server.on('error', onError);
        resolve((server.address() as AddressInfo).port);
      });
    });
  }

  async stop(): Promise<void> {
    const server = this.server;
    if (!server) return;
    this.server = null;
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    server.closeAllConnections();
    await closed;
  }
}
