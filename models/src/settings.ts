/** The classic settings, with the names and defaults that users of earlier tools know. One source for both sides. */
import { z } from 'zod';
import type { ActiveModel, DetectorName } from './detector.js';

export const DEFAULT_WINDOW_SECONDS = 30;
export const DEFAULT_TRAINING_SECONDS = 60;
/** Windows per scope that agents and collector keep for training. */
export const HISTORY_WINDOWS = 3600;

export const windowSizeSeconds = z.number().min(1).max(3600).default(DEFAULT_WINDOW_SECONDS);
/** Share of the training windows taken as anomalous: sets the forest's threshold. */
export const contamination = z.number().gt(0).max(0.5).default(0.1);
/** Percentile of the training errors: sets the autoencoder's threshold. */
export const thresholdPercentile = z.number().min(50).max(100).default(95);
export const epochs = z.int().min(1).max(10_000).default(50);
/** Share of simulated time that is anomalous. */
export const anomalyProbability = z.number().min(0).max(1).default(0.05);
/** False alert episodes that are allowed per device and day: sets the adaptive baseline's and the ensemble's thresholds. */
export const DEFAULT_BUDGET = 0.2;
export const budgetPerDeviceDay = z.number().gt(0).max(10_000);

/** Parts of the alert budget in the ensemble; they add up to 1. */
const BUDGET_PARTS: Readonly<Record<DetectorName, number>> = {
  adaptive_baseline: 0.8,
  isolation_forest: 0.1,
  autoencoder: 0.1,
};

/**
 * How much of the alert budget a detector may use. The ensemble goes by the smallest of its detectors' calibrated
 * probabilities (Tippett 1931), so each has a part of it (weighted Bonferroni; Genovese, Roeder, Wasserman 2006): most
 * of it the baseline, which finds a fault on its first record and needs no training. One that is heard alone has all.
 */
export function budgetOfDetector(detector: DetectorName, active: ActiveModel, budget: number): number {
  return active === 'ensemble' ? BUDGET_PARTS[detector] * budget : budget;
}
