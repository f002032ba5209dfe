/**
 * One round trip to one target: TCP connect, HTTP(S) request, DNS query over UDP, or the system's `ping`. Nothing is
 * kept between two of them, so each pays for its own connection. Never rejects; what went wrong is a short word.
 */
import { spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { isIPv6 } from 'node:net';
import type { Clock } from '../clock.js';
import { dnsAnswer, dnsQuery } from './probe-dns.js';
import { tcpRoundTrip } from './round-trip.js';

export type Target =
  | { type: 'tcp'; address: string }
  | { type: 'http'; url: string }
  | { type: 'dns'; server: string; query: string }
  | { type: 'icmp'; address: string; program?: string | undefined };

export interface Reply {
  /** Null when there was no answer in time. */
  latencyMs: number | null;
  /** What is wrong although it answered, or why it did not; an HTTP status, a DNS code or a word. */
  error: string | null;
}

export interface ProbeTools {
  clock: Clock;
  /** In [0, 1). */
  random: () => number;
}

type Ask = (timeoutMs: number) => Promise<Reply>;

const DNS_PORT = 53;
const MAX_PING_OUTPUT = 4096;
/** `ping` gets this much longer than it was told to wait, to say so itself. */
const PING_GRACE_MS = 500;
const TIMEOUT: Reply = { latencyMs: null, error: 'timeout' };

export function asker(target: Target, tools: ProbeTools): Ask {
  switch (target.type) {
    case 'tcp':
      return async (timeoutMs) => {
        const latencyMs = await tcpRoundTrip(target.address, tools.clock)(timeoutMs);
        return { latencyMs, error: latencyMs === null ? 'no_connection' : null };
      };
    case 'http':
      return (timeoutMs) => askHttp(target.url, tools, timeoutMs);
    case 'dns':
      return (timeoutMs) => askDns(target.server, target.query, tools, timeoutMs);
    case 'icmp':
      return (timeoutMs) => askPing(target.program ?? 'ping', target.address, timeoutMs);
  }
}

/** Until the first byte of the answer, name look-up and handshakes included. */
async function askHttp(url: string, { clock }: ProbeTools, timeoutMs: number): Promise<Reply> {
  const { request } = await import(url.startsWith('https:') ? 'node:https' : 'node:http');
  return new Promise((resolve) => {
    const startMs = clock.monotonicMs();
    const asked = request(url, { method: 'GET', agent: false, headers: { 'user-agent': 'lineheron-agent' } });
    const finish = (reply: Reply) => {
      clearTimeout(timer);
      asked.destroy();
      resolve(reply);
    };
    const timer = setTimeout(() => finish(TIMEOUT), timeoutMs);
    asked.on('response', ({ statusCode }: { statusCode: number }) =>
      finish({
        latencyMs: clock.monotonicMs() - startMs,
        error: statusCode >= 400 ? String(statusCode) : null,
      }),
    );
    asked.on('error', (error: NodeJS.ErrnoException) => finish({ latencyMs: null, error: wordOf(error) }));
    asked.end();
  });
}

function askDns(
  server: string,
  name: string,
  { clock, random }: ProbeTools,
  timeoutMs: number,
): Promise<Reply> {
  const { host, port } = serverOf(server);
  const id = Math.floor(random() * 0x10000);
  return new Promise((resolve) => {
    const socket = createSocket(isIPv6(host) ? 'udp6' : 'udp4');
    const startMs = clock.monotonicMs();
    const finish = (reply: Reply) => {
      clearTimeout(timer);
      socket.close();
      resolve(reply);
    };
    const timer = setTimeout(() => finish(TIMEOUT), timeoutMs);
    // Connected, so that only the server's own answer comes in, and a refusal is told.
    socket.connect(port, host, () => socket.send(dnsQuery(id, name)));
    socket.on('message', (bytes) => {
      const answer = dnsAnswer(bytes, id, name);
      if (answer) finish({ latencyMs: clock.monotonicMs() - startMs, error: answer.error });
    });
    socket.on('error', (error) => finish({ latencyMs: null, error: wordOf(error) }));
  });
}

/** `address` or `address:port`, IPv6 with port in brackets. */
function serverOf(server: string): { host: string; port: number } {
  const match = /^\[([^\]]+)\](?::(\d+))?$|^([^:]+)(?::(\d+))?$/.exec(server);
  const port = match?.[2] ?? match?.[4];
  return { host: match?.[1] ?? match?.[3] ?? server, port: port === undefined ? DNS_PORT : Number(port) };
}

/** The program has the permission that this process need not have. */
function askPing(program: string, address: string, timeoutMs: number): Promise<Reply> {
  return new Promise((resolve) => {
    const seconds = String(Math.max(1, Math.ceil(timeoutMs / 1000)));
    const child = spawn(program, ['-n', '-c', '1', '-W', seconds, '--', address], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, LC_ALL: 'C' },
    });
    let output = '';
    const finish = (reply: Reply) => {
      clearTimeout(timer);
      child.kill('SIGKILL');
      resolve(reply);
    };
    const timer = setTimeout(() => finish(TIMEOUT), timeoutMs + PING_GRACE_MS);
    const keep = (bytes: Buffer) => {
      output = (output + bytes.toString()).slice(0, MAX_PING_OUTPUT);
    };
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    child.on('error', () => finish({ latencyMs: null, error: 'no_ping_program' }));
    child.on('close', (code) => finish(pingReply(output, code, timeoutMs)));
  });
}

/** Reads what `ping` said: iputils, BusyBox and BSD alike. */
export function pingReply(output: string, code: number | null, timeoutMs: number): Reply {
  const match = /time[=<]\s*([\d.]+)\s*ms/.exec(output);
  if (match) {
    const latencyMs = Number(match[1]);
    return latencyMs <= timeoutMs ? { latencyMs, error: null } : TIMEOUT;
  }
  if (/not permitted|permission denied|lacking privilege/i.test(output))
    return { latencyMs: null, error: 'not_permitted' };
  if (/unknown host|not known|name resolution|bad address/i.test(output))
    return { latencyMs: null, error: 'unknown_host' };
  if (/unreachable/i.test(output)) return { latencyMs: null, error: 'unreachable' };
  return code === 1 || code === 0 ? TIMEOUT : { latencyMs: null, error: 'ping_failed' };
}

function wordOf({ code }: NodeJS.ErrnoException): string {
  return (code ?? 'failed')
    .toLowerCase()
    .replace(/^e(?=conn|host|net)/, '')
    .slice(0, 32);
}
