/**
 * The collector's clock as the page knows it: each frame says what time it was there, and the page's own monotonic clock
 * goes on from that. The clock of the browser's machine is never asked: it may be wrong by hours.
 */

/** The collector's clock differs by more than delays explain: it has been set. */
const SET_MS = 10_000;
/** How quickly the two clocks' drift is followed: the share of a difference that one frame makes good. */
const FOLLOW = 0.05;

/**
 * The page's monotonic clock minus the collector's, after a frame that was written at `frameMs` arrived at `monotonicMs`.
 * The least delay is nearest to the truth.
 */
export function clockOffset(known: number | null, frameMs: number, monotonicMs: number): number {
  const seen = monotonicMs - frameMs;
  if (known === null || seen < known || seen - known > SET_MS) return seen;
  return known + FOLLOW * (seen - known);
}

/** A difference between the browser's two clocks that a sleep explains. */
const SLEPT_MS = 1000;

/**
 * Milliseconds that go on while the browser sleeps. `performance.now()` stands still then on most systems, so what the
 * other clock went ahead of it is added; that it was set ahead looks the same, until the next frame puts it right.
 */
export class PageClock {
  #sleptMs = 0;
  #seenMonotonicMs: number;
  #seenWallMs: number;

  constructor(
    private readonly monotonicMs: () => number,
    private readonly wallMs: () => number,
  ) {
    this.#seenMonotonicMs = monotonicMs();
    this.#seenWallMs = wallMs();
  }

  nowMs(): number {
    const [monotonicMs, wallMs] = [this.monotonicMs(), this.wallMs()];
    const aheadMs = wallMs - this.#seenWallMs - (monotonicMs - this.#seenMonotonicMs);
    if (aheadMs > SLEPT_MS) this.#sleptMs += aheadMs;
    this.#seenMonotonicMs = monotonicMs;
    this.#seenWallMs = wallMs;
    return monotonicMs + this.#sleptMs;
  }
}
