/**
 * The score batch: what an agent tells the collector of the windows it scored. Boot and sequence are fixed when the
 * batch enters the spool and survive every resend, so (agent, boot, sequence) names it for ever.
 */
import { z } from 'zod';
import { DETECTORS, type DetectorName, SCOPES, WINDOW_STATES } from './detector.js';
import { MAX_FEATURE_VALUE, MAX_FEATURES } from './feature.js';
import {
  agentIdSchema,
  bootIdSchema,
  sequenceSchema,
  timeSchema,
  windowDeviceSchema,
  windowIdSchema,
} from './identity.js';
import { recordSchema } from './record.js';

export const scopeSchema = z.enum(SCOPES);

export const eventRateSchema = z
  .object({
    /** Error code, or name of the kind of event. */
    name: z.string().min(1).max(64),
    /** Event time in which it was counted. */
    seconds: z.number().min(0),
    /** How often it came before; 0 when it was never seen in `known_seconds`. */
    per_day: z.number().min(0),
    /** For how long the device was known before, at most what is remembered. */
    known_seconds: z.number().min(0),
  })
  .meta({ id: 'EventRate', description: 'How often an event comes, and how often it came before' });
export type EventRate = z.infer<typeof eventRateSchema>;

export const reasonSchema = z
  .object({
    feature: z.string().max(128),
    unit: z.string().max(32),
    observed: z.number().nullable(),
    /** Median, 5th and 95th percentile seen in training; null where nothing was known. */
    median: z.number().nullable(),
    p5: z.number().nullable(),
    p95: z.number().nullable(),
    /** Signed share of the score, −1 to 1. */
    share: z.number().min(-1).max(1),
    /** Of an event that came too often, or is rare at all: `observed` is how often it came in `seconds`. */
    event: eventRateSchema.optional(),
  })
  .meta({ id: 'Reason', description: 'How much one feature contributed to a score' });
export type Reason = z.infer<typeof reasonSchema>;

export const normalIfSchema = z
  .object({
    /** To whom it would have been normal. */
    detector: z.enum(DETECTORS),
    /** Channel of a record or feature of a window. */
    feature: z.string().max(128),
    unit: z.string().max(32),
    /** With it in place of what was observed, all else equal. */
    value: z.number(),
    /** On which side of `value` it would have been normal too. */
    side: z.enum(['below', 'above']),
    /** Of a number of events: in how much event time. */
    seconds: z.number().min(0).optional(),
  })
  .meta({ id: 'NormalIf', description: 'The smallest change of one value that would have made it normal' });
export type NormalIf = z.infer<typeof normalIfSchema>;

/** One of each detector at most; none of a detector that no single change would have calmed. */
export const normalIfsSchema = z.array(normalIfSchema).max(DETECTORS.length);

/** A detector's score and the threshold that it stood against. */
export const againstThresholdSchema = z.object({ score: z.number(), threshold: z.number() });

/** The adaptive baseline's opinion: −ln of the probability that a normal record is at least as strange. */
export const baselineSchema = z.object({
  nats: z.number().min(0),
  /** What the alert budget allows, in nats. */
  threshold: z.number(),
  /** How strange the last records are among the line's own, in nats: ranks records, alarms nobody. Absent from older agents. */
  strangeness: z.number().optional(),
});

export const detectorsSchema = z.array(z.enum(DETECTORS)).max(DETECTORS.length);

export const featureValueSchema = z.number().min(-MAX_FEATURE_VALUE).max(MAX_FEATURE_VALUE);

/** Windows and records a batch may hold at most; its bytes are bounded by MAX_BATCH_BYTES too. */
export const MAX_BATCH_WINDOWS = 1024;

