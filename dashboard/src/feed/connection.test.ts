import type { FeedFrame } from '@lineheron/models';
import { describe, expect, it } from 'vitest';
import { snapshot } from '../testing/views.js';
import { retryDelayMs } from './backoff.js';
import { type ConnectionState, FeedConnection, readFrame, type Socket } from './connection.js';

/** A socket and a clock that the test moves by hand. */
class Bench {
  readonly sockets: (Socket & { sent: string[]; closed: boolean })[] = [];
  readonly states: ConnectionState[] = [];
  readonly frames: FeedFrame[] = [];
  readonly opened: (readonly string[])[] = [];
  readonly #timers = new Map<number, { at: number; run: () => void }>();
  #now = 0;
  #next = 1;
  fits = true;

  readonly connection = new FeedConnection({
    open: (lines) => {
      this.opened.push(lines);
      return this.#open();
    },
    random: () => 1,
    setTimer: (run, ms) => {
      this.#timers.set(this.#next, { at: this.#now + ms, run });
      this.#next += 1;
      return this.#next - 1;
    },
    clearTimer: (timer) => this.#timers.delete(timer),
    onFrame: (frame) => {
      this.frames.push(frame);
      return this.fits;
    },
    onState: (state) => this.states.push(state),
  });

  #open(): Socket {
    const sent: string[] = [];
    const socket: Socket & { sent: string[]; closed: boolean } = {
      onmessage: null,
      onclose: null,
      readyState: 1,
      sent,
      closed: false,
      send: (text: string) => sent.push(text),
      close: () => {
        socket.closed = true;
      },
    } as unknown as Socket & { sent: string[]; closed: boolean };
    this.sockets.push(socket);
    return socket;
  }

  get socket() {
    return this.sockets.at(-1)!;
  }

  get timers() {
    return this.#timers.size;
  }

  say(data: unknown) {
    this.socket.onmessage?.call(this.socket as unknown as WebSocket, { data } as MessageEvent);
  }

  lose() {
    this.socket.onclose?.call(this.socket as unknown as WebSocket, {} as CloseEvent);
  }

  pass(ms: number) {
    const until = this.#now + ms;
    for (;;) {
      const due = [...this.#timers].filter(([, { at }]) => at <= until).sort((a, b) => a[1].at - b[1].at)[0];
      if (!due) break;
      this.#timers.delete(due[0]);
      this.#now = due[1].at;
      due[1].run();
    }
    this.#now = until;
  }
}

const SNAPSHOT = JSON.stringify(snapshot());
const update = (n: number) => JSON.stringify({ type: 'update', n });

function live(): Bench {
  const bench = new Bench();
  bench.connection.start();
  bench.say(SNAPSHOT);
  return bench;
}

describe('the connection', () => {
  it('is live with the first snapshot', () => {
    expect(live().states).toEqual(['connecting', 'live']);
  });

  it('asks for a snapshot once when a frame does not follow, and waits for it', () => {
    const bench = live();
    bench.fits = false;
    bench.say(update(9));
    bench.say(update(10));
    expect(bench.socket.sent).toEqual(['{"type":"resync"}']);
    expect(bench.frames).toHaveLength(2);
    bench.fits = true;
    bench.say(SNAPSHOT);
    bench.say(update(8));
    expect(bench.frames).toHaveLength(4);
  });

  it('asks for the lines that it shall watch once it is there, and with the address when it comes back', () => {
    const bench = new Bench();
    bench.connection.start();
    bench.connection.watch(['gw-1/a']);
    expect(bench.socket.sent).toEqual([]);
    bench.say(SNAPSHOT);
    bench.connection.watch(['gw-1/a']);
    bench.connection.watch(['gw-1/b']);
    expect(bench.socket.sent).toEqual([
      '{"type":"watch","lines":["gw-1/a"]}',
      '{"type":"watch","lines":["gw-1/b"]}',
    ]);
    bench.lose();
    bench.pass(15_000);
    bench.say(SNAPSHOT);
    expect(bench.opened).toEqual([[], ['gw-1/b']]);
    expect(bench.socket.sent).toEqual([]);
  });

  it('says stale after six silent seconds and starts anew after twenty', () => {
    const bench = live();
    bench.pass(6_000);
    expect(bench.states.at(-1)).toBe('stale');
    bench.pass(14_000);
    expect(bench.states.at(-1)).toBe('reconnecting');
    expect(bench.socket.closed).toBe(true);
  });

  it('says failed after four attempts in a row, goes on trying, and is live again with a snapshot', () => {
    const bench = live();
    for (let attempt = 0; attempt < 4; attempt += 1) {
      bench.lose();
      bench.pass(15_000);
    }
    expect(bench.states.slice(-4)).toEqual(['reconnecting', 'reconnecting', 'reconnecting', 'failed']);
    expect(bench.sockets).toHaveLength(5);
    bench.say(SNAPSHOT);
    expect(bench.states.at(-1)).toBe('live');
  });

  it('holds one socket and at most one timer however often it is lost', () => {
    const bench = live();
    for (let attempt = 0; attempt < 20; attempt += 1) {
      bench.lose();
      bench.pass(15_000);
    }
    expect(bench.sockets.slice(0, -1).every(({ closed }) => closed)).toBe(true);
    expect(bench.timers).toBe(1);
  });

  it('tries at once when asked to', () => {
    const bench = live();
    bench.lose();
    bench.connection.reconnectNow();
    expect(bench.sockets).toHaveLength(2);
    expect(bench.timers).toBe(1);
  });

  it('leaves nothing behind when stopped', () => {
    const bench = live();
    bench.connection.stop();
    expect(bench.socket.closed).toBe(true);
    expect(bench.timers).toBe(0);
  });

  it('treats what is not a frame as a lost connection', () => {
    const bench = live();
    bench.say('{"type":');
    expect(bench.states.at(-1)).toBe('reconnecting');
  });
});

describe('reading a frame', () => {
  it.each([
    '',
    'null',
    '[]',
    '{}',
    '{"type":"update"}',
    '{"type":"other","n":1}',
    '{"type":"update","n":1.5}',
    '{"type":"snapshot","n":1}',
    '{"type":"snapshot","v":4,"n":1}',
    7,
  ])('refuses %j', (data) => {
    expect(readFrame(data)).toBeNull();
  });
});

describe('the pause before another attempt', () => {
  it('doubles from half a second and is capped at fifteen', () => {
    expect([0, 1, 2, 3, 4, 5, 50].map((attempt) => retryDelayMs(attempt, 1))).toEqual([
      500, 1000, 2000, 4000, 8000, 15_000, 15_000,
    ]);
  });

  it('is spread over its upper half', () => {
    expect([retryDelayMs(5, 0), retryDelayMs(5, 0.5)]).toEqual([7_500, 11_250]);
  });
});
