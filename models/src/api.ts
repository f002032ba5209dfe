/** Requests and answers of the collector's HTTP API. The routes validate with these and /openapi.json shows them. */
import { z } from 'zod';
import { countersSchema, labelsSchema } from './bounds.js';
import { agentModelSchema, candidateSchema, driftSchema, linesEventSchema } from './control.js';
import { ACTIVE_MODELS, LINE_STATES, SCOPES, WINDOW_STATES } from './detector.js';
import {
  agentIdSchema,
  timeSchema,
  windowDeviceQuerySchema,
  windowDeviceSchema,
  windowIdSchema,
} from './identity.js';
import { reasonSchema, scopeSchema } from './score.js';

/** Agents in `GET /status`, and devices of each; model instances in `GET /models`. The rest comes in pages. */
export const MAX_STATUS_AGENTS = 50;
export const MAX_STATUS_DEVICES = 25;
export const MAX_INSTANCES = 100;

/** Bodies of requests are strict: a misspelt field is an error, not a silent default. */
export const trainRequestSchema = z
  .strictObject({
    /** Wall time to collect; 0 is allowed only with `use_history`. */
    duration_seconds: z.number().min(0).max(86_400).optional(),
    epochs: z.int().min(1).max(10_000).optional(),
    /** Also use what agents and collector have kept (up to 3,600 windows per scope). */
    use_history: z.boolean().optional(),
    /** Train only these agents' forests; all online ones when absent. The autoencoder is always trained. */
    agents: z.array(agentIdSchema).min(1).max(1000).optional(),
  })
  .meta({
    id: 'TrainRequest',
    // Something must be trained on: what is collected now, or what was kept.
    anyOf: [
      { properties: { duration_seconds: { type: 'number', exclusiveMinimum: 0 } } },
      { properties: { use_history: { const: true } }, required: ['use_history'] },
    ],
    examples: [{ duration_seconds: 60 }, { duration_seconds: 0, use_history: true }],
  });
export type TrainRequest = z.infer<typeof trainRequestSchema>;

export const modelRequestSchema = z
  .strictObject({
    model_name: z.enum(ACTIVE_MODELS),
    /** Checksum of a retrained candidate to put to work. */
    candidate: z
      .string()
      .regex(/^[0-9a-f]{64}$/)
      .optional(),
  })
  .meta({ id: 'ModelRequest', examples: [{ model_name: 'ensemble' }] });
export type ModelRequest = z.infer<typeof modelRequestSchema>;

export const trainingSchema = z
  .object({
    id: z.string(),
    state: z.enum(['collecting', 'fitting', 'done', 'failed', 'cancelled']),
    requested_at: timeSchema,
    finished_at: timeSchema.nullable(),
    duration_seconds: z.number(),
    epochs: z.int(),
    use_history: z.boolean(),
    /** 0–1 over the whole training. */
    progress: z.number().min(0).max(1),
    seconds_left: z.number().min(0),
    agents: z.array(
      z.object({
        id: agentIdSchema,
        state: z.enum(['waiting', 'collecting', 'fitting', 'done', 'failed', 'cancelled', 'missed']),
        rows: z.object({ device: z.int(), gateway: z.int() }),
        message: z.string().nullable(),
      }),
    ),
    /** In sum those that a short list of the agents leaves out; absent where all are there. */
    left_out: z.object({ agents: z.int(), done: z.int(), rows: z.int() }).optional(),
    autoencoders: z.array(
      z.object({
        scope: scopeSchema,
        fingerprint: z.string(),
        state: z.enum(['done', 'failed']),
        rows: z.int(),
        epochs_run: z.int(),
        threshold: z.number().nullable(),
        message: z.string().nullable(),
      }),
    ),
    /** What went wrong or was left out, in a sentence. */
    message: z.string().nullable(),
  })
  .meta({ id: 'Training', description: 'A training, running or ended' });
export type Training = z.infer<typeof trainingSchema>;

/** Why an agent that is online does not do its work. */
export const AGENT_PROBLEMS = [
  'no_answer',
  'source_ended',
  'lines_refused',
  'cannot_measure',
  'clock_ahead',
] as const;

