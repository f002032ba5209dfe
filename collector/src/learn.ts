/** Everything that learns from windows, after they are safe: training, drift, thresholds, the fleet's view, quality. */
import type { ScoreBatch } from '@lineheron/models';
import type { DeviceTails } from './detect/device-tails.js';
import type { DriftMonitor } from './detect/drift-monitor.js';
import type { TrainingCoordinator } from './detect/training-coordinator.js';
import type { Fleet } from './hub/fleet.js';
import { hasMeasured, type JudgedWindow, judgesOf } from './judge.js';
import type { RecentValues } from './quality/percentile.js';
import type { QualityTracker } from './quality/quality-tracker.js';
import type { Settings } from './store/store.js';

export interface LearningParts {
  now: () => number;
  training: TrainingCoordinator;
  drift: DriftMonitor;
  tails: DeviceTails;
  fleet: Fleet;
  quality: QualityTracker;
  latency: RecentValues;
  settings: () => Settings;
}

const DEFAULT_WINDOW_MS = 30_000;
/** Live batches are sent for some minutes at most; what waits longer is historical. */
const MAX_LATENCY_MS = 600_000;

export function learn(
  parts: LearningParts,
  batches: readonly ScoreBatch[],
  judged: readonly JudgedWindow[],
): void {
  const { now, latency, fleet, quality, training, drift, tails, settings } = parts;
  const nowMs = now();
  for (const { created_at, historical } of batches) {
    const tookMs = Math.max(0, nowMs - Date.parse(created_at));
    // Beyond that it is a clock that is behind, and no latency.
    if (!historical && tookMs <= MAX_LATENCY_MS) latency.add(tookMs);
  }
  const { detecting } = settings();
  for (const { batch, window, endMs, review, score, opinion, anomalous } of judged) {
    const { agent, fingerprint } = batch;
    const { scope, device, state, features } = window;
    // Only normal is learnt; a forest by itself keeps nothing out, or a bad one would.
    const learnable = window.episode === null || settings().active_model === 'isolation_forest';
    if (state !== 'warming_up' && learnable)
      training.gather({ agent, device, scope, fingerprint, endMs, features });
    const windowMs = (fleet.info(agent)?.window_seconds ?? 0) * 1000 || DEFAULT_WINDOW_MS;
    // What came late says nothing of how things are, and a line's quality is followed in the order of time.
    if (batch.historical) continue;
    const judges = judgesOf(window, window.baseline, review);
    const measured = hasMeasured(features, fleet.features(agent));
    fleet.seen(agent, { device, scope, state, endMs, judges, measured }, nowMs);
    if (state !== 'warming_up' && learnable) {
      const normal = { agent, scope, fingerprint, device, endMs, windowMs, features, score };
      drift.add(normal);
      tails.add(normal);
    }
    if (scope !== 'device') continue;
    if (window.baseline || (window.baseline === null && state !== 'warming_up')) fleet.baselineReady = true;
    quality.add({
      line: `${agent}/${device}`,
      endMs,
      truth: window.is_anomaly ?? null,
      windowMs,
      forest: detecting && state === 'scored' ? opinion.forest : null,
      baseline: detecting && window.baseline ? opinion.baseline : null,
      autoencoder: review ? review.suspect : null,
      rare: opinion.rare === true,
      anomalous,
    });
  }
}
