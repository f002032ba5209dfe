/**
 * Keeps the store within its limits of time, step by step between commits; its bytes it keeps to by itself, as they
 * come. Tries now and then whether the store can still be written, so that this is known without any agent's data too.
 *
 * A clock that jumps ahead would make everything old at once. Until the new time has held for a day, what is removed by
 * its age is what the old one would have removed; the bound by bytes holds all the time.
 */
import { setImmediate } from 'node:timers/promises';
import { span } from '@lineheron/models';
import { errorText } from './log.js';
import type { Store } from './store/store.js';

const EVERY_MS = 60_000;
/** While writes fail: so soon it is known that they succeed again. */
const RETRY_MS = 5000;
const HOUR_MS = 3_600_000;
/** A clock that was set further ahead may be wrong. */
const DOUBTFUL_MS = HOUR_MS;
/** So is one that says that nothing was stored for longer than this, when the collector starts. */
const DOUBTFUL_GAP_MS = 24 * HOUR_MS;
const TRUSTED_AFTER_MS = 24 * HOUR_MS;

export class RetentionTask {
  private readonly timers: NodeJS.Timeout[] = [];
  private running = false;
  private stopped = false;
  /** How far the clock stands ahead of the one that is trusted, and until when on the monotonic clock. */
  private aheadMs = 0;
  private trustedAtMs = 0;

  constructor(
    private readonly store: Pick<Store, 'prune' | 'probe' | 'state'>,
    private readonly now: () => number,
    private readonly onProblem: (message: string) => void,
    private readonly monotonicMs: () => number = () => performance.now(),
  ) {}

  /** `newestMs`: when the newest window was stored. */
  start(newestMs: number | null): void {
    const gapMs = newestMs === null ? 0 : this.now() - newestMs;
    if (gapMs > DOUBTFUL_GAP_MS)
      this.doubt(gapMs, `the newest stored window is ${span(gapMs / 1000)} old, or the clock is wrong`);
    const retry = () => {
      if (this.store.state.failing !== null) void this.probe();
    };
    this.timers.push(
      setInterval(() => void this.run(), EVERY_MS),
      setInterval(retry, RETRY_MS),
    );
    void this.run();
  }

  /** The clock was set by so much. */
  clockMoved(byMs: number): void {
    if (byMs >= DOUBTFUL_MS) this.doubt(byMs, `the clock was set ahead by ${span(byMs / 1000)}`);
    else this.aheadMs = Math.max(0, this.aheadMs + byMs);
  }

  private doubt(byMs: number, why: string): void {
    this.aheadMs += byMs;
    this.trustedAtMs = this.monotonicMs() + TRUSTED_AFTER_MS;
    this.onProblem(
      `${why}: for a day nothing is removed for its age alone; set the clock of this machine if it is wrong`,
    );
  }

  private trustedNowMs(): number {
    if (this.monotonicMs() >= this.trustedAtMs) this.aheadMs = 0;
    return this.now() - this.aheadMs;
  }

  stop(): void {
    this.stopped = true;
    for (const timer of this.timers) clearInterval(timer);
  }

  /** One turn: until nothing is left to remove. Resolves to the steps it took. */
  async run(): Promise<number> {
    if (this.running || this.stopped) return 0;
    this.running = true;
    let steps = 0;
    try {
      await this.probe();
      while (!this.stopped) {
        steps++;
        if (!(await this.store.prune(this.trustedNowMs()))) break;
        // What has come meanwhile goes first, however fast the store answers.
        await setImmediate();
      }
    } catch (error) {
      if (!this.stopped && this.store.state.failing === null) {
        this.onProblem(`old rows were not removed: ${errorText(error)}`);
      }
    } finally {
      this.running = false;
    }
    return steps;
  }

  /** What it finds is in the store's state. */
  private async probe(): Promise<void> {
    await this.store.probe().catch(() => {});
  }
}
