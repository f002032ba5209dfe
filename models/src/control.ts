/** The smaller MQTT payloads: status, info, anomaly, state, event, ack, verdict, desired state, commands. */
import { z } from 'zod';
import { amountSchema, countersSchema, labelsSchema } from './bounds.js';
import { ACTIVE_MODELS, SCOPES, TRAINED_MODELS } from './detector.js';
import { MAX_FEATURES } from './feature.js';
import {
  agentIdSchema,
  bootIdSchema,
  sequenceSchema,
  timeSchema,
  windowDeviceSchema,
  windowIdSchema,
} from './identity.js';
import { baselineSchema, detectorsSchema, normalIfsSchema, reasonSchema } from './score.js';
import { budgetPerDeviceDay } from './settings.js';

const v = z.literal(1);

export const EPISODE_ENDS = ['quiet', 'silent', 'level_shift', 'resumed'] as const;
export type EpisodeEnd = (typeof EPISODE_ENDS)[number];

const requestIdSchema = z.string().regex(/^[0-9a-zA-Z-]{1,64}$/);

/** Plain text, retained, and the agent's last will. */
export const statusSchema = z.enum(['online', 'offline']);

/** Why a model cannot alert within the budget; absent where it can. */
export const cannotAlertSchema = z
  .object({
    /** Independent windows that it was trained on. */
    windows: amountSchema,
    /** As many would do; null when none would, as widely as its scores are spread. */
    needed: amountSchema.nullable(),
  })
  .meta({ id: 'CannotAlert', description: 'Why a model cannot alert within the alert budget' });

export const agentModelSchema = z
  .object({
    kind: z.enum(TRAINED_MODELS),
    scope: z.enum(SCOPES),
    release: z.int().min(1),
    sha256: z.string().regex(/^[0-9a-f]{64}$/),
    fingerprint: z.string().max(64),
    trained_at: timeSchema,
    rows: z.int().min(0),
    /** Null when no score reaches what the budget asks for. */
    threshold: z.number().nullable(),
    cannot_alert: cannotAlertSchema.optional(),
    size_bytes: z.int().min(0),
    training_ms: z.number().min(0),
    /** Mean time for one score, measured on this machine after loading. */
    inference_us: z.number().min(0).nullable(),
  })
  .meta({ id: 'AgentModel', description: 'A model in use' });
export type AgentModel = z.infer<typeof agentModelSchema>;

/** Whether windows still look as in training: the feature whose population stability index is the farthest. */
export const driftSchema = z.object({
  /** Independent windows behind the figures: one a line and window length, the last few hundred. */
  windows: z.int().min(0),
  /** `lasting`: it has gone on for so long that a candidate is trained. */
  state: z.enum(['too_little', 'none', 'drifting', 'lasting']),
  feature: z.string().max(128).nullable(),
  psi: z.number().nullable(),
  /** What it must exceed: 0.25, and what so few windows may show by chance. */
  bound: z.number().nullable(),
  since: timeSchema.nullable(),
});
export type Drift = z.infer<typeof driftSchema>;

/** A retrained model that nobody uses until somebody names its checksum. */
export const candidateSchema = z.object({
  scope: z.enum(SCOPES),
  fingerprint: z.string().max(64),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  trained_at: timeSchema,
  rows: z.int().min(0),
  threshold: z.number().nullable(),
});
export type Candidate = z.infer<typeof candidateSchema>;

/** A source most of whose recent lines are refused. No raw text is in it: that stays on the gateway. */
export const refusedSourceSchema = z.object({
  /** The source's name. */
  source: z.string().max(64),
  /** How many of the last lines were refused, and of how many. */
  lines: z.int().min(1),
  of: z.int().min(1),
  /** The most common reason, by its code (`missing_device`). */
  code: z.string().max(64),
  /** The same in words: a sentence for people. */
  reason: z.string().max(256),
  /** What to do about it, on the gateway. */
  remedy: z.string().max(512),
  since: timeSchema,
});
export type RefusedSource = z.infer<typeof refusedSourceSchema>;

/** So begins each part of a source's `detail` that says what it cannot measure now, and why; parts end with "; ". */
export const CANNOT_MEASURE = 'cannot measure';

