/** Round trip by TCP connect: the time from the first packet to the handshake's end, name lookup not counted. */
import { connect } from 'node:net';
import type { Clock } from '../clock.js';

/** Time of one round trip in ms, null when it failed or took longer than `timeoutMs`. Never rejects. */
export type RoundTrip = (timeoutMs: number) => Promise<number | null>;

/** `target` is `host:port`, IPv6 in brackets. */
export function tcpRoundTrip(target: string, clock: Clock): RoundTrip {
  const split = target.lastIndexOf(':');
  const host = target.slice(0, split).replace(/^\[|\]$/g, '');
  const port = Number(target.slice(split + 1));
  return (timeoutMs) =>
    new Promise((resolve) => {
      let startMs = clock.monotonicMs();
      const socket = connect({ host, port });
      const finish = (elapsedMs: number | null) => {
        clearTimeout(timer);
        socket.destroy();
        resolve(elapsedMs);
      };
      const timer = setTimeout(() => finish(null), timeoutMs);
      socket.once('lookup', () => {
        startMs = clock.monotonicMs();
      });
      socket.once('connect', () => finish(clock.monotonicMs() - startMs));
      socket.on('error', () => finish(null));
    });
}
