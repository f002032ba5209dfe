/** The other end of `ThreadCalls`: in a worker thread, answers calls in the order in which they come. */
import { parentPort } from 'node:worker_threads';
import { explain, faultOf, isDamage } from './faults.js';
import { markDamaged } from './set-aside.js';
import { StoreBusyError, StoreError } from './store.js';
import { sharedNow, type ThreadCall, type ThreadError, type ThreadReply } from './thread-calls.js';

interface Answering {
  close(): void;
}

/** `open` gives what is called, and what is said when it is ready. */
export function answerCalls(path: string, open: () => { target: Answering; ready?: unknown }): void {
  const port = parentPort!;
  const answer = (reply: ThreadReply) => port.postMessage(reply);
  let target: Record<string, (...args: unknown[]) => unknown>;
  try {
    const opened = open();
    target = opened.target as unknown as typeof target;
    answer({ id: 0, result: opened.ready });
  } catch (error) {
    answer({ id: 0, error: toThreadError(path, error) });
    return;
  }
  port.on('message', ({ id, method, args, expiresMs = Number.POSITIVE_INFINITY }: ThreadCall) => {
    try {
      if (sharedNow() > expiresMs) throw new StoreBusyError('too many questions are waiting');
      answer({ id, result: target[method]!(...args) });
    } catch (error) {
      answer({ id, error: toThreadError(path, error) });
    }
    if (method === 'close') port.close();
  });
}

/** Damage is remembered over a restart, which then sets the store aside. */
export function toThreadError(path: string, error: unknown): ThreadError {
  if (error instanceof StoreError) return { name: error.name, message: error.message, damage: false };
  const fault = faultOf(error);
  const damage = isDamage(fault);
  if (damage) {
    try {
      markDamaged(path, fault.message);
    } catch {
      // The disk takes nothing any more: the check at the next start has to find it.
    }
  }
  return { name: 'StoreError', message: explain(path, fault), damage };
}