export const infoSchema = z.object({
  v,
  agent: agentIdSchema,
  boot: bootIdSchema,
  version: z.string().max(64),
  started_at: timeSchema,
  source: z.object({
    type: z.string().max(32),
    /** What it reads, in words: a file name, "4 devices", an interface. */
    detail: z.string().max(512),
    phase: z.enum(['backfilling', 'live', 'ended']),
    /** Sources that are read in vain; absent when there are none. */
    refused: z.array(refusedSourceSchema).max(8).optional(),
  }),
  window_seconds: z.number().min(1).max(3600),
  fingerprint: z.string().regex(/^[0-9a-f]{16}$/),
  features: z.array(z.object({ name: z.string().max(128), unit: z.string().max(32) })).max(MAX_FEATURES),
  models: z.array(agentModelSchema).max(8),
  /** Of the forests in use, by scope; absent in agents that do not measure it. */
  drift: z
    .array(driftSchema.extend({ scope: z.enum(SCOPES) }))
    .max(8)
    .optional(),
  /** Forests that were trained because of lasting drift. */
  candidates: z.array(candidateSchema).max(8).optional(),
  detecting: z.boolean(),
  active_model: z.enum(ACTIVE_MODELS),
  labels: labelsSchema,
  spool: z.object({ batches: z.int().min(0), bytes: z.int().min(0) }),
  /** Cumulative since this boot: lines, refusals, late records, dropped batches … */
  counters: countersSchema,
});
export type AgentInfo = z.infer<typeof infoSchema>;

export const anomalySchema = z.object({
  v,
  /** Id of the window that is told about; the episode's id is its first window's. */
  id: windowIdSchema,
  episode: windowIdSchema,
  phase: z.enum(['opened', 'closed']),
  agent: agentIdSchema,
  device: windowDeviceSchema,
  scope: z.enum(SCOPES),
  at: timeSchema,
  score: z.number().nullable(),
  threshold: z.number().nullable(),
  baseline: baselineSchema.nullable().optional(),
  /** `stale` when a device that reported regularly has fallen silent: `id` and `episode` name its last window. */
  state: z.literal('stale').optional(),
  /** Who found the window suspect. */
  detectors: detectorsSchema.optional(),
  /**
   * What ended the episode: ten quiet seconds, silence of the device, that its new level
   * became normal; of a silence, that the device reports again.
   */
  why: z.enum(EPISODE_ENDS).optional(),
  reasons: z.array(reasonSchema).max(8),
  /** Of an episode that opens. */
  normal_if: normalIfsSchema.optional(),
  summary: z.string().max(1024),
});
export type AnomalyMessage = z.infer<typeof anomalySchema>;

/** Flat on purpose: Home Assistant, Telegraf and Node-RED read it without templates. */
export const stateSchema = z.object({
  agent: agentIdSchema,
  device: windowDeviceSchema,
  at: timeSchema,
  state: z.string().max(32),
  score: z.number().nullable(),
  threshold: z.number().nullable(),
  baseline_nats: z.number().nullable().optional(),
  baseline_threshold: z.number().nullable().optional(),
  suspect: z.boolean(),
  /** Who found it suspect, by name, comma between them. */
  detectors: z.string().max(64).optional(),
  episode: windowIdSchema.nullable(),
  verdict: z.enum(['confirmed', 'disputed', 'unreviewed']).nullable(),
  latency_ms: z.number().nullable(),
  packet_loss_pct: z.number().nullable(),
  traffic_mb: z.number().nullable(),
  error_rate: z.number().nullable(),
  summary: z.string().max(1024),
});
export type DeviceState = z.infer<typeof stateSchema>;

/** What the flight recorder kept around an alert, redacted: the answer to `send_lines`. */
export const linesEventSchema = z.object({
  v,
  type: z.literal('lines'),
  request_id: requestIdSchema,
  alert: windowIdSchema,
  /** `refused`: this gateway does not share raw lines. `missing`: nothing is kept of this alert. */
  state: z.enum(['sent', 'refused', 'missing']),
  message: z.string().max(1024),
  from: timeSchema.nullable(),
  to: timeSchema.nullable(),
  /** Whether the time after the alert is over. */
  complete: z.boolean(),
  /** There was more than a message may hold; what is nearest to the alert is here. */
  truncated: z.boolean(),
  /** How often something was taken out. */
  redactions: z.int().min(0),
  /** `at`: when its block began, a few seconds before it at most. */
  lines: z
    .array(z.object({ at: timeSchema, source: z.string().max(256), text: z.string().max(4096) }))
    .max(5000),
});
export type LinesEvent = z.infer<typeof linesEventSchema>;