export const agentProblemSchema = z.object({
  code: z.enum(AGENT_PROBLEMS),
  since: timeSchema,
  /** What it is and what to do, in a sentence for people. */
  message: z.string(),
});
export type AgentProblem = z.infer<typeof agentProblemSchema>;

/** An agent without its lines: those come from `GET /api/v1/lines?agent=…`. */
export const agentSummarySchema = z
  .object({
    id: agentIdSchema,
    online: z.boolean(),
    version: z.string(),
    boot: z.string(),
    source: z.object({ type: z.string(), detail: z.string(), phase: z.string() }),
    fingerprint: z.string(),
    last_seen: timeSchema.nullable(),
    /** What it really does, as it says itself; null until it has. */
    detecting: z.boolean().nullable(),
    active_model: z.enum(ACTIVE_MODELS).nullable(),
    /** Of an agent that is online. */
    problems: z.array(agentProblemSchema),
    models: z.array(agentModelSchema),
    spool: z.object({ batches: z.int(), bytes: z.int() }),
    counters: countersSchema,
    labels: labelsSchema,
    /** Its devices: how many there are, and how many are watched. */
    lines: z.object({ of: z.int().min(0), watched: z.int().min(0) }),
  })
  .meta({ id: 'AgentSummary', description: 'An agent as the collector knows it, without its lines' });
export type AgentSummary = z.infer<typeof agentSummarySchema>;

export const deviceViewSchema = z
  .object({
    device: windowDeviceSchema,
    scope: scopeSchema,
    state: z.enum(LINE_STATES),
    /** It reports, its agent detects, and a detector that may alert judged its newest window. */
    watched: z.boolean(),
    /** When it has warmed up, while it does; when it last measured anything, while it cannot. */
    ready_at: timeSchema.optional(),
    measured_at: timeSchema.optional(),
    last_seen: timeSchema,
    /** Newest event time. */
    end: timeSchema,
    /** Id of the open alert, null when the line is quiet. */
    alert: windowIdSchema.nullable(),
  })
  .meta({ id: 'Device', description: 'How a line of an agent stands' });
export type DeviceView = z.infer<typeof deviceViewSchema>;

export const agentViewSchema = agentSummarySchema
  .extend({
    /** By name; of more than `MAX_STATUS_DEVICES` those heard of longest ago. */
    devices: z.array(deviceViewSchema).max(MAX_STATUS_DEVICES),
  })
  .meta({ id: 'Agent', description: 'An agent as the collector knows it' });
export type AgentView = z.infer<typeof agentViewSchema>;

/** A line in a list of lines: with its agent, and its number and last values as the feed names them. */
export const lineViewSchema = deviceViewSchema
  .extend({
    agent: agentIdSchema,
    number: z.int().min(0),
    latency_ms: z.number().nullable(),
    packet_loss_pct: z.number().nullable(),
  })
  .meta({ id: 'Line', description: 'How a line stands, and what it measured last' });
export type LineView = z.infer<typeof lineViewSchema>;

const lineCountsSchema = z.partialRecord(z.enum(LINE_STATES), z.int().min(0));

/** What is really watched, by what was heard. Lines are devices; the gateways as a whole are left out. */
export const watchingSchema = z
  .object({
    lines: z.int().min(0),
    of: z.int().min(0),
    /** All of them by how they stand, and those that are not watched; what is 0 is left out. */
    states: lineCountsSchema,
    missed: lineCountsSchema,
    /** Agents that are online and say that they detect, that are online, and that are known. */
    agents_detecting: z.int().min(0),
    agents_online: z.int().min(0),
    agents: z.int().min(0),
    /** Agents that are online and do not do their work. */
    agents_with_problems: z.int().min(0),
  })
  .meta({ id: 'Watching' });
export type Watching = z.infer<typeof watchingSchema>;

/** What keeps the collector itself from its work, or from some of it. */
export const COLLECTOR_PROBLEMS = [
  'store_failing',
  'store_damaged',
  'store_set_aside',
  'history_cut',
] as const;

