/** A round trip by the system's program `ping`, which has the permission that this process need not have. */
import { spawn } from 'node:child_process';
import { lost, type Reply, replyOfError, unmeasured } from '../reply.js';
import { settled } from './round-trip.js';

const MAX_OUTPUT = 4096;
/** `ping` gets this much longer than it was told to wait, to say so itself. */
const GRACE_MS = 500;

/** `address` is an IP address: whose name cannot be looked up is not for `ping` to say. */
export function runPing(program: string, address: string, timeoutMs: number): Promise<Reply> {
  return settled(timeoutMs + GRACE_MS, (settle) => {
    const seconds = String(Math.max(1, Math.ceil(timeoutMs / 1000)));
    const child = spawn(program, ['-n', '-c', '1', '-W', seconds, '--', address], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, LC_ALL: 'C' },
    });
    let output = '';
    const keep = (bytes: Buffer) => {
      output = (output + bytes.toString()).slice(0, MAX_OUTPUT);
    };
    child.on('error', (error: NodeJS.ErrnoException) =>
      settle(error.code === 'ENOENT' ? unmeasured('no_ping_program') : replyOfError(error)),
    );
    // Without a file descriptor to spare there are no streams, whatever the types say.
    for (const stream of [child.stdout, child.stderr]) stream?.on('data', keep).on('error', () => {});
    child.on('close', (code) => settle(pingReply(output, code, timeoutMs)));
    return () => child.kill('SIGKILL');
  });
}

/**
 * Reads what `ping` said: iputils, BusyBox and BSD alike. Their exit codes differ, so the words decide; whoever says
 * neither that a packet went out nor that no way leads there has measured nothing.
 */
export function pingReply(output: string, code: number | null, timeoutMs: number): Reply {
  const match = /time[=<]\s*([\d.]+)\s*ms/.exec(output);
  if (match) {
    const latencyMs = Number(match[1]);
    return latencyMs <= timeoutMs ? { kind: 'answered', latencyMs, error: null } : lost('timeout');
  }
  if (/not permitted|permission denied|lacking privilege/i.test(output)) return unmeasured('not_permitted');
  if (/unreachable|no route to host|(network|host) is down/i.test(output)) return lost('unreachable');
  if (/\b[1-9]\d* packets transmitted/i.test(output)) return lost('timeout');
  return unmeasured(code === null ? 'ping_ended' : 'ping_failed');
}
