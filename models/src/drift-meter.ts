/**
 * Measures drift of one agent's windows against what one model saw in training: of each line one window in a window's
 * length, so that they count as independent. Counters fade: they stand for the last few hundred. Drift that goes on is
 * *lasting*, and a reason to train anew. Pure state on event time; bounded in lines.
 */
import { z } from 'zod';
import type { Drift } from './control.js';
import { binOf, largestShift, type Shift } from './drift.js';

/** What a model saw of one agent: the share of each bin by feature, and the independent rows behind them. */
export interface TrainedShares {
  rows: number;
  shares: readonly (readonly number[])[];
}

export interface MeteredWindow {
  device: string;
  endMs: number;
  windowMs: number;
  features: ReadonlyArray<number | null>;
  /** The model's own; null when it did not judge the window. */
  score: number | null;
}

/** Independent windows below which nothing is said: an hour of one line, a quarter of an hour of four. */
export const MIN_ROWS = 120;
/** The same of the training: ten minutes of one line. */
export const MIN_TRAINED = 20;
const MAX_ROWS = 480;
const LASTING_ROWS = 60;
const MAX_LINES = 1000;
const ASK_EVERY = 10;

const shiftSchema = z.object({ feature: z.int().min(0), psi: z.number(), bound: z.number() });
const count = z.number().min(0);

/** What a meter knows, as it is kept over a restart. */
export const driftMeterSchema = z.object({
  counts: z.array(z.array(count)),
  rows: count,
  total: count,
  shift: shiftSchema.nullable(),
  drift: z.object({ shift: shiftSchema, sinceMs: z.number(), sinceTotal: count }).nullable(),
  lines: z.array(z.tuple([z.string(), z.number()])).max(MAX_LINES),
});
export type DriftMeterState = z.infer<typeof driftMeterSchema>;

export class DriftMeter {
  private counts: number[][];
  private rows = 0;
  /** Rows since the model came; `drift` has as many as there were when it was first found. */
  private total = 0;
  private drift: DriftMeterState['drift'] = null;
  private shift: Shift | null = null;

  /** `edges` by feature, the model's own score last. `lines`: event time of each line's last window that counted. */
  constructor(
    private readonly edges: readonly number[][],
    private readonly trained: TrainedShares,
    readonly lines: Map<string, number> = new Map(),
  ) {
    this.counts = edges.map((own) => new Array<number>(own.length + 2).fill(0));
  }

  add({ device, endMs, windowMs, features, score }: MeteredWindow): void {
    const { edges, lines } = this;
    if (features.length + 1 !== edges.length) return;
    const last = lines.get(device);
    if (last !== undefined && endMs < last + windowMs && endMs > last - windowMs) return;
    lines.delete(device);
    lines.set(device, endMs);
    if (lines.size > MAX_LINES) lines.delete(lines.keys().next().value!);
    edges.forEach((own, column) => {
      if (column === features.length && score === null) return;
      const value = column < features.length ? (features[column] ?? null) : score;
      this.counts[column]![binOf(own, value)]!++;
    });
    this.rows++;
    this.total++;
    if (this.rows >= MAX_ROWS) this.fade();
    if (this.rows >= MIN_ROWS && this.total % ASK_EVERY === 0) this.judge(endMs);
  }

  /** All that it knows. */
  get state(): DriftMeterState {
    const { counts, rows, total, shift, drift, lines } = this;
    return { counts, rows, total, shift, drift, lines: [...lines] };
  }

  /** Goes on from what a meter of the same model knew. Throws when this one cannot have come to know it. */
  restore({ counts, rows, total, shift, drift, lines }: DriftMeterState): void {
    const fits = counts.length === this.edges.length;
    if (!fits || !this.edges.every((own, column) => counts[column]!.length === own.length + 2)) {
      throw new Error('a drift meter of other bins kept it');
    }
    this.counts = counts.map((own) => [...own]);
    this.rows = rows;
    this.total = total;
    this.shift = shift;
    this.drift = drift;
    for (const [device, endMs] of lines) this.lines.set(device, endMs);
  }

  get isLasting(): boolean {
    return this.drift !== null && this.total - this.drift.sinceTotal >= LASTING_ROWS;
  }

  /** `names` of the features, the score's last. */
  view(names: readonly string[]): Drift {
    const { rows, shift, drift } = this;
    return {
      windows: Math.round(rows),
      state:
        shift === null ? 'too_little' : drift === null ? 'none' : this.isLasting ? 'lasting' : 'drifting',
      feature: shift === null ? null : (names[shift.feature] ?? null),
      psi: shift?.psi ?? null,
      bound: shift?.bound ?? null,
      since: drift === null ? null : new Date(drift.sinceMs).toISOString(),
    };
  }

  private judge(endMs: number): void {
    const { edges, trained } = this;
    if (trained.rows < MIN_TRAINED) return;
    const bins = edges.map((own, column) => ({ edges: own, shares: [...(trained.shares[column] ?? [])] }));
    const shift = largestShift(bins, this.counts, trained.rows);
    this.shift = shift;
    if (shift === null || shift.psi <= shift.bound) this.drift = null;
    else this.drift = { ...(this.drift ?? { sinceMs: endMs, sinceTotal: this.total }), shift };
  }

  private fade(): void {
    this.rows /= 2;
    this.counts = this.counts.map((counts) => counts.map((count) => count / 2));
  }
}
