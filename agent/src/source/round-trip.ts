/**
 * What all round trips share: each settles once, whatever its sockets say afterwards, and none outlives its time-out.
 * And the simplest of them, by TCP connect: the time from the first packet to the handshake's end, without the
 * look-up of the name.
 */
import { connect, isIP, type LookupFunction } from 'node:net';
import type { Clock } from '../clock.js';
import { type Ask, lost, type Reply, replyOfError, unmeasured } from '../reply.js';
import { type Addresses, NameLookup, type SystemLookup } from './name-lookup.js';

/** A time-out that is noticed this much later was stretched: the process or the machine slept meanwhile. */
const STRETCHED_MS = 1_000;

/**
 * Runs one round trip. `begin` starts it and returns how to free what it holds; what it throws is its outcome. An
 * answer that came while the process was busy is read before the time counts as up.
 */
export function settled(
  timeoutMs: number,
  begin: (settle: (reply: Reply) => void) => () => void,
): Promise<Reply> {
  return new Promise((resolve) => {
    let over = false;
    let free: (() => void) | null = null;
    const settle = (reply: Reply) => {
      if (over) return;
      over = true;
      clearTimeout(timer);
      free?.();
      resolve(reply);
    };
    const timer = setTimeout(() => setImmediate(settle, lost('timeout')), Math.max(0, timeoutMs));
    try {
      free = begin(settle);
      if (over) free();
    } catch (error) {
      settle(replyOfError(error));
    }
  });
}

/** A round trip during which this process or machine slept says nothing of the line. */
export function timely(ask: Ask, clock: Clock): Ask {
  return async (timeoutMs) => {
    const [startMs, wallStartMs] = [clock.monotonicMs(), clock.nowMs()];
    const reply = await ask(timeoutMs).catch(replyOfError);
    const tookMs = clock.monotonicMs() - startMs;
    // A machine that sleeps stops the monotonic clock; when somebody has set the other one, one sample is lost.
    const wallTookMs = clock.nowMs() - wallStartMs;
    const latestMs = timeoutMs + STRETCHED_MS;
    if (reply.kind === 'answered') return tookMs > latestMs ? unmeasured('paused') : reply;
    const isTimeout = reply.kind === 'lost' && reply.error === 'timeout';
    return isTimeout && Math.max(tookMs, wallTookMs) > latestMs ? unmeasured('paused') : reply;
  };
}

/** What is awaited, or null once the signal is aborted: the end of the agent waits for no answer. */
export function orAborted<T>(awaited: Promise<T>, signal: AbortSignal): Promise<T | null> {
  return new Promise((resolve, reject) => {
    const abort = () => resolve(null);
    signal.addEventListener('abort', abort, { once: true });
    awaited.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}

/** `host:port`, IPv6 in brackets. */
export const HOST_AND_PORT = /^(\[[0-9a-fA-F:.]+\]|[^\s:[\]]{1,253}):\d{1,5}$/;

/** Whether the port at the end is one, where there is any. */
export function hasGoodPort(address: string): boolean {
  const port = /^(?:\[.*\]|[^:]*):(\d+)$/.exec(address)?.[1];
  return port === undefined || (Number(port) >= 1 && Number(port) <= 65_535);
}

/** Splits `host`, `host:port` or `[IPv6]:port`. */
export function hostAndPort(address: string, defaultPort: number): { host: string; port: number } {
  const match = isIP(address) ? null : /^(?:\[(.+)\]|([^:]+))(?::(\d+))?$/.exec(address);
  return {
    host: match?.[1] ?? match?.[2] ?? address,
    port: match?.[3] === undefined ? defaultPort : Number(match[3]),
  };
}

/** For sockets: the addresses that are known already. */
export function knownAddresses(list: Addresses['list']): LookupFunction {
  return (_, { all }, done) => {
    if (all) done(null, list);
    else done(null, list[0]!.address, list[0]!.family);
  };
}

/** Looks the name up, then asks with what is left of the time. */
export function withAddresses(
  names: NameLookup,
  clock: Clock,
  ask: (addresses: Addresses, leftMs: number) => Promise<Reply>,
): Ask {
  return async (timeoutMs) => {
    const startMs = clock.monotonicMs();
    const found = await names.addresses(timeoutMs);
    if ('kind' in found) return found;
    return ask(found, timeoutMs - (clock.monotonicMs() - startMs));
  };
}

/** `address` is `host:port`, IPv6 in brackets. */
export function tcpRoundTrip(address: string, clock: Clock, lookup?: SystemLookup): Ask {
  const { host, port } = hostAndPort(address, 0);
  return withAddresses(new NameLookup(host, lookup), clock, ({ list }, leftMs) =>
    settled(leftMs, (settle) => {
      const startMs = clock.monotonicMs();
      const socket = connect({ host, port, lookup: knownAddresses(list) });
      socket.once('connect', () =>
        settle({ kind: 'answered', latencyMs: clock.monotonicMs() - startMs, error: null }),
      );
      socket.on('error', (error) => settle(replyOfError(error)));
      return () => socket.destroy();
    }),
  );
}
