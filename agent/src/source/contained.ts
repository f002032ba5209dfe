/**
 * Holds a source's faults inside it. What a source throws while it is pulled reaches whoever pulls; what its sockets,
 * timers and promises throw in between reaches nobody, and would end the process. Everything that a source begins
 * carries its owner along, so that such a fault ends that source alone, as any other failure of it.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import type { Chunk, Source } from './source.js';

type Fail = (error: unknown) => void;

const owner = new AsyncLocalStorage<Fail>();

/** For a fault that nobody caught, where it is heard of: false when it is no source's. */
export function failItsSource(error: unknown): boolean {
  const fail = owner.getStore();
  fail?.(error);
  return fail !== undefined;
}

/** The source's chunks. Throws when it failed in any way, at once, whatever it still waits for. */
export async function* containedChunks(source: Source, signal: AbortSignal): AsyncGenerator<Chunk> {
  const failed = new AbortController();
  let stopWaiting: Fail = () => {};
  const fail: Fail = (error) => {
    failed.abort(error);
    stopWaiting(error);
  };
  const own = <T>(work: () => T): T => owner.run(fail, work);
  const chunks = own(() => source.chunks(AbortSignal.any([signal, failed.signal])));
  // No Promise.race: each would leave something behind with the one that waits for a fault.
  const next = () =>
    new Promise<IteratorResult<Chunk>>((resolve, reject) => {
      stopWaiting = reject;
      own(() => chunks.next()).then(resolve, reject);
    });
  try {
    for (;;) {
      const { value, done } = await next();
      if (failed.signal.aborted) throw failed.signal.reason;
      if (done) return;
      yield value;
    }
  } finally {
    const closed = own(() => chunks.return(undefined)).catch(fail);
    // Whoever failed may hang.
    if (!failed.signal.aborted) await closed;
  }
}
