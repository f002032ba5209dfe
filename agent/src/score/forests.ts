/**
 * The forests of this agent: fitted here, kept in the model store, loaded into the engine. A model counts only once
 * the engine has taken it; a damaged one leaves the one before in use.
 */
import {
  type ActiveModel,
  type AgentModel,
  budgetOfDetector,
  DEFAULT_BUDGET,
  SCOPES,
  type Scope,
  thresholdForBudget,
} from '@lineheron/models';
import {
  type Manifest,
  type ModelStore,
  type ProfileFiles,
  type TrainingProfile,
  trainingProfile,
} from '@lineheron/models/persist';
import { type Engine, type FleetTail, Forest } from '@lineheron/native';
import { type Log, messageOf } from '../log.js';
import { fitScope } from './fit.js';
import type { HistoryRow } from './history.js';

/** What a running agent may change. */
export interface Tuning {
  contamination: number;
  seed: number;
}

export interface ForestsOptions extends Tuning {
  engine: Engine;
  /** Default 30. */
  windowSeconds?: number;
  store: ModelStore;
  /** Where is kept what their training saw; without, no drift is known. */
  profiles?: ProfileFiles;
  agent: string;
  nowMs: () => number;
  monotonicMs: () => number;
  log: Log;
}

/** No score reaches it: such a forest tells what it thinks and alarms nobody. */
export const NEVER = 2;

/**
 * The score above which a forest's window is suspect. By itself: the share of contamination that its training was
 * told of. In the ensemble: what its part of the alert budget allows by what its training windows say of their tail.
 */
export function forestThreshold(
  { threshold, metrics }: Pick<Manifest, 'threshold' | 'metrics'>,
  active: ActiveModel,
  budget: number,
): number {
  if (active === 'isolation_forest') return threshold;
  return thresholdForBudget(metrics, budgetOfDetector('isolation_forest', active, budget)) ?? NEVER;
}

/**
 * What gives devices thresholds of their own beside the one above: the budget alone does. Null where the set threshold
 * counts for all, or nothing is known of the forest's training.
 */
export function fleetTail(
  { scope, metrics }: Pick<Manifest, 'scope' | 'metrics'>,
  active: ActiveModel,
  budget: number,
): FleetTail | null {
  const { tail_start, tail_scale, effective_rows, windows_per_day } = metrics;
  if (scope !== 'device' || active === 'isolation_forest') return null;
  if (tail_start === undefined || tail_scale === undefined) return null;
  if (effective_rows === undefined || windows_per_day === undefined) return null;
  return {
    ...{
      tailStart: tail_start,
      tailScale: tail_scale,
      budget: budgetOfDetector('isolation_forest', active, budget),
    },
    ...{ effectiveRows: effective_rows, windowsPerDay: windows_per_day },
  };
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
  private readonly inUse = new Map<Scope, AgentModel>();
  private readonly manifests = new Map<Scope, Manifest>();
  private readonly profiles = new Map<Scope, { sha256: string; profile: TrainingProfile }>();
  private active: ActiveModel = 'ensemble';
  private budget = DEFAULT_BUDGET;

  private tuning: Tuning;

  constructor(private readonly options: ForestsOptions) {
    this.tuning = options;
  }

  get models(): AgentModel[] {
    return SCOPES.flatMap((scope) => this.inUse.get(scope) ?? []);
  }

  has(scope: Scope): boolean {
    return this.inUse.has(scope);
  }

  /** What the training of the forest in use saw; null when nothing was kept of it. */
  profileOf(scope: Scope): { sha256: string; profile: TrainingProfile } | null {
    return this.profiles.get(scope) ?? null;
  }

  /** The threshold that a forest would have in use. */
  thresholdOf(manifest: Pick<Manifest, 'threshold' | 'metrics'>): number {
    return forestThreshold(manifest, this.active, this.budget);
  }

  /** How the next ones are fitted. */
  retune({ contamination, seed }: Tuning): void {
    this.tuning = { contamination, seed };
  }

  /** Who is heard, and how many false alerts are allowed a device and day: both set the thresholds. */
  hear(active: ActiveModel, budget: number): void {
    this.active = active;
    this.budget = budget;
    for (const [scope, manifest] of this.manifests) {
      const threshold = this.applyThreshold(manifest);
      const model = this.inUse.get(scope);
      if (model) this.inUse.set(scope, { ...model, threshold });
    }
  }

  /** Loads the newest good forest of each scope. */
  async start(): Promise<void> {
    const { engine, store, log } = this.options;
    for (const scope of SCOPES) {
      try {
        const model = await store.load('isolation_forest', scope, engine.fingerprint);
        if (!model) continue;
        const profile = await this.options.profiles?.load(scope, engine.fingerprint, model.manifest.sha256);
        this.use(model.manifest, model.payload, profile ?? null);
      } catch (error) {
        log.error({ scope, error: messageOf(error) }, 'a stored forest cannot be used');
      }
    }
  }

  /** Fits, and changes nothing. */
  async fit(scope: Scope, rows: readonly HistoryRow[]): Promise<Fitted> {
    const { engine, agent, nowMs, monotonicMs, windowSeconds } = this.options;
    const { contamination, seed } = this.tuning;
    const startedMs = monotonicMs();
    const plan = { engine, seed, contamination, ...(windowSeconds === undefined ? {} : { windowSeconds }) };
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
    const { engine } = this.options;
    engine.setForest(manifest.scope, payload);
    if (profile) this.profiles.set(manifest.scope, { sha256: manifest.sha256, profile });
    else this.profiles.delete(manifest.scope);
    this.manifests.set(manifest.scope, manifest);
    const threshold = this.applyThreshold(manifest);
    const model: AgentModel = {
      kind: manifest.kind,
      scope: manifest.scope,
      release: manifest.release,
      sha256: manifest.sha256,
      fingerprint: manifest.fingerprint,
      trained_at: manifest.trained_at,
      rows: manifest.rows,
      threshold,
      size_bytes: manifest.size_bytes,
      training_ms: manifest.training_ms,
      inference_us: this.inferenceUs(payload),
    };
    this.inUse.set(manifest.scope, model);
    return model;
  }

  private applyThreshold(manifest: Manifest): number {
    const threshold = this.thresholdOf(manifest);
    const { engine } = this.options;
    engine.setThreshold(manifest.scope, threshold);
    if (manifest.scope === 'device') engine.setFleetTail(fleetTail(manifest, this.active, this.budget));
    return threshold;
  }

  /** Mean time for one score on this machine. */
  private inferenceUs(payload: Uint8Array): number {
    const { engine, monotonicMs } = this.options;
    const forest = Forest.load(payload);
    const columns = engine.features.length;
    const rows = Float64Array.from({ length: MEASURED_SCORES * columns }, (_, index) => (index * 7919) % 101);
    const startedMs = monotonicMs();
    forest.score(rows);
    return Math.round(((monotonicMs() - startedMs) * 1e6) / MEASURED_SCORES) / 1e3;
  }
}

function isoOrNull(ms: number): string | null {
  return Number.isFinite(ms) ? new Date(ms).toISOString() : null;
}
