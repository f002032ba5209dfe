/**
 * What is rare for each line: the autoencoder's scores of its own normal windows, one in a window's length so that they
 * count as independent. Once there are enough they set the line's threshold, beside the fleet's, which the model learnt
 * in training: a line that is noisier than the fleet no longer alarms for it, a calmer one is watched more closely. In
 * memory only: after a restart the fleet's counts until enough has come. Bounded in lines and in scores of each.
 */
import { type Scope, type ScoreTail, scoreTail, thresholdForDevice } from '@lineheron/models';
import type { Manifest } from '@lineheron/models/persist';

/** Names one line of one kind of windows. */
export interface LineOfModel {
  agent: string;
  device: string;
  scope: Scope;
  fingerprint: string;
}

interface ScoredLine extends LineOfModel {
  endMs: number;
  windowMs: number;
  /** Null when no model reviewed the window. */
  score: number | null;
}

interface Known {
  sha256: string;
  lastMs: number;
  /** The newest ones, in a ring. */
  scores: number[];
  count: number;
  tail: ScoreTail | null;
}

const MAX_LINES = 10_000;
const MAX_SCORES = 240;
const FIT_EVERY = 10;

export class DeviceTails {
  private readonly lines = new Map<string, Known>();

  /** `modelOf` gives the checksum of the model in use: another model's scores say nothing of this one's. */
  constructor(private readonly modelOf: (scope: Scope, fingerprint: string) => string | null) {}

  /** Takes a window that the edge finds normal. */
  add(window: ScoredLine): void {
    const { scope, fingerprint, endMs, windowMs, score } = window;
    const sha256 = this.modelOf(scope, fingerprint);
    if (sha256 === null || score === null) return;
    const key = keyOf(window);
    const before = this.lines.get(key);
    const known =
      before?.sha256 === sha256 ? before : { sha256, lastMs: 0, scores: [], count: 0, tail: null };
    if (Math.abs(endMs - known.lastMs) < windowMs) return;
    known.lastMs = endMs;
    known.scores[known.count++ % MAX_SCORES] = score;
    // One a window's length: as many independent rows as scores, whatever their real frequency.
    if (known.count % FIT_EVERY === 0) known.tail = scoreTail(known.scores, 0, 1);
    this.lines.delete(key);
    this.lines.set(key, known);
    if (this.lines.size > MAX_LINES) this.lines.delete(this.lines.keys().next().value!);
  }

  /** The score above which a window of this line is rarer than the budget allows; null while only the fleet's is known. */
  threshold(line: LineOfModel, { sha256, metrics }: Manifest, budget: number): number | null {
    const known = this.lines.get(keyOf(line));
    if (!known?.tail || known.sha256 !== sha256 || metrics.windows_per_day === undefined) return null;
    return thresholdForDevice({ ...known.tail, windows_per_day: metrics.windows_per_day }, metrics, budget);
  }
}

function keyOf({ agent, device, scope, fingerprint }: LineOfModel): string {
  return `${scope}/${fingerprint}/${agent}/${device}`;
}
