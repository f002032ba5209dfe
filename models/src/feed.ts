/**
 * Frames of the WebSocket feed. The first frame is a snapshot, then updates numbered without gaps: each says what has
 * changed in the topics that a client follows, all of them unless it says otherwise. Who sees a gap sends `resync` and
 * gets a new snapshot. A client that is too slow loses its backlog and gets a snapshot too.
 *
 * The list shows a bounded number of agents and lines, the worst of a large fleet; the others come page by page from
 * `GET /api/v1/agents` and `/api/v1/lines`. Windows and records come completely of the lines that a client watches, in
 * frames of their own. What was before comes from `GET /recent-results`.
 */
import { z } from 'zod';
import { alertSchema } from './alert.js';
import {
  agentSummarySchema,
  metricsViewSchema,
  modelInstanceSchema,
  modelViewSchema,
  recordViewSchema,
  statusViewSchema,
  windowViewSchema,
} from './api.js';
import { agentModelSchema, cannotAlertSchema } from './control.js';
import { LINE_STATES } from './detector.js';
import {
  FEED_TOPICS,
  FEED_VERSION,
  MAX_WATCHED_LINES,
  SNAPSHOT_ALERTS,
  SPARK_POINTS,
} from './feed-bounds.js';
import { agentIdSchema, timeSchema, windowDeviceSchema, windowIdSchema } from './identity.js';

/** `<agent>/<device>`; neither part can hold a slash. */
export const lineKeySchema = z.string().refine((key) => {
  const slash = key.indexOf('/');
  const [agent, device] = [key.slice(0, slash), key.slice(slash + 1)];
  return slash > 0 && agentIdSchema.safeParse(agent).success && windowDeviceSchema.safeParse(device).success;
}, 'must be <agent>/<device>');

export const watchedLinesSchema = z.union([
  z.literal('all'),
  z.array(lineKeySchema).max(MAX_WATCHED_LINES, `at most ${MAX_WATCHED_LINES} lines, or all`),
]);
export type WatchedLines = z.infer<typeof watchedLinesSchema>;

export const feedTopicsSchema = z.array(z.enum(FEED_TOPICS)).max(FEED_TOPICS.length);

/**
 * The collector's clock when it wrote the frame, ms since the epoch. Ages are worked out with it, so that neither the
 * client's clock nor that of a device matters.
 */
const nowMsSchema = z.int();

const lineNumberSchema = z.int().min(0);
const latencySchema = z.number().nullable();
const lossSchema = z.number().nullable();

/** A line as a row, since there may be thousands. */
export const feedLineSchema = z.tuple([
  /** By which updates name it. */
  lineNumberSchema,
  agentIdSchema,
  windowDeviceSchema,
  z.enum(LINE_STATES),
  /** Whether it is watched: it reports, its agent detects, and a detector that may alert judged its newest window. */
  z.boolean(),
  /** Id of the open alert; null when the line is quiet. */
  windowIdSchema.nullable(),
  /** When it was last heard, ms since the epoch, and its newest window's event time minus that: how its clock differs. */
  z.int(),
  z.int(),
  /** Its last latency in ms and loss in %, three digits each. */
  latencySchema,
  lossSchema,
  /** When it has warmed up, ms since the epoch, while it does; when it last measured anything, while it cannot. */
  z.int().optional(),
]);
export type FeedLine = z.infer<typeof feedLineSchema>;

/** Newest latency and loss of the line with that number. */
export const lineValuesSchema = z.tuple([lineNumberSchema, latencySchema, lossSchema]);
export type LineValues = z.infer<typeof lineValuesSchema>;

/** With at most `MAX_FEED_PROBLEMS`. Models, spool, counters and labels: `GET /api/v1/agents`. */
export const feedAgentSchema = agentSummarySchema
  .omit({ models: true, spool: true, counters: true, labels: true, lines: true })
  .extend({
    /** Its forest of device windows cannot alert, and why. */
    cannot_alert: agentModelSchema.shape.cannot_alert,
  });
export type FeedAgent = z.infer<typeof feedAgentSchema>;

export const feedStatusSchema = statusViewSchema.omit({ agents: true, more: true, uptime_seconds: true });
export type FeedStatus = z.infer<typeof feedStatusSchema>;

const rangeSchema = z.object({ least: z.number(), most: z.number() });

