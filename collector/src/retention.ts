/**
 * Removes what is too old or too much, in small steps between commits, so that ingest never waits long. A turn goes on
 * until nothing is left to remove: the bounds hold at any rate that the store can take.
 */
import { setImmediate } from 'node:timers/promises';
import type { Config } from './config.js';
import { errorText } from './log.js';
import type { Store } from './store/store.js';

const EVERY_MS = 60_000;
const STEP_ROWS = 500;
const HOUR_MS = 3_600_000;

export class RetentionTask {
  private timer: NodeJS.Timeout | null = null;
  private running = false;
  private stopped = false;

  constructor(
    private readonly store: Pick<Store, 'prune'>,
    private readonly limits: Config['retention'],
    private readonly now: () => number,
    private readonly onProblem: (message: string) => void,
  ) {}

  start(): void {
    this.timer = setInterval(() => void this.run(), EVERY_MS);
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
    return this.store.prune({
      windowsBeforeMs: this.now() - windows_hours * HOUR_MS,
      maxWindows: max_windows,
      recordsBeforeMs: this.now() - records_hours * HOUR_MS,
      maxRecords: max_records,
      maxAlerts: max_alerts,
      step: STEP_ROWS,
    });
  }
}