export const scoredWindowSchema = z.object({
  scope: scopeSchema,
  device: windowDeviceSchema,
  /** Newest event time in the window. */
  end: timeSchema,
  /** Records in the window. */
  records: z.int().min(1),
  state: z.enum(WINDOW_STATES),
  /** Isolation forest score, 0–1, higher is stranger; null unless `state` is `scored`. */
  score: z.number().min(0).max(1).nullable(),
  threshold: z.number().nullable(),
  /** By the detectors that are heard. */
  suspect: z.boolean(),
  /** Of the record that ended the window; null while too little is known. Absent from agents that have none. */
  baseline: baselineSchema.nullable().optional(),
  /** Who found it suspect, heard or not. Absent from agents with the forest alone: then `suspect` is the forest's. */
  detectors: detectorsSchema.optional(),
  features: z.array(featureValueSchema.nullable()).max(MAX_FEATURES),
  reasons: z.array(reasonSchema).max(8),
  /** Of a window that opens an episode, or is much stranger than those of it before: it speaks for the alert then. */
  normal_if: normalIfsSchema.optional(),
  /** Id of the first window of the episode that is open on this device, null when none is. */
  episode: windowIdSchema.nullable(),
  /** Ground truth of the window's last record, where there is one. */
  is_anomaly: z.boolean().optional(),
  anomaly_type: z.string().max(64).optional(),
  /** Index in the batch's `records` of the record that ended this window, when it was published. */
  record: z.int().min(0).optional(),
  /** Its place in the batch as it was made, where windows before it were thinned away; else one after the last. */
  index: z
    .int()
    .min(0)
    .max(MAX_BATCH_WINDOWS - 1)
    .optional(),
});
export type ScoredWindow = z.infer<typeof scoredWindowSchema>;

export const scoreBatchSchema = z.object({
  v: z.literal(1),
  agent: agentIdSchema,
  boot: bootIdSchema,
  sequence: sequenceSchema,
  /**
   * The first sequence that it stands for: those between held only what a full spool has thinned away. The collector
   * counts them, and stores one that comes after all.
   */
  first: sequenceSchema.optional(),
  /** It waited, and newer ones were sent before it: what it tells is over. */
  historical: z.boolean().optional(),
  /** When the batch entered the agent's spool (the agent's clock). */
  created_at: timeSchema,
  /** Hash of the feature list and the window length; models carry the same. */
  fingerprint: z.string().regex(/^[0-9a-f]{16}$/),
  windows: z.array(scoredWindowSchema).max(MAX_BATCH_WINDOWS),
  records: z.array(recordSchema).max(MAX_BATCH_WINDOWS),
});
export type ScoreBatch = z.infer<typeof scoreBatchSchema>;

/** Each window's index in its id, which it keeps when windows before it are thinned away. */
export function windowIndexes(windows: readonly Pick<ScoredWindow, 'index'>[]): number[] {
  let next = 0;
  return windows.map(({ index }) => {
    const own = index ?? next;
    next = own + 1;
    return own;
  });
}

/** The edge's detectors that found a window suspect. */
export function edgeDetectors({
  detectors,
  suspect,
}: Pick<ScoredWindow, 'detectors' | 'suspect'>): readonly DetectorName[] {
  return detectors ?? (suspect ? ['isolation_forest'] : []);
}

/** How far a score is over its threshold. */
export function thresholdRatio(score: number | null, threshold: number | null): number {
  return score === null || threshold === null || threshold <= 0 ? 0 : score / threshold;
}

/** A window speaks for its alert in place of another once it is so many times as far over its threshold. */
export const TELLING_TIMES = 1.25;

/** How far the edge's detectors that found a window are over their thresholds, the furthest of them. */
export function edgeThresholdRatio(
  window: Pick<ScoredWindow, 'detectors' | 'suspect' | 'score' | 'threshold'> & {
    baseline: { nats: number; threshold: number } | null;
  },
): number {
  const ratios = edgeDetectors(window).map((name) =>
    name === 'adaptive_baseline'
      ? thresholdRatio(window.baseline?.nats ?? null, window.baseline?.threshold ?? null)
      : thresholdRatio(window.score, window.threshold),
  );
  return Math.max(0, ...ratios);
}
