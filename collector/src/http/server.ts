/** The listening socket: HTTP and WebSocket upgrades on one port, with limits on size, time and connections. */
import type { IncomingMessage, Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { createAdaptorServer, type WebSocketServerLike } from '@hono/node-server';
import { WebSocketServer } from 'ws';

export interface HttpServerOptions {
  host: string;
  port: number;
  fetch: (request: Request, env: object) => Response | Promise<Response>;
  onError: (error: Error) => void;
}

/** Clients only ever ask for a snapshot. */
const MAX_CLIENT_MESSAGE_BYTES = 4096;
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
      perMessageDeflate: false,
    });
    const server = createAdaptorServer({
      fetch: fetch as (request: Request, env: unknown) => Response | Promise<Response>,
      overrideGlobalObjects: false,
      serverOptions: { requestTimeout: 30_000, headersTimeout: 10_000, maxHeaderSize: 16_384 },
      // The adaptor's type is stricter than the one that `ws` declares for the same object.
      websocket: { server: sockets as unknown as WebSocketServerLike },
    }) as Server;
    server.maxConnections = MAX_CONNECTIONS;
    refuseOtherUpgrades(server);
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

/** The adaptor leaves upgrades to anything but WebSocket hanging: answer them. */
function refuseOtherUpgrades(server: Server): void {
  const [upgrade] = server.listeners('upgrade') as Array<
    (request: IncomingMessage, socket: Duplex, head: Buffer) => void
  >;
  server.removeAllListeners('upgrade');
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    if (upgrade && request.headers.upgrade?.toLowerCase() === 'websocket')
      return upgrade(request, socket, head);
    socket.on('error', () => {});
    socket.end('HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
  });
}
