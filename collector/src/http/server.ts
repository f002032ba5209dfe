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

/** The longest is the list of lines that a client watches. */
const MAX_CLIENT_MESSAGE_BYTES = 32 * 1024;
/**
 * Frames of one client are much alike: with what went before in view they shrink to a sixth. The window and the tables
 * are small, so that a client costs some 50 kB; it works in zlib's threads, not on the event loop.
 */
const COMPRESSION = {
  serverMaxWindowBits: 13,
  clientNoContextTakeover: true,
  clientMaxWindowBits: 10,
  zlibDeflateOptions: { level: 4, memLevel: 5 },
  concurrencyLimit: 4,
};
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
    const server = createAdaptorServer({
      fetch: fetch as (request: Request, env: unknown) => Response | Promise<Response>,
      overrideGlobalObjects: false,
      serverOptions: { requestTimeout: 30_000, headersTimeout: 10_000, maxHeaderSize: 16_384 },
      // The adaptor's type is stricter than the one that `ws` declares for the same object.
      websocket: { server: sockets as unknown as WebSocketServerLike },
    }) as Server;
    server.maxConnections = MAX_CONNECTIONS;
    ignoreOtherUpgrades(server);
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

type UpgradeListener = (request: IncomingMessage, socket: Duplex, head: Buffer) => void;

/** Upgrades other than WebSocket, which curl and Java clients offer by themselves, are served as if not offered. */
function ignoreOtherUpgrades(server: Server): void {
  const [upgrade] = server.listeners('upgrade') as UpgradeListener[];
  server.removeAllListeners('upgrade');
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    if (upgrade && request.headers.upgrade?.toLowerCase() === 'websocket') {
      return upgrade(request, socket, head);
    }
    // Node has let go of the socket and its body: it reads the same request once more, without the offer.
    socket.unshift(Buffer.concat([plainHead(request), head]));
    return server.emit('connection', socket);
  });
}

/** The request's head as it came, less what offers an upgrade. */
function plainHead({ method, url, httpVersion, rawHeaders }: IncomingMessage): Buffer {
  const lines = [`${method} ${url} HTTP/${httpVersion}`];
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at]!;
    const value = rawHeaders[at + 1]!;
    const kind = name.toLowerCase();
    if (kind === 'upgrade' || kind === 'http2-settings') continue;
    lines.push(`${name}: ${kind === 'connection' ? plainConnection(value) : value}`);
  }
  return Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1');
}

function plainConnection(value: string): string {
  const options = value.split(',').map((option) => option.trim());
  return options.filter((option) => !/^(upgrade|http2-settings)$/i.test(option)).join(', ');
}
