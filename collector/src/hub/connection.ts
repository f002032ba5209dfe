/** One client of the feed: what it wants, and whether it keeps up. Knows it only by what it can do, not as a socket. */
import type { FeedTopic, WatchedLines } from '@lineheron/models';
import type { SharedMessage } from './shared-message.js';

export interface FeedClient {
  /** Bytes that were sent and that the system has not taken yet. */
  readonly queuedBytes: number;
  send(message: SharedMessage): void;
  ping(): void;
  terminate(): void;
}

/** More than this unsent, and it gets no more until it has caught up. */
const MAX_QUEUED_BYTES = 1024 * 1024;
/** Nobody needs so much unsent: it asks (pings are answered for us) and does not read. */
const MAX_FLOODED_BYTES = 8 * 1024 * 1024;
/** One that takes nothing for so long while there is something for it hangs. */
const FROZEN_MS = 10_000;

export class Connection {
  /** What it asked for and what has not been answered. */
  asked: WatchedLines | null = null;
  alive = true;
  /** Requests since the last heartbeat: one that asks all the time is cut off. */
  requests = 0;
  /** Unsent when it was last seen to take something, and when that was; null while it keeps up. */
  private behind: { bytes: number; sinceMs: number } | null = null;

  constructor(
    readonly client: FeedClient,
    public topics: readonly FeedTopic[],
    public watched: WatchedLines,
  ) {}

  get isFlooded(): boolean {
    return this.client.queuedBytes > MAX_FLOODED_BYTES;
  }

  /** False when it is, or falls, behind. */
  send(message: SharedMessage, nowMs: number): boolean {
    if (this.behind) return false;
    const bytes = this.client.queuedBytes;
    if (bytes > MAX_QUEUED_BYTES) {
      this.behind = { bytes, sinceMs: nowMs };
      return false;
    }
    this.client.send(message);
    return true;
  }

  clockMoved(byMs: number): void {
    if (this.behind) this.behind.sinceMs += byMs;
  }

  /** `ready` for a snapshot, still `behind`, or `frozen`. */
  progress(nowMs: number): 'ready' | 'behind' | 'frozen' {
    const bytes = this.client.queuedBytes;
    if (bytes === 0) {
      this.behind = null;
      return 'ready';
    }
    this.behind ??= { bytes, sinceMs: nowMs };
    if (bytes < this.behind.bytes) this.behind = { bytes, sinceMs: nowMs };
    return nowMs - this.behind.sinceMs >= FROZEN_MS ? 'frozen' : 'behind';
  }
}
