/**
 * Removes what is too old or too much, in small steps between commits, so that ingest never waits long. A turn goes on
 * until nothing is left to remove: the bounds hold at any rate that the store can take.
 *
 * A clock that jumps ahead would make everything old at once. Until the new time has held for a day, what is removed by
 * its age is what the old one would have removed; the bounds by number hold all the time.
 */
import { setImmediate } from 'node:timers/promises';
import { span } from '@lineheron/models';
import type { Config } from './config.js';
import { errorText } from './log.js';
import type { Store } from './store/store.js';

const EVERY_MS = 60_000;
const STEP_ROWS = 500;
const HOUR_MS = 3_600_000;
/** A clock that was set further ahead may be wrong. */
const DOUBTFUL_MS = HOUR_MS;
/** So is one that says that nothing was stored for longer than this, when the collector starts. */
const DOUBTFUL_GAP_MS = 24 * HOUR_MS;
const TRUSTED_AFTER_MS = 24 * HOUR_MS;

export class RetentionTask {
  private timer: NodeJS.Timeout | null = null;
  private running = false;
  private stopped = false;
  /** How far the clock stands ahead of the one that is trusted, and until when on the monotonic clock. */
  private aheadMs = 0;
  private trustedAtMs = 0;

  constructor(
    private readonly store: Pick<Store, 'prune'>,
    private readonly limits: Config['retention'],
    private readonly now: () => number,
    private readonly onProblem: (message: string) => void,
    private readonly monotonicMs: () => number = () => performance.now(),
  ) {}

  /** `newestMs`: when the newest window was stored. */
  start(newestMs: number | null): void {
    const gapMs = newestMs === null ? 0 : this.now() - newestMs;
    if (gapMs > DOUBTFUL_GAP_MS)
      this.doubt(gapMs, `the newest stored window is ${span(gapMs / 1000)} old, or the clock is wrong`);
    this.timer = setInterval(() => void this.run(), EVERY_MS);
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
    if (this.timer) clearInterval(this.timer);
  }

  /** One turn; resolves to the rows removed. */
  async run(): Promise<number> {
    if (this.running) return 0;
    this.running = true;
    let removed = 0;
    try {
      while (!this.stopped) {
        const rows = await this.step();
        removed += rows;
        if (rows === 0) break;
        // What has come meanwhile goes first, however fast the store answers.
        await setImmediate();
      }
    } catch (error) {
      this.onProblem(`old rows were not removed: ${errorText(error)}`);
    } finally {
      this.running = false;
    }
    return removed;
  }

  private step(): Promise<number> {
    const { windows_hours, max_windows, records_hours, max_records, max_alerts } = this.limits;
    const nowMs = this.trustedNowMs();
    return this.store.prune({
      windowsBeforeMs: nowMs - windows_hours * HOUR_MS,
      maxWindows: max_windows,
      recordsBeforeMs: nowMs - records_hours * HOUR_MS,
      maxRecords: max_records,
      maxAlerts: max_alerts,
      step: STEP_ROWS,
    });
  }
}
