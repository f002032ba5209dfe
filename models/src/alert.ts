/**
 * An alert: one episode on one device, from its first suspect window to ten quiet seconds after its last; or one
 * silence of a device or an agent, from its last word to its next.
 */
import { z } from 'zod';
import { SEVERITIES, unreviewedBecauseSchema, VERDICTS } from './control.js';
import { ACTIVE_MODELS } from './detector.js';
import { agentIdSchema, timeSchema, windowDeviceSchema, windowIdSchema } from './identity.js';
import {
  againstThresholdSchema,
  detectorsSchema,
  normalIfsSchema,
  reasonSchema,
  scopeSchema,
} from './score.js';

export const alertSchema = z
  .object({
    id: windowIdSchema,
    agent: agentIdSchema,
    device: windowDeviceSchema,
    scope: scopeSchema,
    /** `episode` when absent. `silence`: a device, or the gateway as a whole (`*`), says nothing; `offline`: its agent. */
    kind: z.enum(['episode', 'silence', 'offline']).optional(),
    status: z.enum(['open', 'closed']),
    opened_by: z.enum(['edge', 'collector']),
    verdict: z.enum(VERDICTS),
    /** Why it is `unreviewed`, where that is known: the autoencoder never saw the line, nor lines like it. */
    unreviewed_because: unreviewedBecauseSchema.optional(),
    severity: z.enum(SEVERITIES),
    /** What was active when it opened. */
    active_model: z.enum(ACTIVE_MODELS),
    /** Detectors that found a window of it suspect. */
    detectors: detectorsSchema,
    /** Event time of the first and of the last suspect window. */
    opened_at: timeSchema,
    last_suspect_at: timeSchema,
    closed_at: timeSchema.nullable(),
    /** Suspect windows so far; a silence has none. */
    windows: z.int().min(0),
    /** The highest score of each detector and the threshold that it stood against. */
    isolation_forest: againstThresholdSchema.nullable(),
    /** In nats; absent in alerts from before there was one. */
    adaptive_baseline: againstThresholdSchema.nullable().optional(),
    autoencoder: againstThresholdSchema.nullable(),
    /** Of the strangest window. */
    reasons: z.array(reasonSchema),
    /** What would have kept it from opening, by each detector that found its first window; absent where unknown. */
    normal_if: normalIfsSchema.optional(),
    /** One plain sentence. */
    summary: z.string(),
    /** Kinds of ground truth met during the episode, where there is any: for evaluation only. */
    truth: z.array(z.string()),
    /** Found in what came late: it was over before anybody could be told, so it is closed from the start. */
    historical: z.boolean().optional(),
  })
  .meta({ id: 'Alert', description: 'One episode on one device, or one silence' });
export type Alert = z.infer<typeof alertSchema>;
