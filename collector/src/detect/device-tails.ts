/**
 * What is rare for each line: the autoencoder's scores of its own normal windows, one in a window's length so that they
 * count as independent. Once there are enough they set the line's threshold, beside the fleet's, which the model learnt
 * in training: a line that is noisier than the fleet no longer alarms for it, a calmer one is watched more closely. Kept
 * over a restart. Bounded in lines and in scores of each.
 */
import { SCOPES, type Scope, type ScoreTail, scoreTail, thresholdForDevice } from '@lineheron/models';
import { type Manifest, openSealedJson, type Recalled, sealJson } from '@lineheron/models/persist';
import { z } from 'zod';

/** Names one line of one kind of windows. */
export interface LineOfModel {
  agent: string;
  device: string;
  scope: Scope;
  fingerprint: string;
}

interface ScoredLine extends LineOfModel {
  endMs: number;
  windowMs: number;
  /** Null when no model reviewed the window. */
  score: number | null;
}

interface Known {
  line: LineOfModel;
  /** Of the model that gave the scores. */
  sha256: string;
  lastMs: number;
  /** The newest ones, in a ring. */
  scores: number[];
  count: number;
  tail: ScoreTail | null;
}

const MAX_LINES = 10_000;
const MAX_SCORES = 240;
const FIT_EVERY = 10;

/** A line is like those of the training when of so many of its own normal windows nine in ten are rebuilt as well. */
const MIN_ALIKE_SCORES = 30;
const ALIKE_SHARE = 0.9;

/** The model's scores are 32 bits each, and are kept as such. */
const scoresSchema = z.base64().transform((text, { addIssue }) => {
  const bytes = Buffer.from(text, 'base64');
  const scores = Array.from({ length: Math.floor(bytes.length / 4) }, (_, at) => bytes.readFloatLE(4 * at));
  if (bytes.length % 4 > 0 || scores.length > MAX_SCORES || !scores.every(Number.isFinite)) {
    addIssue('these are no scores');
  }
  return scores;
});

const count = z.int().min(0);
const figure = z.number();
const fileSchema = z.object({
  v: z.literal(2),
  lines: z
    .array(
      z.object({
        line: z.object({
          agent: z.string(),
          device: z.string(),
          scope: z.enum(SCOPES),
          fingerprint: z.string(),
        }),
        sha256: z.string(),
        lastMs: z.number(),
        scores: scoresSchema,
        count,
        tail: z
          .object({
            tail_start: figure,
            tail_scale: figure,
            tail_floor: figure,
            effective_rows: figure,
            windows_per_day: figure,
          })
          .nullable(),
      }),
    )
    .max(MAX_LINES),
});

export class DeviceTails {
  private readonly lines = new Map<string, Known>();

  /** `modelOf` gives the checksum of the model in use: another model's scores say nothing of this one's. */
  constructor(private readonly modelOf: (scope: Scope, fingerprint: string) => string | null) {}

  /** Takes a window that the edge finds normal. */
  add(window: ScoredLine): void {
    const { agent, device, scope, fingerprint, endMs, windowMs, score } = window;
    const sha256 = this.modelOf(scope, fingerprint);
    if (sha256 === null || score === null) return;
    const key = keyOf(window);
    const before = this.lines.get(key);
    const line = { agent, device, scope, fingerprint };
    const known =
      before?.sha256 === sha256 ? before : { line, sha256, lastMs: 0, scores: [], count: 0, tail: null };
    if (Math.abs(endMs - known.lastMs) < windowMs) return;
    known.lastMs = endMs;
    known.scores[known.count++ % MAX_SCORES] = score;
    // One a window's length: as many independent rows as scores, whatever their real frequency.
    if (known.count % FIT_EVERY === 0) known.tail = scoreTail(known.scores, 0, 1);
    this.lines.delete(key);
    this.lines.set(key, known);
    if (this.lines.size > MAX_LINES) this.lines.delete(this.lines.keys().next().value!);
  }

  save(): Uint8Array {
    const lines = [...this.lines.values()].map((known) => ({
      ...known,
      scores: Buffer.from(Float32Array.from(known.scores).buffer).toString('base64'),
    }));
    return sealJson({ v: 2, lines });
  }

  /** Takes back what `save` gave, for the models that are in use still. Throws when it is damaged. */
  load(bytes: Uint8Array): Recalled {
    const { lines } = openSealedJson(bytes, fileSchema);
    const isOfModel = ({ line, sha256 }: Known) => this.modelOf(line.scope, line.fingerprint) === sha256;
    const recalled = lines.filter(isOfModel);
    for (const known of recalled) this.lines.set(keyOf(known.line), known);
    return { known: recalled.length, anew: lines.length - recalled.length };
  }

  /**
   * Whether the line is like those that the model was trained on: nine in ten of its own normal windows, of thirty at
   * least, score no more than the model's threshold, as nineteen in twenty training windows do.
   */
  isAlike(line: LineOfModel, { sha256, threshold }: Manifest): boolean {
    const known = this.lines.get(keyOf(line));
    if (known?.sha256 !== sha256 || known.scores.length < MIN_ALIKE_SCORES) return false;
    const alike = known.scores.filter((score) => score <= threshold).length;
    return alike >= ALIKE_SHARE * known.scores.length;
  }

  /** The score above which a window of this line is rarer than the budget allows; null while only the fleet's is known. */
  threshold(line: LineOfModel, { sha256, metrics }: Manifest, budget: number): number | null {
    const known = this.lines.get(keyOf(line));
    if (!known?.tail || known.sha256 !== sha256 || metrics.windows_per_day === undefined) return null;
    return thresholdForDevice({ ...known.tail, windows_per_day: metrics.windows_per_day }, metrics, budget);
  }
}

function keyOf({ agent, device, scope, fingerprint }: LineOfModel): string {
  return `${scope}/${fingerprint}/${agent}/${device}`;
}
