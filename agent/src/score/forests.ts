/**
 * The forests of this agent: fitted here, kept in the model store, loaded into the engine. A model counts only once
 * the engine has taken it; a damaged one leaves the one before in use.
 */
import { type AgentModel, SCOPES, type Scope } from '@lineheron/models';
import {
  type Manifest,
  type ModelStore,
  type ProfileFiles,
  type TrainingProfile,
  trainingProfile,
} from '@lineheron/models/persist';
import { Forest } from '@lineheron/native';
import { type Log, messageOf } from '../log.js';
import { fitScope } from './fit.js';
import type { ForestFigures } from './forest-threshold.js';
import type { HistoryRow } from './history.js';
import type { Scoring } from './scoring.js';

/** What a running agent may change. */
export interface Tuning {
  contamination: number;
  seed: number;
}

export interface ForestsOptions extends Tuning {
  /** Where they work. */
  scoring: Pick<Scoring, 'engine' | 'windowSeconds' | 'useForest' | 'thresholdOf' | 'whyCannotAlert'>;
  store: ModelStore;
  /** Where is kept what their training saw; without, no drift is known. */
  profiles?: ProfileFiles;
  agent: string;
  nowMs: () => number;
  monotonicMs: () => number;
  log: Log;
}

const MEASURED_SCORES = 512;

/** A forest that is fitted and nowhere in use yet. */
export interface Fitted {
  draft: Parameters<ModelStore['save']>[0];
  payload: Uint8Array;
  /** What its training saw: drift is measured against it. */
  profile: TrainingProfile | null;
}

export class Forests {
  private readonly inUse = new Map<Scope, { manifest: Manifest; inferenceUs: number }>();
  private readonly profiles = new Map<Scope, { sha256: string; profile: TrainingProfile }>();
  private tuning: Tuning;

  constructor(private readonly options: ForestsOptions) {
    this.tuning = options;
  }

  get models(): AgentModel[] {
    return SCOPES.flatMap((scope) => this.modelOf(scope) ?? []);
  }

  has(scope: Scope): boolean {
    return this.inUse.has(scope);
  }

  /** What the training of the forest in use saw; null when nothing was kept of it. */
  profileOf(scope: Scope): { sha256: string; profile: TrainingProfile } | null {
    return this.profiles.get(scope) ?? null;
  }

  /** The threshold that a forest would have in use; null when it could not alert. */
  thresholdOf(forest: ForestFigures): number | null {
    return this.options.scoring.thresholdOf(forest);
  }

  /** How the next ones are fitted. */
  retune({ contamination, seed }: Tuning): void {
    this.tuning = { contamination, seed };
  }

  /** Loads the newest good forest of each scope. */
  async start(): Promise<void> {
    const { store, log } = this.options;
    const { fingerprint } = this.options.scoring.engine;
    for (const scope of SCOPES) {
      try {
        const model = await store.load('isolation_forest', scope, fingerprint);
        if (!model) continue;
        const profile = await this.options.profiles?.load(scope, fingerprint, model.manifest.sha256);
        this.use(model.manifest, model.payload, profile ?? null);
      } catch (error) {
        log.error({ scope, error: messageOf(error) }, 'a stored forest cannot be used');
      }
    }
  }

  /** Fits, and changes nothing. */
  async fit(scope: Scope, rows: readonly HistoryRow[]): Promise<Fitted> {
    const { agent, nowMs, monotonicMs } = this.options;
    const { engine, windowSeconds } = this.options.scoring;
    const { contamination, seed } = this.tuning;
    const startedMs = monotonicMs();
    const plan = { engine, seed, contamination, windowSeconds };
    const fitted = await fitScope(
      rows.map(({ features }) => features),
      plan,
    );
    const times = rows.map(({ endMs }) => endMs);
    const draft: Fitted['draft'] = {
      kind: 'isolation_forest',
      scope,
      fingerprint: engine.fingerprint,
      trained_at: new Date(nowMs()).toISOString(),
      training_from: isoOrNull(times.reduce((low, time) => Math.min(low, time), Number.POSITIVE_INFINITY)),
      training_to: isoOrNull(times.reduce((high, time) => Math.max(high, time), Number.NEGATIVE_INFINITY)),
      rows: rows.length,
      seed,
      threshold: fitted.threshold,
      training_ms: Math.round((monotonicMs() - startedMs) * 100) / 100,
      agents: [agent],
      metrics: {
        trees: fitted.info.trees,
        sample_size: fitted.info.sampleSize,
        ...fitted.tail,
      },
    };
    const { values, scores, tail } = fitted;
    const independent = Math.min(1, tail.effective_rows / rows.length);
    const agents = rows.map(() => agent);
    const profile = trainingProfile(values, engine.features.length, scores, agents, independent);
    return { draft, payload: fitted.bytes, profile };
  }

  /** Keeps a fitted forest and takes it into use. */
  async install({ draft, payload, profile }: Fitted): Promise<AgentModel> {
    const manifest = await this.options.store.save(draft, payload);
    const { scope, fingerprint, sha256 } = manifest;
    if (profile) await this.options.profiles?.save(scope, fingerprint, sha256, profile);
    return this.use(manifest, payload, profile);
  }

  private use(manifest: Manifest, payload: Uint8Array, profile: TrainingProfile | null): AgentModel {
    const { scope, sha256 } = manifest;
    this.options.scoring.useForest(manifest, payload);
    if (profile) this.profiles.set(scope, { sha256, profile });
    else this.profiles.delete(scope);
    this.inUse.set(scope, { manifest, inferenceUs: this.inferenceUs(payload) });
    return this.modelOf(scope)!;
  }

  private modelOf(scope: Scope): AgentModel | null {
    const used = this.inUse.get(scope);
    if (!used) return null;
    const { manifest, inferenceUs } = used;
    const why = this.options.scoring.whyCannotAlert(manifest);
    return {
      kind: manifest.kind,
      scope,
      release: manifest.release,
      sha256: manifest.sha256,
      fingerprint: manifest.fingerprint,
      trained_at: manifest.trained_at,
      rows: manifest.rows,
      threshold: this.thresholdOf(manifest),
      ...(why ? { cannot_alert: why } : {}),
      size_bytes: manifest.size_bytes,
      training_ms: manifest.training_ms,
      inference_us: inferenceUs,
    };
  }

  /** Mean time for one score on this machine. */
  private inferenceUs(payload: Uint8Array): number {
    const { scoring, monotonicMs } = this.options;
    const forest = Forest.load(payload);
    const columns = scoring.engine.features.length;
    const rows = Float64Array.from({ length: MEASURED_SCORES * columns }, (_, index) => (index * 7919) % 101);
    const startedMs = monotonicMs();
    forest.score(rows);
    return Math.round(((monotonicMs() - startedMs) * 1e6) / MEASURED_SCORES) / 1e3;
  }
}

function isoOrNull(ms: number): string | null {
  return Number.isFinite(ms) ? new Date(ms).toISOString() : null;
}