export const collectorProblemSchema = z
  .object({
    code: z.enum(COLLECTOR_PROBLEMS),
    since: timeSchema,
    /** What happened, where, and what to do. */
    message: z.string(),
  })
  .meta({ id: 'CollectorProblem' });
export type CollectorProblem = z.infer<typeof collectorProblemSchema>;

/** How much is stored, and how far back it reaches. */
export const storeViewSchema = z
  .object({
    /** Of all files of the store, and the most that they may have. */
    bytes: z.int().min(0),
    max_bytes: z.int().min(0),
    /** How long windows may be kept. */
    windows_hours: z.number(),
    /** When the oldest stored window arrived. */
    windows_since: timeSchema.nullable(),
  })
  .meta({ id: 'StoreView' });

export const statusViewSchema = z
  .object({
    version: z.string(),
    started_at: timeSchema,
    uptime_seconds: z.number(),
    /** What is desired; what is really watched stands in `watching`. */
    detecting: z.boolean(),
    active_model: z.enum(ACTIVE_MODELS),
    /** The adaptive baseline needs no training: it is ready once a line is warm, and the ensemble with it. */
    trained: z.object({
      isolation_forest: z.boolean(),
      adaptive_baseline: z.boolean(),
      autoencoder: z.boolean(),
      ensemble: z.boolean(),
    }),
    /** With at most `MAX_STATUS_AGENTS` of its agents: all in `GET /api/v1/trainings/{id}`. */
    training: trainingSchema.nullable(),
    broker: z.object({
      url: z.string(),
      connected: z.boolean(),
      /** What the embedded broker refused within the last ten minutes: who asks for too much, and what to do. */
      problems: z.array(
        z.object({ code: z.string(), detail: z.string(), count: z.int().min(1), last_at: timeSchema }),
      ),
    }),
    settings: z.object({
      window_size_seconds: z.number(),
      contamination: z.number(),
      threshold_percentile: z.number(),
      epochs: z.int(),
      anomaly_probability: z.number(),
    }),
    open_alerts: z.int(),
    watching: watchingSchema,
    store: storeViewSchema,
    problems: z.array(collectorProblemSchema),
    /** In order of their ids; of more than `MAX_STATUS_AGENTS` the worst. */
    agents: z.array(agentViewSchema).max(MAX_STATUS_AGENTS),
    /** Where the other agents and lines are to be had; absent when all are here. */
    more: z.object({ agents: z.string(), lines: z.string() }).optional(),
  })
  .meta({ id: 'Status' });
export type StatusView = z.infer<typeof statusViewSchema>;

const detectorScoreSchema = z.object({
  score: z.number().nullable(),
  threshold: z.number().nullable(),
  suspect: z.boolean(),
});

export const windowViewSchema = z
  .object({
    id: windowIdSchema,
    agent: agentIdSchema,
    device: windowDeviceSchema,
    scope: scopeSchema,
    end: timeSchema,
    received_at: timeSchema,
    state: z.enum(WINDOW_STATES),
    records: z.int(),
    /** Of the record that ended the window where it was published, else the window's mean. */
    latency_ms: z.number().nullable(),
    packet_loss_pct: z.number().nullable(),
    traffic_volume_mb: z.number().nullable(),
    isolation_forest: detectorScoreSchema,
    /** Of the record that ended the window, in nats. `strangeness` ranks records among the line's own and alarms nobody. */
    adaptive_baseline: detectorScoreSchema.extend({ strangeness: z.number().nullable().optional() }),
    autoencoder: detectorScoreSchema,
    /** Whether the active model finds it suspect. */
    anomalous: z.boolean(),
    /** Alert that this window belongs to. */
    alert: windowIdSchema.nullable(),
    reasons: z.array(reasonSchema),
    is_anomaly: z.boolean().nullable(),
    anomaly_type: z.string().nullable(),
    /** It came late, after newer ones: told of for the record, not as news. */
    historical: z.boolean().optional(),
  })
  .meta({ id: 'Window', description: 'A scored window with the opinions of all detectors' });
