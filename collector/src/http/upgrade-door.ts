/**
 * Requests to upgrade. The adaptor refuses a WebSocket with a bare status: here a refusal is answered as everywhere, with
 * its problem as body. Upgrades to something else, which curl and Java clients offer by themselves, are served as if not
 * offered.
 */
import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { problemResponse } from './problem.js';
import { answerRaw } from './raw-answer.js';

type UpgradeListener = (request: IncomingMessage, socket: Duplex, head: Buffer) => unknown;
type Fetch = (request: Request, env: object) => Response | Promise<Response>;

export class UpgradeDoor {
  /** What the app answered to a request to upgrade. */
  private readonly answers = new WeakMap<IncomingMessage, Response>();

  /** The app's fetch, whose answers are remembered. */
  watch(fetch: Fetch): (request: Request, env: unknown) => Promise<Response> {
    return async (request, env) => {
      const response = await fetch(request, env as object);
      const { incoming, outgoing } = env as { incoming?: IncomingMessage; outgoing?: unknown };
      if (incoming && outgoing === undefined) this.answers.set(incoming, response);
      return response;
    };
  }

  guard(server: Server): void {
    const [upgrade] = server.listeners('upgrade') as UpgradeListener[];
    server.removeAllListeners('upgrade');
    server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
      if (upgrade && isForFeed(request)) {
        this.open(upgrade, request, socket, head).catch(() => socket.destroy());
        return;
      }
      // Node has let go of the socket and its body: it reads the same request once more, without the offer.
      socket.unshift(Buffer.concat([plainHead(request), head]));
      server.emit('connection', socket);
    });
    // The adaptor refuses by itself only while it is the only one to listen.
    server.on('upgrade', () => {});
  }

  private async open(
    upgrade: UpgradeListener,
    request: IncomingMessage,
    socket: Duplex,
    head: Buffer,
  ): Promise<void> {
    // The adaptor would put a name of its own in its place.
    if (!request.headers.host)
      return answerRaw(socket, problemResponse('invalid_request', 'The Host is missing.'));
    await upgrade(request, socket, head);
    // Without an answer it was not even a request to the app: a Host that is none.
    const answer = this.answers.get(request) ?? problemResponse('invalid_request', 'The Host is not valid.');
    if (answer.status >= 400) await answerRaw(socket, answer);
  }
}

/** Anywhere else the offer is ignored, as HTTP allows. */
function isForFeed({ url = '', headers }: IncomingMessage): boolean {
  return headers.upgrade?.toLowerCase() === 'websocket' && /^([a-z]+:\/\/[^/]*)?\/ws([?#]|$)/i.test(url);
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
