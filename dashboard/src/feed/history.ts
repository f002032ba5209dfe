/**
 * Fetches what the feed does not carry: the last minutes of each watched line, and the alerts that no snapshot had
 * room for. Each once after a snapshot; what fails is tried again while it is wanted.
 */
import type { Alert, WindowView } from '@lineheron/models';
import type { LineKey } from '../line.js';

const RETRY_MS = 3_000;

/** Null when it could not be had. */
type Fetched<T> = Promise<readonly T[] | null>;

export interface HistoryParts {
  readonly windows: (key: LineKey) => Fetched<WindowView>;
  readonly alerts: () => Fetched<Alert>;
  readonly onWindows: (windows: readonly WindowView[]) => void;
  readonly onAlerts: (alerts: readonly Alert[]) => void;
  readonly setTimer: (run: () => void, ms: number) => number;
  readonly clearTimer: (timer: number) => void;
}

export class History {
  readonly #parts: HistoryParts;
  /** Lines that are fetched or being fetched. */
  readonly #begun = new Set<LineKey>();
  #wanted: readonly LineKey[] = [];
  #timers = new Set<number>();
  /** Answers to what was asked before the last snapshot are dropped. */
  #turn = 0;

  constructor(parts: HistoryParts) {
    this.#parts = parts;
  }

  /** A snapshot came: there may be a gap before it. */
  restart(moreAlerts: boolean): void {
    this.stop();
    if (moreAlerts) this.#load(this.#parts.alerts, this.#parts.onAlerts, () => true);
  }

  /** These lines are watched now, completely. */
  want(keys: readonly LineKey[]): void {
    this.#wanted = keys;
    for (const key of this.#begun) if (!keys.includes(key)) this.#begun.delete(key);
    for (const key of keys) {
      if (this.#begun.has(key)) continue;
      this.#begun.add(key);
      const isWanted = () => this.#wanted.includes(key);
      this.#load(() => this.#parts.windows(key), this.#parts.onWindows, isWanted);
    }
  }

  stop(): void {
    this.#turn += 1;
    this.#begun.clear();
    for (const timer of this.#timers) this.#parts.clearTimer(timer);
    this.#timers.clear();
  }

  async #load<T>(
    fetched: () => Fetched<T>,
    take: (rows: readonly T[]) => void,
    isWanted: () => boolean,
  ): Promise<void> {
    const turn = this.#turn;
    const rows = await fetched();
    if (turn !== this.#turn || !isWanted()) return;
    if (rows !== null) {
      take(rows);
      return;
    }
    const timer = this.#parts.setTimer(() => {
      this.#timers.delete(timer);
      if (isWanted()) void this.#load(fetched, take, isWanted);
    }, RETRY_MS);
    this.#timers.add(timer);
  }
}