/** A model with its instances in sum; one by one: `GET /models`. */
export const feedModelSchema = modelViewSchema
  .omit({ instances: true, instances_total: true, learning: true })
  .extend({
    instances: z.object({
      count: z.int(),
      agents: z.int(),
      release: rangeSchema.nullable(),
      /** The newest. */
      trained_at: timeSchema.nullable(),
      rows: z.int(),
      size_bytes: z.int(),
      /** Mean of those that are known. */
      inference_us: z.number().nullable(),
      /** Those of device windows: their thresholds, and how many of them cannot alert, with the one that has seen least. */
      of_devices: z.object({
        count: z.int(),
        threshold: rangeSchema.nullable(),
        cannot_alert: z.object({ count: z.int(), least: cannotAlertSchema }).nullable(),
      }),
    }),
    /** Those that the candidates would replace. */
    in_use: z.array(modelInstanceSchema),
  });
export type FeedModel = z.infer<typeof feedModelSchema>;

export const snapshotFrameSchema = z.object({
  type: z.literal('snapshot'),
  v: z.literal(FEED_VERSION),
  n: z.int().min(0),
  now_ms: nowMsSchema,
  topics: feedTopicsSchema,
  /** For who watches all lines; to who watches some, a frame about them follows at once. */
  watching: z.literal('all').optional(),
  /** Of the topic `fleet`, as `models` and `metrics`. */
  status: feedStatusSchema.optional(),
  models: z.array(feedModelSchema).optional(),
  metrics: metricsViewSchema.optional(),
  /** Of the topic `list`, as `lines` and `sparks`. */
  agents: z.array(feedAgentSchema).optional(),
  lines: z.array(feedLineSchema).optional(),
  /** Of the line at the same place in `lines`: latency, oldest first, up to now; null where nothing came. */
  sparks: z.array(z.array(latencySchema).max(SPARK_POINTS)).optional(),
  /** Of the topic `alerts`: open ones first, then the newest. */
  alerts: z.array(alertSchema).max(SNAPSHOT_ALERTS).optional(),
  /** Of the topic `records`, oldest first: the newest of all lines. */
  records: z.array(recordViewSchema).optional(),
  /** Oldest first: the newest of all lines, for who watches all. */
  windows: z.array(windowViewSchema).optional(),
});

export const updateFrameSchema = z.object({
  type: z.literal('update'),
  /** One more than in the frame before that has a number. */
  n: z.int().min(1),
  now_ms: nowMsSchema,
  /** The fields that changed. */
  status: feedStatusSchema.partial().optional(),
  /** New or changed ones: replace by id. */
  agents: z.array(feedAgentSchema).optional(),
  /** New ones and those whose state or alert changed: replace by number. */
  lines: z.array(feedLineSchema).optional(),
  values: z.array(lineValuesSchema).optional(),
  /** What the list shows no more: it is not known any longer, or gave way to what is worse. */
  gone: z.object({ agents: z.array(agentIdSchema), lines: z.array(lineNumberSchema) }).optional(),
  /** Changed ones: replace by name. */
  models: z.array(feedModelSchema).optional(),
  /** The fields that changed. */
  metrics: metricsViewSchema.partial().optional(),
  /** Some of all lines, anomalous ones first. */
  records: z.array(recordViewSchema).optional(),
  /** New or changed ones: replace by id. */
  alerts: z.array(alertSchema).optional(),
});

/** What came of the watched lines. It has no number: a client that loses one gets a snapshot. */
export const linesFrameSchema = z.object({
  type: z.literal('lines'),
  now_ms: nowMsSchema,
  windows: z.array(windowViewSchema).optional(),
  records: z.array(recordViewSchema).optional(),
  /** The answer to `watch`: from this frame on, these lines' windows and records are complete. */
  watching: watchedLinesSchema.optional(),
  /** With that answer, and when they change: how the watched lines stand. Of who watches all, the topic `list` tells it. */
  lines: z.array(feedLineSchema).optional(),
});

export const feedFrameSchema = z.discriminatedUnion('type', [
  snapshotFrameSchema,
  updateFrameSchema,
  linesFrameSchema,
]);
export type SnapshotFrame = z.infer<typeof snapshotFrameSchema>;
export type UpdateFrame = z.infer<typeof updateFrameSchema>;
export type LinesFrame = z.infer<typeof linesFrameSchema>;
export type FeedFrame = z.infer<typeof feedFrameSchema>;

/** What a client may say. */
export const feedRequestSchema = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('resync') }),
  /** From now on these instead of those before. */
  z.strictObject({ type: z.literal('watch'), lines: watchedLinesSchema }),
  /** From now on these topics instead of those before: answered with a snapshot. */
  z.strictObject({ type: z.literal('follow'), topics: feedTopicsSchema }),
]);
export type FeedRequest = z.infer<typeof feedRequestSchema>;
