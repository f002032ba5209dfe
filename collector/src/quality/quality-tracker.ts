/** The detectors side by side against ground truth, and the share of windows that the active one suspects. */
import type { ActiveModel, Quality } from '@lineheron/models';
import { ModelQuality } from './model-quality.js';

export interface QualityWindow {
  /** Agent and device in one. */
  line: string;
  endMs: number;
  /** Null where there is no ground truth. */
  truth: boolean | null;
  windowMs: number;
  /** What each detector says; null where it did not score the window. */
  forest: boolean | null;
  baseline: boolean | null;
  autoencoder: boolean | null;
  /** The autoencoder alone is enough for the ensemble; as `autoencoder` when absent. */
  rare?: boolean;
  /** What the active model says. */
  anomalous: boolean;
}

interface TrueEpisode {
  startMs: number;
  endMs: number;
  running: boolean;
  lastMs: number;
}

const MAX_LINES = 10_000;

export class QualityTracker {
  private models = freshModels();
  private readonly lines = new Map<string, TrueEpisode>();
  private scored = 0;
  private anomalous = 0;
  private sinceMs: number;

  constructor(nowMs: number) {
    this.sinceMs = nowMs;
  }

  /** The clock was set by so much. */
  clockMoved(byMs: number): void {
    this.sinceMs += byMs;
  }

  /** Counts anew. True episodes that are under way stay known, so that none seems to begin now. */
  reset(nowMs: number): void {
    this.models = freshModels();
    this.scored = 0;
    this.anomalous = 0;
    this.sinceMs = nowMs;
  }

  add(window: QualityWindow): void {
    const { forest, baseline, autoencoder } = window;
    const judged = forest !== null || baseline !== null || autoencoder !== null;
    if (judged) {
      this.scored++;
      if (window.anomalous) this.anomalous++;
    }
    if (window.truth === null) return;
    const episode = this.follow(window, window.truth);
    const seen = {
      endMs: window.endMs,
      truth: window.truth,
      episodeStartMs: episode?.startMs ?? null,
      episodeEndMs: episode?.endMs ?? null,
      windowMs: window.windowMs,
    };
    const { models } = this;
    if (forest !== null) models.isolation_forest.add(window.line, seen, forest);
    if (baseline !== null) models.adaptive_baseline.add(window.line, seen, baseline);
    if (autoencoder !== null) models.autoencoder.add(window.line, seen, autoencoder);
    if (judged) {
      const rare = window.rare ?? autoencoder === true;
      models.ensemble.add(window.line, seen, forest === true || baseline === true || rare);
    }
  }

  get since(): string {
    return new Date(this.sinceMs).toISOString();
  }

  get anomalyRate(): number | null {
    return this.scored === 0 ? null : this.anomalous / this.scored;
  }

  view(): Record<ActiveModel, Quality> {
    const { isolation_forest, adaptive_baseline, autoencoder, ensemble } = this.models;
    return {
      isolation_forest: isolation_forest.view(),
      adaptive_baseline: adaptive_baseline.view(),
      autoencoder: autoencoder.view(),
      ensemble: ensemble.view(),
    };
  }

  /** Consecutive anomalous windows of a device are one true episode. */
  private follow({ line, endMs }: QualityWindow, truth: boolean): TrueEpisode | null {
    const known = this.lines.get(line);
    if (known && endMs <= known.lastMs) return known;
    if (!truth) {
      if (known) this.lines.set(line, { ...known, running: false, lastMs: endMs });
      return known ?? null;
    }
    const startMs = known?.running ? known.startMs : endMs;
    const next = { startMs, endMs, running: true, lastMs: endMs };
    this.lines.set(line, next);
    if (this.lines.size > MAX_LINES) this.lines.delete(this.lines.keys().next().value!);
    return next;
  }
}

function freshModels() {
  return {
    isolation_forest: new ModelQuality(),
    adaptive_baseline: new ModelQuality(),
    autoencoder: new ModelQuality(),
    ensemble: new ModelQuality(),
  };
}