export type WindowView = z.infer<typeof windowViewSchema>;

export const recordViewSchema = z
  .object({
    agent: agentIdSchema,
    device: z.string(),
    timestamp: timeSchema,
    latency_ms: z.number().nullable(),
    packet_loss_pct: z.number().nullable(),
    retry_count: z.number().nullable(),
    error_code: z.string().nullable(),
    traffic_volume_mb: z.number().nullable(),
    connection_resets: z.number().nullable(),
    /** Window that it ended. */
    window: windowIdSchema.nullable(),
    /** Whether the active model finds its window suspect. */
    anomalous: z.boolean(),
    is_anomaly: z.boolean().nullable(),
    anomaly_type: z.string().nullable(),
  })
  .meta({ id: 'RecordView' });
export type RecordView = z.infer<typeof recordViewSchema>;

/** Whether an agent's windows still look as a model's training did. */
export const agentDriftSchema = z
  .object({ agent: agentIdSchema, ...driftSchema.shape })
  .meta({ id: 'AgentDrift' });
export type AgentDrift = z.infer<typeof agentDriftSchema>;

/** A retrained model that nobody uses until `POST /model` names its checksum. */
export const modelCandidateSchema = z
  .object({
    ...candidateSchema.shape,
    /** How many agents' windows it was trained on. */
    agents: z.int().min(0),
    /** Whose forest it would replace; null or absent: an autoencoder, which is the fleet's. */
    agent: agentIdSchema.nullable().optional(),
  })
  .meta({ id: 'ModelCandidate' });
export type ModelCandidate = z.infer<typeof modelCandidateSchema>;

/** A trained model in use: an agent's forest or a fleet-wide autoencoder. */
export const modelInstanceSchema = agentModelSchema.extend({
  agent: agentIdSchema.nullable(),
  memory_bytes: z.int().min(0).nullable(),
});

export const modelViewSchema = z
  .object({
    name: z.enum(ACTIVE_MODELS),
    active: z.boolean(),
    trained: z.boolean(),
    description: z.string(),
    /** Where it runs. */
    place: z.enum(['edge', 'collector', 'both']),
    /** At most `MAX_INSTANCES`; each agent's own in `GET /api/v1/agents`. */
    instances: z.array(modelInstanceSchema),
    instances_total: z.int().min(0),
    /** Of a detector that learns as it goes: where it runs, by the agent's version and features, and since when. */
    learning: z
      .array(
        z.object({
          agent: agentIdSchema,
          version: z.string(),
          fingerprint: z.string(),
          started_at: timeSchema,
        }),
      )
      .optional(),
    /** Of the agents farthest from what the models in use were trained on, by scope. */
    drift: z.array(agentDriftSchema.extend({ scope: scopeSchema })).optional(),
    /** Trained because of lasting drift; `POST /model` with the checksum puts one to work. */
    candidates: z.array(modelCandidateSchema).optional(),
  })
  .meta({ id: 'Model' });
export type ModelView = z.infer<typeof modelViewSchema>;

const ratio = z.number().min(0).max(1).nullable();
const qualitySchema = z.object({
  /** Of records with ground truth; the window length after a true episode counts neither way. */
  records: z.object({
    true_positives: z.int(),
    false_positives: z.int(),
    false_negatives: z.int(),
    true_negatives: z.int(),
    ignored: z.int(),
    precision: ratio,
    recall: ratio,
    f1: ratio,
  }),
  episodes: z.object({
    true_episodes: z.int(),
    found: z.int(),
    alerts: z.int(),
    false_alerts: z.int(),
    /** Per device and hour of judged event time. */
    false_alerts_per_device_hour: z.number().nullable(),
    precision: ratio,
    recall: ratio,
    f1: ratio,
    /** From a true episode's first record to the first suspect window. */
    delay_p50_s: z.number().nullable(),
    delay_p99_s: z.number().nullable(),
  }),
});
export type Quality = z.infer<typeof qualitySchema>;

