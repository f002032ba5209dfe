/**
 * The wall clock, and who has to know when somebody sets it: it is held against the monotonic clock, which nobody sets,
 * whenever it is asked, so that nobody gets a time of the new clock before all have heard of the jump.
 */

/** Less is what a time service corrects in passing. */
const JUMP_MS = 5_000;

export class WallClock {
  private lastMs: number;
  private lastMonotonicMs: number;

  /** `onJump` gets by how much the clock was set forward, ms; negative for back. */
  constructor(
    private readonly onJump: (byMs: number) => void,
    private readonly wallMs: () => number = () => Date.now(),
    private readonly monotonicMs: () => number = () => performance.now(),
  ) {
    this.lastMs = wallMs();
    this.lastMonotonicMs = monotonicMs();
  }

  /** Milliseconds since 1970. */
  now(): number {
    const nowMs = this.wallMs();
    const monotonicMs = this.monotonicMs();
    const byMs = nowMs - this.lastMs - (monotonicMs - this.lastMonotonicMs);
    this.lastMs = nowMs;
    this.lastMonotonicMs = monotonicMs;
    if (Math.abs(byMs) >= JUMP_MS) this.onJump(byMs);
    return nowMs;
  }
}
