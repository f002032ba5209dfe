/**
 * A WebSocket as the feed's client. Frames come written and compressed, once for all clients, and go straight to the TCP
 * socket; `ws` does the handshake, reads, pings and closes, and never sends data itself.
 */
import type { IncomingMessage } from 'node:http';
import type { FeedSocket, WireMessage } from './dependencies.js';

/** What we use of a socket of `ws`. */
export interface RawSocket {
  readonly readyState: number;
  /** The extensions that were agreed on. */
  readonly extensions: string;
  ping(): void;
  terminate(): void;
  on(event: 'pong', listener: () => void): void;
}

const OPEN = 1;

export class WireClient implements FeedSocket {
  private readonly deflates: boolean;

  constructor(
    private readonly raw: RawSocket,
    private readonly request: Pick<IncomingMessage, 'headers' | 'socket'>,
  ) {
    // Whoever wants less of the server's window, or none, gets frames as they are: all others share the same.
    const offer = request.headers['sec-websocket-extensions'] ?? '';
    this.deflates = raw.extensions.includes('permessage-deflate') && !offer.includes('server_');
  }

  get queuedBytes(): number {
    return this.request.socket.writableLength;
  }

  send(message: WireMessage): void {
    if (this.raw.readyState === OPEN) this.request.socket.write(message.frame(this.deflates));
  }

  ping(): void {
    this.raw.ping();
  }

  terminate(): void {
    this.raw.terminate();
  }
}
