/** The manifest of a trained model: what it is, what it was trained on, and the checksum of its payload. */
import { z } from 'zod';
import { SCOPES, TRAINED_MODELS } from '../detector.js';
import { timeSchema } from '../identity.js';

/** More lines than this of one model are not told apart. */
export const MAX_MANIFEST_LINES = 10_000;

export const manifestSchema = z.object({
  /** 1: from before lines were counted. */
  v: z.union([z.literal(1), z.literal(2)]),
  kind: z.enum(TRAINED_MODELS),
  scope: z.enum(SCOPES),
  /** Feature fingerprint: a model never meets windows of another. */
  fingerprint: z.string().regex(/^[0-9a-f]{16}$/),
  /** Grows by one with every model of this kind, scope and fingerprint; never reused. */
  release: z.int().min(1),
  /** Of the payload; also its file name. */
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  size_bytes: z.int().min(1),
  trained_at: timeSchema,
  /** Event time of the oldest and newest training window. */
  training_from: timeSchema.nullable(),
  training_to: timeSchema.nullable(),
  rows: z.int().min(1),
  seed: z.int(),
  threshold: z.number(),
  training_ms: z.number().min(0),
  /** Agents whose windows it was trained on. */
  agents: z.array(z.string()).max(10_000),
  /** How many windows each line gave; absent where that is not known. */
  lines: z
    .array(z.object({ agent: z.string(), device: z.string(), rows: z.int().min(1) }))
    .max(MAX_MANIFEST_LINES)
    .optional(),
  /** Losses, epochs run, trees: whatever the kind measures of itself. */
  metrics: z.record(z.string(), z.number()),
});

export type Manifest = z.infer<typeof manifestSchema>;
/** What a trainer knows; the store adds release, checksum and size. */
export type NewModel = Omit<Manifest, 'v' | 'release' | 'sha256' | 'size_bytes'>;
