/** The detectors a user can make active, and the scopes that a window can have. Plain data, safe for the browser. */

export const ACTIVE_MODELS = ['isolation_forest', 'adaptive_baseline', 'autoencoder', 'ensemble'] as const;
export type ActiveModel = (typeof ACTIVE_MODELS)[number];

/** What can find a window suspect by itself; `ensemble` combines them. */
export const DETECTORS = ['isolation_forest', 'adaptive_baseline', 'autoencoder'] as const;
export type DetectorName = (typeof DETECTORS)[number];

/** Detectors that hold a trained model of their own, kept in a file. The adaptive baseline learns as it goes and has none. */
export const TRAINED_MODELS = ['isolation_forest', 'autoencoder'] as const;
export type TrainedModel = (typeof TRAINED_MODELS)[number];

export const SCOPES = ['device', 'gateway'] as const;
export type Scope = (typeof SCOPES)[number];

/** The device name under which a gateway's own window travels. */
export const GATEWAY_DEVICE = '*';

/** Why a window has a score or has none. */
export const WINDOW_STATES = ['warming_up', 'untrained', 'stopped', 'scored'] as const;
export type WindowState = (typeof WINDOW_STATES)[number];

/**
 * How a line stands: as its newest window says, or that it reports but measures nothing any more, that what judges it
 * has a threshold out of reach, that it fell silent, that its agent is away, or that nothing can be known of it, since nobody
 * has heard of it since the collector started, or the collector has no broker.
 */
export const LINE_STATES = [
  ...WINDOW_STATES,
  'cannot_alert',
  'cannot_measure',
  'stale',
  'offline',
  'unknown',
] as const;
export type LineState = (typeof LINE_STATES)[number];

/** A line that reported regularly is stale once it has missed so many records, and has been silent this long at least. */
export const STALE_INTERVALS = 20;
export const MIN_STALE_MS = 60_000;

/** An episode ends after this much event time without a suspect window. */
export const EPISODE_QUIET_MS = 10_000;
/** And no sooner than the line could have reported so often: one fault on a line that is asked every minute is one episode. */
const QUIET_INTERVALS = 3;
const MAX_QUIET_MS = 3_600_000;

/**
 * How long nothing may be suspect, or be heard, ms: `atLeastMs`, and three of the line's usual intervals. An interval
 * that is not known counts nothing.
 */
export function quietLimitMs(atLeastMs: number, intervalMs: number | null): number {
  return Math.max(atLeastMs, Math.min(MAX_QUIET_MS, QUIET_INTERVALS * (intervalMs ?? 0)));
}
