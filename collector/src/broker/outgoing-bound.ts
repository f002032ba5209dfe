/**
 * What waits to be sent to each client. Nobody who publishes waits for a subscriber: what it does not take gathers here
 * up to a bound, and then the client is cut, as is one that takes nothing for too long. The collector alone is waited
 * for: it may be busy, and cutting it would lose what was acknowledged already.
 */
import type { Socket } from 'node:net';
import type { Client } from 'aedes';
import type { BrokerLimits } from './limits.js';

type OutgoingLimits = Pick<BrokerLimits, 'maxOutgoingBytes' | 'maxOutgoingBytesOfAll' | 'stallMs'>;

interface Backlog {
  bytes: number;
  /** Bytes that have left, and since when it has been no more. */
  sentBytes: number;
  sinceMs: number;
}

export class OutgoingBound {
  private readonly backlogs = new Map<Socket, Backlog>();
  private total = 0;

  constructor(
    private readonly limits: OutgoingLimits,
    private readonly onSlow: () => void,
    private readonly now: () => number = () => performance.now(),
  ) {}

  get bytes(): number {
    return this.total;
  }

  bind(client: Client, socket: Socket): void {
    const waitForDrain = (done: (error: Error | null, client: Client) => void) => {
      this.note(socket);
      setImmediate(done, socket.destroyed ? new Error('the client is too slow') : null, client);
    };
    Object.assign(client, { waitForDrain });
    socket.on('drain', () => this.forget(socket));
    socket.on('close', () => this.forget(socket));
  }

  /** Waits for this client as long as it takes. */
  static waitFor(client: Client): void {
    client.conn.setMaxListeners(0);
    Object.assign(client, { waitForDrain: (done: () => void) => client.conn.once('drain', () => done()) });
  }

  /** Cuts those that have taken nothing for too long. */
  sweep(): void {
    const now = this.now();
    for (const [socket, backlog] of this.backlogs) {
      const sentBytes = socket.bytesWritten - socket.writableLength;
      if (sentBytes !== backlog.sentBytes) Object.assign(backlog, { sentBytes, sinceMs: now });
      else if (now - backlog.sinceMs > this.limits.stallMs) this.cut(socket);
    }
  }

  private note(socket: Socket): void {
    if (socket.destroyed) return;
    const known = this.backlogs.get(socket) ?? { bytes: 0, sentBytes: -1, sinceMs: this.now() };
    this.backlogs.set(socket, known);
    this.total += socket.writableLength - known.bytes;
    known.bytes = socket.writableLength;
    if (known.bytes > this.limits.maxOutgoingBytes) this.cut(socket);
    while (this.total > this.limits.maxOutgoingBytesOfAll) {
      const [largest] = [...this.backlogs].reduce((most, one) => (one[1].bytes > most[1].bytes ? one : most));
      this.cut(largest);
    }
  }

  private cut(socket: Socket): void {
    this.onSlow();
    this.forget(socket);
    socket.destroy();
  }

  private forget(socket: Socket): void {
    this.total -= this.backlogs.get(socket)?.bytes ?? 0;
    this.backlogs.delete(socket);
  }
}
