/** A record as it travels: one parsed log line in canonical fields. Absent means unknown, never 0. */
import { z } from 'zod';
import { fewEntries, MAX_MEASURED_VALUE, measuredSchema, nameKeySchema } from './bounds.js';
import { MAX_DECLARED_CHANNELS } from './channel.js';
import { deviceIdSchema, timeSchema } from './identity.js';

export const recordSchema = z
  .object({
    timestamp: timeSchema,
    device_id: deviceIdSchema,
    latency_ms: measuredSchema.min(0).optional(),
    packet_loss_pct: z.number().min(0).max(100).optional(),
    retry_count: z.int().min(0).max(MAX_MEASURED_VALUE).optional(),
    error_code: z.string().max(64).optional(),
    traffic_volume_mb: measuredSchema.min(0).optional(),
    connection_resets: z.int().min(0).max(MAX_MEASURED_VALUE).optional(),
    /** Declared channels by name. */
    channels: fewEntries(MAX_DECLARED_CHANNELS, nameKeySchema, measuredSchema).optional(),
    /** Ground truth: carried along for evaluation, never read by a detector. */
    is_anomaly: z.boolean().optional(),
    anomaly_type: z.string().max(64).optional(),
    /** Whether the edge's detector suspects this record's window. */
    suspect: z.boolean(),
  })
  .meta({ id: 'Record', description: 'One parsed log line' });

export type LineRecord = z.infer<typeof recordSchema>;
