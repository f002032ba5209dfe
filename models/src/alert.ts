/** An alert: one episode on one device, from its first suspect window to ten quiet seconds after its last. */
import { z } from 'zod';
import { SEVERITIES, VERDICTS } from './control.js';
import { ACTIVE_MODELS, TRAINED_MODELS } from './detector.js';
import { agentIdSchema, timeSchema, windowDeviceSchema, windowIdSchema } from './identity.js';
import { reasonSchema, scopeSchema } from './score.js';

export const alertSchema = z
  .object({
    id: windowIdSchema,
    agent: agentIdSchema,
    device: windowDeviceSchema,
    scope: scopeSchema,
    status: z.enum(['open', 'closed']),
    opened_by: z.enum(['edge', 'collector']),
    verdict: z.enum(VERDICTS),
    severity: z.enum(SEVERITIES),
    /** What was active when it opened. */
    active_model: z.enum(ACTIVE_MODELS),
    /** Detectors that found a window of it suspect. */
    detectors: z.array(z.enum(TRAINED_MODELS)),
    /** Event time of the first and of the last suspect window. */
    opened_at: timeSchema,
    last_suspect_at: timeSchema,
    closed_at: timeSchema.nullable(),
    /** Suspect windows so far. */
    windows: z.int().min(1),
    /** The highest score of each detector and the threshold that it stood against. */
    isolation_forest: z.object({ score: z.number(), threshold: z.number() }).nullable(),
    autoencoder: z.object({ score: z.number(), threshold: z.number() }).nullable(),
    /** Of the strangest window. */
    reasons: z.array(reasonSchema),
    /** One plain sentence. */
    summary: z.string(),
    /** Kinds of ground truth met during the episode, where there is any: for evaluation only. */
    truth: z.array(z.string()),
    /** Found in what came late: it was over before anybody could be told, so it is closed from the start. */
    historical: z.boolean().optional(),
  })
  .meta({ id: 'Alert', description: 'One episode on one device' });
export type Alert = z.infer<typeof alertSchema>;