export const eventSchema = z.discriminatedUnion('type', [
  z.object({
    v,
    type: z.literal('training'),
    request_id: requestIdSchema,
    phase: z.enum(['collecting', 'fitting', 'done', 'failed', 'cancelled']),
    /** 0–1. */
    progress: z.number().min(0).max(1),
    rows: z.object({ device: z.int().min(0), gateway: z.int().min(0) }),
    message: z.string().max(1024).optional(),
  }),
  z.object({
    v,
    type: z.literal('model'),
    accepted: z.boolean(),
    kind: z.enum(TRAINED_MODELS),
    scope: z.enum(SCOPES),
    message: z.string().max(1024),
    /** Of the command that asked for it; absent after a training. */
    request_id: requestIdSchema.optional(),
  }),
  linesEventSchema,
]);
export type AgentEvent = z.infer<typeof eventSchema>;
export type ModelEvent = Extract<AgentEvent, { type: 'model' }>;

const sequenceRangesSchema = z
  .array(z.object({ boot: bootIdSchema, from: sequenceSchema, to: sequenceSchema }))
  .max(4096);

export const ackSchema = z.object({
  v,
  /** Inclusive ranges of sequences that are committed. */
  ranges: sequenceRangesSchema,
  /** What never will be committed; the agent sets it aside and counts it. */
  refused: z
    .array(z.object({ boot: bootIdSchema, sequence: sequenceSchema, code: z.string().max(64) }))
    .max(4096),
  /** What there was no room for, inclusive ranges: to be sent again after so long, and not before. */
  busy: z.object({ retry_ms: z.int().min(0).max(3_600_000), ranges: sequenceRangesSchema }).optional(),
});
export type Ack = z.infer<typeof ackSchema>;

export const VERDICTS = ['confirmed', 'disputed', 'unreviewed'] as const;
export const SEVERITIES = ['critical', 'warning', 'info'] as const;

/** `unknown_line`: no window of the line, nor of lines like it, was in the autoencoder's training. */
export const unreviewedBecauseSchema = z.enum(['unknown_line']);

export const verdictSchema = z.object({
  v,
  /** Id of the alert, which is its first window's. */
  alert: windowIdSchema,
  device: windowDeviceSchema,
  scope: z.enum(SCOPES),
  status: z.enum(['open', 'closed']),
  verdict: z.enum(VERDICTS),
  unreviewed_because: unreviewedBecauseSchema.optional(),
  severity: z.enum(SEVERITIES),
  at: timeSchema,
  detectors: detectorsSchema.optional(),
  autoencoder_score: z.number().nullable(),
  autoencoder_threshold: z.number().nullable(),
  summary: z.string().max(1024),
});
export type Verdict = z.infer<typeof verdictSchema>;

/** An agent's own desired state beats the fleet's field by field. */
export const desiredSchema = z.object({
  v,
  detecting: z.boolean().optional(),
  active_model: z.enum(ACTIVE_MODELS).optional(),
  /** Allowed false alert episodes per device per day. */
  budget: budgetPerDeviceDay.optional(),
});
export type Desired = z.infer<typeof desiredSchema>;

/** Printable, so that it may stand in a log. */
const printable = z.string().regex(/^[\x20-\x7e]{0,255}$/);

/** What a collector says of itself to others on its broker: that it serves, or that it asks whether anybody does. */
export const collectorClaimSchema = z.object({
  v,
  state: z.enum(['asking', 'serving']),
  /** Random per process start. */
  instance: bootIdSchema,
  host: printable,
  pid: z.int().min(0),
  /** Where its HTTP interface is; empty where that is not known beforehand. */
  address: printable,
  version: printable,
  started_at: timeSchema,
});
export type CollectorClaim = z.infer<typeof collectorClaimSchema>;

export const commandSchema = z.discriminatedUnion('type', [
  z.object({
    v,
    type: z.literal('train'),
    request_id: requestIdSchema,
    duration_seconds: z.number().min(0).max(86_400),
    use_history: z.boolean(),
  }),
  z.object({ v, type: z.literal('cancel_training'), request_id: requestIdSchema }),
  /** Puts a retrained forest to work. The agent answers with an event of type `model`, whatever it decides. */
  z.object({
    v,
    type: z.literal('use_candidate'),
    request_id: requestIdSchema,
    sha256: candidateSchema.shape.sha256,
  }),
  /** Asks for the raw lines around an alert. The agent answers with an event, whatever it decides. */
  z.object({ v, type: z.literal('send_lines'), request_id: requestIdSchema, alert: windowIdSchema }),
]);
export type Command = z.infer<typeof commandSchema>;