export const metricsViewSchema = z
  .object({
    totals: z.object({
      batches: z.int(),
      windows: z.int(),
      records: z.int(),
      anomalous_windows: z.int(),
      alerts: z.int(),
      duplicates: z.int(),
      refused: z.int(),
      /** Batches that came when there was no room: their agents were asked to send them again later. */
      deferred: z.int(),
      /** Batches that agents say their full spools thinned away: they never come. */
      thinned: z.int(),
      /** Windows more than five minutes ahead of their arrival, stamped by it. */
      ahead: z.int(),
    }),
    /** Share of scored device windows that the active model finds suspect. */
    anomaly_rate: ratio,
    /** From the batch's entering the spool to its commit here, ms. */
    ingest_latency_ms: z.object({ p50: z.number().nullable(), p99: z.number().nullable() }),
    models: z.record(z.enum(ACTIVE_MODELS), qualitySchema),
    /** Since when the quality figures count. */
    since: timeSchema,
  })
  .meta({ id: 'Metrics' });
export type MetricsView = z.infer<typeof metricsViewSchema>;

const limit = z.coerce.number().int().min(1).max(1000).default(100);

export const recentQuerySchema = z.strictObject({
  limit,
  agent: agentIdSchema.optional(),
  device: windowDeviceQuerySchema.optional(),
  scope: z.enum(SCOPES).optional(),
  anomalous: z.enum(['true', 'false']).optional(),
  /** Only what arrived since. */
  since: z.iso.datetime({ offset: true }).optional(),
});

export const alertsQuerySchema = z.strictObject({
  limit,
  agent: agentIdSchema.optional(),
  device: windowDeviceQuerySchema.optional(),
  status: z.enum(['open', 'closed']).optional(),
});

/** Pages through stored windows in the order of (agent, boot, sequence, index). */
export const windowsQuerySchema = z.strictObject({
  limit,
  agent: agentIdSchema.optional(),
  /** Id of the last window of the page before. */
  after: windowIdSchema.optional(),
});

/** Agents and lines page by page, by name or the worst first. */
export const PAGE_ORDERS = ['name', 'worst'] as const;
const pageFields = {
  limit: z.coerce.number().int().min(1).max(500).default(100),
  sort: z.enum(PAGE_ORDERS).default('name'),
  /** What an id, a name or a label holds. */
  q: z.string().min(1).max(128).optional(),
  /** `next` of the page before. */
  after: z
    .string()
    .regex(/^[0-3]\/[a-z0-9._-]{1,64}\/.{0,256}$/, 'must be `next` of a page')
    .optional(),
};
export const agentsPageQuerySchema = z.strictObject({
  ...pageFields,
  online: z.enum(['true', 'false']).optional(),
});
export type AgentsPageQuery = z.infer<typeof agentsPageQuerySchema>;

export const linesPageQuerySchema = z.strictObject({
  ...pageFields,
  agent: agentIdSchema.optional(),
  state: z.enum(LINE_STATES).optional(),
  watched: z.enum(['true', 'false']).optional(),
});
export type LinesPageQuery = z.infer<typeof linesPageQuerySchema>;

const next = z.string().nullable();
export const agentsPageSchema = z.object({ agents: z.array(agentSummarySchema), next });
export type AgentsPage = z.infer<typeof agentsPageSchema>;
export const linesPageSchema = z.object({ lines: z.array(lineViewSchema), next });
export type LinesPage = z.infer<typeof linesPageSchema>;

/** Asks for the raw lines around an alert. */
export const linesRequestSchema = z
  .strictObject({ alert: windowIdSchema })
  .meta({ id: 'LinesRequest', examples: [{ alert: 'gw-1/8f1d2c3b4a596877/812/0' }] });

export const linesViewSchema = linesEventSchema
  .pick({ alert: true, from: true, to: true, complete: true, truncated: true, redactions: true, lines: true })
  .extend({ agent: agentIdSchema })
  .meta({ id: 'Lines', description: 'Raw lines around an alert, redacted by the gateway' });
export type LinesView = z.infer<typeof linesViewSchema>;
