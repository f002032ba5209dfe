/**
 * One round trip to one target: TCP connect, HTTP(S) request, DNS query over UDP, or the system's `ping`. Nothing is
 * kept between two of them but the addresses of a name, so each pays for its own connection.
 */
import { createSocket } from 'node:dgram';
import type { RequestOptions } from 'node:http';
import type { TLSSocket } from 'node:tls';
import type { Clock } from '../clock.js';
import { type Ask, type Reply, replyOfError, wordOf } from '../reply.js';
import { NameLookup, type SystemLookup } from './name-lookup.js';
import { dnsAnswer, dnsQuery } from './probe-dns.js';
import { runPing } from './probe-ping.js';
import { hostAndPort, knownAddresses, settled, tcpRoundTrip, timely, withAddresses } from './round-trip.js';

export type Target =
  | { type: 'tcp'; address: string }
  | { type: 'http'; url: string }
  | { type: 'dns'; server: string; query: string }
  | { type: 'icmp'; address: string; program?: string | undefined };

export interface ProbeTools {
  clock: Clock;
  /** In [0, 1). */
  random: () => number;
  /** The system's own when absent. */
  lookup?: SystemLookup | undefined;
}

const DNS_PORT = 53;

export function asker(target: Target, tools: ProbeTools): Ask {
  return timely(untimed(target, tools), tools.clock);
}

function untimed(target: Target, tools: ProbeTools): Ask {
  const { clock, lookup } = tools;
  switch (target.type) {
    case 'tcp':
      return tcpRoundTrip(target.address, clock, lookup);
    case 'http':
      return httpRoundTrip(target.url, tools);
    case 'dns':
      return dnsRoundTrip(target.server, target.query, tools);
    case 'icmp':
      return withAddresses(new NameLookup(target.address, lookup), clock, ({ list }, leftMs) =>
        runPing(target.program ?? 'ping', list[0]!.address, leftMs),
      );
  }
}

/** Until the first byte of the answer: handshakes included, and the look-up of the name where one answered. */
function httpRoundTrip(text: string, { clock, lookup }: ProbeTools): Ask {
  const url = new URL(text);
  const names = new NameLookup(url.hostname.replace(/^\[|\]$/g, ''), lookup);
  return async (timeoutMs) => {
    const { request } = await import(url.protocol === 'https:' ? 'node:https' : 'node:http');
    const askedMs = clock.monotonicMs();
    const ask = withAddresses(names, clock, ({ list, old }, leftMs) =>
      settled(leftMs, (settle) => {
        const startMs = old ? clock.monotonicMs() : askedMs;
        const options: RequestOptions = {
          agent: false,
          headers: { 'user-agent': 'lineheron-agent' },
          lookup: knownAddresses(list),
        };
        const asked = request(url, options);
        asked.on('response', (response: NodeJS.EventEmitter & { statusCode: number }) => {
          response.on('error', () => {});
          const error = response.statusCode >= 400 ? String(response.statusCode) : null;
          settle({ kind: 'answered', latencyMs: clock.monotonicMs() - startMs, error });
        });
        asked.on('error', (error: NodeJS.ErrnoException) => settle(replyOfHttp(error, asked.socket)));
        asked.end();
        return () => asked.destroy();
      }),
    );
    return ask(timeoutMs);
  };
}

/** Who answers in bad HTTP, in no TLS or with a bad certificate has answered, and not been lost. */
function replyOfHttp(error: NodeJS.ErrnoException, socket: TLSSocket | null): Reply {
  const code = error.code ?? '';
  const answered = socket?.authorizationError || /^(HPE_|ERR_SSL_|ERR_TLS_|EPROTO$)/.test(code);
  return answered ? { kind: 'answered', latencyMs: null, error: wordOf(code) } : replyOfError(error);
}

function dnsRoundTrip(server: string, name: string, { clock, random, lookup }: ProbeTools): Ask {
  const { host, port } = hostAndPort(server, DNS_PORT);
  return withAddresses(new NameLookup(host, lookup), clock, ({ list }, leftMs) =>
    settled(leftMs, (settle) => {
      const { address, family } = list[0]!;
      const id = Math.floor(random() * 0x10000);
      const startMs = clock.monotonicMs();
      const socket = createSocket(family === 6 ? 'udp6' : 'udp4');
      const failed = (error: Error | null) => {
        if (error) settle(replyOfError(error));
      };
      socket.on('error', failed);
      socket.on('message', (bytes) => {
        const answer = dnsAnswer(bytes, id, name);
        if (answer)
          settle({ kind: 'answered', latencyMs: clock.monotonicMs() - startMs, error: answer.error });
      });
      // Connected, so that only the server's own answer comes in, and a refusal is told. The call-back comes after a
      // failure as well.
      socket.connect(port, address, ((error?: Error) => {
        if (error) return failed(error);
        try {
          socket.send(dnsQuery(id, name), failed);
        } catch (closed) {
          settle(replyOfError(closed));
        }
      }) as () => void);
      return () => socket.close();
    }),
  );
}
