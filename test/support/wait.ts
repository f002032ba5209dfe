/** Waiting on a condition with a deadline: the only way in which a test here waits. */

const POLL_MS = 50;

/** Resolves to the first answer that is not null, undefined or false; throws with `what` when the time is over. */
export async function waitFor<T>(
  what: string,
  question: () => T | null | undefined | false | Promise<T | null | undefined | false>,
  deadlineMs = 20_000,
): Promise<T> {
  const deadline = performance.now() + deadlineMs;
  let last: unknown;
  while (performance.now() < deadline) {
    try {
      const answer = await question();
      if (answer !== null && answer !== undefined && answer !== false) return answer;
    } catch (error) {
      last = error;
    }
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
  throw new Error(`waited ${deadlineMs} ms in vain for ${what}${last ? ` (last: ${String(last)})` : ''}`);
}
