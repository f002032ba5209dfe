/** The score above which a forest's window is suspect, by what its manifest says and who is active. Pure. */
import {
  type ActiveModel,
  budgetOfDetector,
  type CannotAlert,
  cannotAlertText,
  thresholdForBudget,
  whyCannotAlert,
} from '@lineheron/models';
import type { Manifest } from '@lineheron/models/persist';
import type { FleetTail } from '@lineheron/native';

/** What of a forest's manifest sets its threshold. */
export type ForestFigures = Pick<Manifest, 'scope' | 'threshold' | 'metrics'>;

/** A forest's score is below 1: a threshold from there on is one that nothing exceeds. */
const HIGHEST_SCORE = 1;

/**
 * By itself: the share of contamination that its training was told of. In the ensemble: what its part of the alert budget
 * allows by what its training windows say of their tail. Null when it cannot alert: too little is known of rare scores, or
 * what the budget asks for is beyond every score.
 */
export function forestThreshold(
  { threshold, metrics }: Pick<ForestFigures, 'threshold' | 'metrics'>,
  active: ActiveModel,
  budget: number,
): number | null {
  if (active === 'isolation_forest') return threshold;
  const rare = thresholdForBudget(metrics, budgetOfDetector('isolation_forest', active, budget));
  return rare === null || rare >= HIGHEST_SCORE ? null : rare;
}

/** Why that is null; null where it is not. */
export function whyForestCannotAlert(
  { metrics }: Pick<ForestFigures, 'metrics'>,
  active: ActiveModel,
  budget: number,
): CannotAlert | null {
  if (active === 'isolation_forest') return null;
  return whyCannotAlert(metrics, budgetOfDetector('isolation_forest', active, budget), HIGHEST_SCORE);
}

/** A forest's threshold in words, or why it has none. */
export function thresholdText(threshold: number | null, why: CannotAlert | null | undefined): string {
  if (threshold !== null) return `threshold ${threshold.toFixed(3)}`;
  return why ? cannotAlertText(why) : 'cannot alert within this budget';
}

/**
 * What gives devices thresholds of their own beside the one above: the budget alone does. Null where the set threshold
 * counts for all, or nothing is known of the forest's training.
 */
export function fleetTail(
  { scope, metrics }: Pick<ForestFigures, 'scope' | 'metrics'>,
  active: ActiveModel,
  budget: number,
): FleetTail | null {
  const { tail_start, tail_scale, effective_rows, windows_per_day } = metrics;
  if (scope !== 'device' || active === 'isolation_forest') return null;
  if (tail_start === undefined || tail_scale === undefined) return null;
  if (effective_rows === undefined || windows_per_day === undefined) return null;
  const { tail_floor = tail_start } = metrics;
  return {
    ...{
      tailStart: tail_start,
      tailScale: tail_scale,
      tailFloor: tail_floor,
      budget: budgetOfDetector('isolation_forest', active, budget),
    },
    ...{ effectiveRows: effective_rows, windowsPerDay: windows_per_day },
  };
}
