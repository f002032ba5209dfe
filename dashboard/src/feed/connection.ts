/**
 * The WebSocket to the collector: connects, reads frames, notices silence, comes back by itself. It knows nothing of
 * what frames say beyond their envelope. Holds one socket and one timer of each kind at a time.
 */
import { FEED_VERSION, type FeedFrame, type FeedRequest } from '@lineheron/models';
import type { LineKey } from '../line.js';
import { retryDelayMs } from './backoff.js';

/** `connecting` until the first snapshot; `failed` after several attempts in a row (it goes on trying). */
export type ConnectionState = 'connecting' | 'live' | 'stale' | 'reconnecting' | 'failed';

/** The feed says something every two seconds, so this much silence means that it hangs. */
const STALE_AFTER_MS = 6_000;
export const HUNG_AFTER_MS = 20_000;
const FAILED_AFTER_ATTEMPTS = 4;

/** What is used of a WebSocket. */
export type Socket = Pick<WebSocket, 'onmessage' | 'onclose' | 'send' | 'close' | 'readyState'>;
const OPEN = 1;

export interface ConnectionParts {
  /** Connects, to watch these lines. */
  readonly open: (lines: readonly LineKey[]) => Socket;
  readonly random: () => number;
  readonly setTimer: (run: () => void, ms: number) => number;
  readonly clearTimer: (timer: number) => void;
  /** Returns false when the frame does not fit the state and a snapshot is needed. */
  readonly onFrame: (frame: FeedFrame) => boolean;
  readonly onState: (state: ConnectionState) => void;
}

/** The envelope is checked here; what is inside is the collector's promise, kept by its own tests. */
export function readFrame(data: unknown): FeedFrame | null {
  if (typeof data !== 'string') return null;
  try {
    const frame: unknown = JSON.parse(data);
    if (typeof frame !== 'object' || frame === null) return null;
    const { type, n, v } = frame as { type?: unknown; n?: unknown; v?: unknown };
    if (type === 'lines') return frame as FeedFrame;
    if ((type !== 'snapshot' && type !== 'update') || !Number.isInteger(n)) return null;
    if (type === 'snapshot' && v !== FEED_VERSION) return null;
    return frame as FeedFrame;
  } catch {
    return null;
  }
}

export class FeedConnection {
  readonly #parts: ConnectionParts;
  #socket: Socket | null = null;
  #retryTimer: number | null = null;
  #silenceTimer: number | null = null;
  #attempts = 0;
  #waitingForSnapshot = true;
  #running = false;
  #wanted: readonly LineKey[] = [];
  /** What the collector was asked for last. */
  #asked: readonly LineKey[] = [];

  constructor(parts: ConnectionParts) {
    this.#parts = parts;
  }

  start(): void {
    if (this.#running) return;
    this.#running = true;
    this.#parts.onState('connecting');
    this.#connect();
  }

  stop(): void {
    this.#running = false;
    this.#drop();
  }

  /** Tries at once instead of waiting for the next attempt. */
  reconnectNow(): void {
    if (!this.#running) return;
    this.#drop();
    this.#parts.onState('reconnecting');
    this.#connect();
  }

  /** Lines whose windows the page needs: asked for now, or as soon as the connection is there. */
  watch(lines: readonly LineKey[]): void {
    this.#wanted = lines;
    if (this.#waitingForSnapshot || lines.join('\n') === this.#asked.join('\n')) return;
    this.#asked = lines;
    this.#send({ type: 'watch', lines: [...lines] });
  }

  #send(request: FeedRequest): void {
    if (this.#socket?.readyState === OPEN) this.#socket.send(JSON.stringify(request));
  }

  #connect(): void {
    this.#asked = this.#wanted;
    const socket = this.#parts.open(this.#wanted);
    this.#socket = socket;
    this.#waitingForSnapshot = true;
    this.#watchSilence();
    socket.onmessage = ({ data }) => this.#receive(data);
    socket.onclose = () => this.#lost();
  }

  #receive(data: unknown): void {
    const frame = readFrame(data);
    if (frame === null) {
      this.#lost();
      return;
    }
    this.#watchSilence();
    if (this.#waitingForSnapshot && frame.type !== 'snapshot') return;
    if (this.#parts.onFrame(frame)) {
      this.#waitingForSnapshot = false;
      this.#attempts = 0;
      this.#parts.onState('live');
      this.watch(this.#wanted);
      return;
    }
    this.#waitingForSnapshot = true;
    this.#send({ type: 'resync' });
  }

  /** Silence is first shown, then treated as a lost connection. */
  #watchSilence(): void {
    this.#clearSilence();
    this.#silenceTimer = this.#parts.setTimer(() => {
      if (this.#attempts === 0) this.#parts.onState('stale');
      this.#silenceTimer = this.#parts.setTimer(() => this.#lost(), HUNG_AFTER_MS - STALE_AFTER_MS);
    }, STALE_AFTER_MS);
  }

  #lost(): void {
    if (!this.#running) return;
    this.#drop();
    const delay = retryDelayMs(this.#attempts, this.#parts.random());
    this.#attempts += 1;
    this.#parts.onState(this.#attempts >= FAILED_AFTER_ATTEMPTS ? 'failed' : 'reconnecting');
    this.#retryTimer = this.#parts.setTimer(() => this.#connect(), delay);
  }

  #drop(): void {
    this.#clearSilence();
    if (this.#retryTimer !== null) this.#parts.clearTimer(this.#retryTimer);
    this.#retryTimer = null;
    const socket = this.#socket;
    this.#socket = null;
    if (socket === null) return;
    socket.onmessage = null;
    socket.onclose = null;
    socket.close();
  }

  #clearSilence(): void {
    if (this.#silenceTimer !== null) this.#parts.clearTimer(this.#silenceTimer);
    this.#silenceTimer = null;
  }
}
