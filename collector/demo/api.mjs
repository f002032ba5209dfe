/** The few calls that the launcher makes to its own collector. */

const TIMEOUT_MS = 10_000;

/** Returns the parsed answer; throws with the problem's own words when it is an error. */
export async function call(base, method, path, body) {
  const answer = await fetch(`${base}${path}`, {
    method,
    signal: AbortSignal.timeout(TIMEOUT_MS),
    ...(body === undefined
      ? {}
      : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
  });
  const content = await answer.json().catch(() => null);
  if (!answer.ok) throw new Error(`${method} ${path}: ${content?.detail ?? content?.title ?? answer.status}`);
  return content;
}

/** Asks `question` until it answers something; null when `signal` is aborted or the deadline has passed. */
export async function until(question, { deadlineMs, everyMs = 250, signal }) {
  const deadline = performance.now() + deadlineMs;
  while (!signal.aborted && performance.now() < deadline) {
    const answer = await question().catch(() => null);
    if (answer) return answer;
    await new Promise((resolve) => setTimeout(resolve, everyMs));
  }
  return null;
}
