/**
 * Above which score of the autoencoder a line's window is rare enough to alarm by itself, as the collector has it: by
 * the scores of the line's own normal windows, one in a window's length so that they count as independent, beside those
 * of the training. A line that is noisier than the training was does not alarm for it, a calmer one is watched closely.
 */
import { type ScoreTail, scoreTail, thresholdForBudget, thresholdForDevice } from '@lineheron/models';

interface Known {
  lastMs: number;
  /** The newest ones, in a ring. */
  scores: number[];
  count: number;
  /** Null while its own windows say nothing. */
  above: number | null;
}

/** Both as in the collector. */
const MAX_SCORES = 240;
const FIT_EVERY = 10;

export class LineTails {
  private readonly lines = new Map<string, Known>();
  private readonly ofFleet: number;

  /** `fleet` is what the training's scores say. */
  constructor(
    private readonly fleet: ScoreTail,
    private readonly windowMs: number,
    private readonly budget: number,
  ) {
    this.ofFleet = thresholdForBudget({ ...fleet }, budget) ?? Number.POSITIVE_INFINITY;
  }

  above(line: string): number {
    return this.lines.get(line)?.above ?? this.ofFleet;
  }

  /** Takes the score of a window that the gateway finds normal. */
  learn(line: string, endMs: number, score: number): void {
    const fresh = { lastMs: Number.NEGATIVE_INFINITY, scores: [], count: 0, above: null };
    const known: Known = this.lines.get(line) ?? fresh;
    if (!Number.isFinite(score) || Math.abs(endMs - known.lastMs) < this.windowMs) return;
    this.lines.set(line, known);
    known.lastMs = endMs;
    known.scores[known.count++ % MAX_SCORES] = score;
    if (known.count % FIT_EVERY === 0) known.above = this.thresholdBy(known.scores);
  }

  private thresholdBy(scores: readonly number[]): number | null {
    const { fleet, budget } = this;
    // One a window's length: as many independent rows as scores, whatever their real frequency.
    const own = { ...scoreTail(scores, 0, 1), windows_per_day: fleet.windows_per_day };
    return thresholdForDevice(own, { ...fleet }, budget);
  }
}
