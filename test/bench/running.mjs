/** What benchmarks that watch a running agent share: waiting, and what the process costs. Linux only: it reads /proc. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../../agent/packaging/stage.mjs';

/** Node's own flags of the packaged agent. */
export const FLAGS = readFileSync(join(ROOT, 'agent', 'packaging', 'node-flags'), 'utf8')
  .trim()
  .split(' ');

export const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** Resolves to the first answer that is true in its way; throws when there is none in two minutes. */
export async function until(what, ask, deadlineMs = 120_000) {
  const endMs = performance.now() + deadlineMs;
  for (;;) {
    const answer = await ask();
    if (answer) return answer;
    if (performance.now() > endMs) throw new Error(`waited in vain for ${what}`);
    await pause(5);
  }
}

/** Resident memory of a process in MB (10⁶ bytes). */
export const residentMb = (pid) =>
  (Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]) * 1024) / 1e6;
