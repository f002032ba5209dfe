/**
 * Frames of the WebSocket feed. The first frame is a snapshot, then updates numbered without gaps; who sees a gap
 * sends `resync` and gets a new snapshot. A client that is too slow loses its backlog and gets a snapshot too.
 */
import { z } from 'zod';
import { alertSchema } from './alert.js';
import {
  metricsViewSchema,
  modelViewSchema,
  recordViewSchema,
  statusViewSchema,
  windowViewSchema,
} from './api.js';

/**
 * The collector's clock when it wrote the frame, ms since the epoch. Ages are worked out with it, so that neither the
 * client's clock nor that of a device matters.
 */
const nowMs = z.int();

export const snapshotFrameSchema = z.object({
  type: z.literal('snapshot'),
  n: z.int().min(0),
  now_ms: nowMs,
  status: statusViewSchema,
  models: z.array(modelViewSchema),
  metrics: metricsViewSchema,
  /** Oldest first: the last minutes of every line, bounded. */
  windows: z.array(windowViewSchema),
  /** Oldest first. */
  records: z.array(recordViewSchema),
  /** Newest first. */
  alerts: z.array(alertSchema),
});

export const updateFrameSchema = z.object({
  type: z.literal('update'),
  /** One more than the frame before. */
  n: z.int().min(1),
  now_ms: nowMs,
  windows: z.array(windowViewSchema).optional(),
  records: z.array(recordViewSchema).optional(),
  /** New or changed ones: replace by id. */
  alerts: z.array(alertSchema).optional(),
  status: statusViewSchema.optional(),
  models: z.array(modelViewSchema).optional(),
  metrics: metricsViewSchema.optional(),
});

export const feedFrameSchema = z.discriminatedUnion('type', [snapshotFrameSchema, updateFrameSchema]);
export type SnapshotFrame = z.infer<typeof snapshotFrameSchema>;
export type UpdateFrame = z.infer<typeof updateFrameSchema>;
export type FeedFrame = z.infer<typeof feedFrameSchema>;

/** What a client may say. */
export const feedRequestSchema = z.strictObject({ type: z.literal('resync') });
