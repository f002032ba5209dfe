/** How long to wait before the next attempt: doubling, capped, with jitter so that many pages do not come at once. */

const FIRST_MS = 500;
const CAP_MS = 15_000;

/** `attempt` counts from 0; `random` is in [0, 1). The result is in [half, whole] of the capped delay. */
export function retryDelayMs(attempt: number, random: number): number {
  const whole = Math.min(CAP_MS, FIRST_MS * 2 ** Math.min(attempt, 16));
  return whole / 2 + (whole / 2) * random;
}
