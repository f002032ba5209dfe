/**
 * The collector's second opinion. A model judges a line only when it was trained on it (thirty of its windows at least), or
 * when the line's own normal windows have shown that it is like those (`DeviceTails.isAlike`): else what it finds strange
 * may only be another kind of line. Holds one autoencoder per (scope, fingerprint) and scores a group of windows with
 * one run for each. Loads what is on disk at start; a damaged model is passed over and told, never fatal.
 */
import {
  budgetOfDetector,
  DEFAULT_BUDGET,
  DEFAULT_FEATURES,
  type Feature,
  type NormalIf,
  type Reason,
  type Scope,
  thresholdForBudget,
  type WindowState,
} from '@lineheron/models';
import type { Manifest, ModelStore, ProfileFiles, TrainingProfile } from '@lineheron/models/persist';
import { Autoencoder } from './autoencoder.js';
import type { LineOfModel } from './device-tails.js';
import type { QuantileFiles } from './quantiles.js';
import { explainErrors } from './reasons.js';
import { smallestChange } from './smallest-change.js';

export interface WindowToReview {
  agent: string;
  device: string;
  scope: Scope;
  fingerprint: string;
  state: WindowState;
  features: ReadonlyArray<number | null>;
}

export interface Review {
  score: number;
  threshold: number;
  /** Over its own threshold: enough to second the edge. */
  suspect: boolean;
  /** Rarer than the alert budget allows normal windows to be: enough for the ensemble to alarm by itself. */
  rare: boolean;
  /** Of a suspect window only. */
  reasons: Reason[];
  /** The model was trained neither on enough windows of the line nor on lines like it: its score judges nothing. */
  unknownLine: boolean;
}

export interface ReviewerOptions {
  models: ModelStore;
  quantiles: QuantileFiles;
  profiles: ProfileFiles;
  /** Names and units of an agent's features; the default ones when nothing is known yet. */
  featuresOf: (agent: string) => readonly Feature[] | undefined;
  /** False alert episodes allowed per device and day; default 0.2. */
  budget?: number;
  /** What a line's own windows say is rare; null while they say nothing, and the model's training decides. */
  rareAbove?: (line: LineOfModel, manifest: Manifest, budget: number) => number | null;
  /** Whether a line that a model was not trained on is like those that it was; absent: none is. */
  isAlike?: (line: LineOfModel, manifest: Manifest) => boolean;
  onProblem: (message: string) => void;
}

export class Reviewer {
  private readonly autoencoders = new Map<string, Autoencoder>();
  private readonly profiles = new Map<string, { sha256: string; profile: TrainingProfile }>();
  /** Replaced models: a run of theirs may still be under way, so they are let go one replacement later. */
  private retired: Autoencoder[] = [];

  constructor(private readonly options: ReviewerOptions) {}

  get loaded(): Autoencoder[] {
    return [...this.autoencoders.values()];
  }

  /** Checksum of the model in use; null when there is none. */
  modelOf(scope: Scope, fingerprint: string): string | null {
    return this.autoencoders.get(modelKey(scope, fingerprint))?.manifest.sha256 ?? null;
  }

  /** Agents that the model in use was trained on; none when there is no model. */
  agentsOf(scope: Scope, fingerprint: string): readonly string[] {
    return this.autoencoders.get(modelKey(scope, fingerprint))?.manifest.agents ?? [];
  }

  /** What the model in use saw in training; null when there is none or that is not known. */
  profileOf(scope: Scope, fingerprint: string): { sha256: string; profile: TrainingProfile } | null {
    return this.profiles.get(modelKey(scope, fingerprint)) ?? null;
  }

  async start(): Promise<void> {
    for (const { manifest, payload } of await this.options.models.loadAll()) {
      if (manifest.kind !== 'autoencoder') continue;
      try {
        await this.use(manifest, payload);
      } catch (error) {
        this.options.onProblem(`autoencoder ${manifest.scope} ${manifest.sha256}: ${String(error)}`);
      }
    }
  }

  /** Puts a model to work in place of the one before it. */
  async use(manifest: Manifest, payload: Uint8Array): Promise<void> {
    const { scope, fingerprint, sha256 } = manifest;
    const quantiles = await this.options.quantiles.load(scope, fingerprint, sha256);
    const loaded = await Autoencoder.load(manifest, payload, quantiles);
    const key = modelKey(scope, fingerprint);
    const profile = await this.options.profiles.load(scope, fingerprint, sha256);
    const before = this.autoencoders.get(key);
    this.autoencoders.set(key, loaded);
    if (profile) this.profiles.set(key, { sha256, profile });
    else this.profiles.delete(key);
    const old = this.retired;
    this.retired = before ? [before] : [];
    for (const model of old) await model.release();
  }

  /** One review a window, null where no autoencoder may judge it. Never rejects: a failing model reviews nothing. */
  async review(windows: readonly WindowToReview[]): Promise<Array<Review | null>> {
    const reviews = new Array<Review | null>(windows.length).fill(null);
    for (const [model, places] of this.assign(windows)) {
      try {
        await this.scoreGroup(model, places, windows, reviews);
      } catch (error) {
        this.options.onProblem(`autoencoder ${model.manifest.scope} cannot score: ${String(error)}`);
      }
    }
    return reviews;
  }

  /** What would have made a suspect window normal to its model; null when no single feature's change does it. */
  async smallestChange(
    { agent, scope, fingerprint, features }: WindowToReview,
    { reasons, threshold }: Review,
  ): Promise<NormalIf | null> {
    const model = this.autoencoders.get(modelKey(scope, fingerprint));
    if (!model || features.length !== model.columns) return null;
    const names = this.options.featuresOf(agent) ?? DEFAULT_FEATURES;
    try {
      const score = async (rows: Float32Array) => (await model.score(rows)).scores;
      return await smallestChange({ features, names, reasons, threshold, score });
    } catch (error) {
      this.options.onProblem(`autoencoder ${scope} cannot score: ${String(error)}`);
      return null;
    }
  }

  async stop(): Promise<void> {
    const all = [...this.loaded, ...this.retired];
    this.autoencoders.clear();
    this.retired = [];
    for (const model of all) await model.release();
  }

  /** Places of the windows that each model scores: fully warmed up ones of its features. */
  private assign(windows: readonly WindowToReview[]): Map<Autoencoder, number[]> {
    const groups = new Map<Autoencoder, number[]>();
    // Windows come in runs of one kind; looking up the model anew for each took a third of a review's time.
    let [lastScope, lastFingerprint, model]: [string, string, Autoencoder | undefined] = ['', '', undefined];
    windows.forEach(({ scope, fingerprint, state, features }, place) => {
      if (scope !== lastScope || fingerprint !== lastFingerprint) {
        [lastScope, lastFingerprint] = [scope, fingerprint];
        model = this.autoencoders.get(modelKey(scope, fingerprint));
      }
      if (!model || state === 'warming_up' || features.length !== model.columns) return;
      const places = groups.get(model);
      if (places) places.push(place);
      else groups.set(model, [place]);
    });
    return groups;
  }

  private explain(model: Autoencoder, { agent, features }: WindowToReview, errors: Float32Array): Reason[] {
    const names = this.options.featuresOf(agent) ?? DEFAULT_FEATURES;
    return explainErrors(errors, features, names, model.quantiles);
  }

  private async scoreGroup(
    model: Autoencoder,
    places: readonly number[],
    windows: readonly WindowToReview[],
    reviews: Array<Review | null>,
  ): Promise<void> {
    const { columns } = model;
    const { threshold, metrics } = model.manifest;
    const budget = budgetOfDetector('autoencoder', 'ensemble', this.options.budget ?? DEFAULT_BUDGET);
    const ofFleet = thresholdForBudget(metrics, budget);
    const rows = new Float32Array(places.length * columns);
    places.forEach((place, row) => {
      const { features } = windows[place]!;
      for (let column = 0; column < columns; column++)
        rows[row * columns + column] = features[column] ?? Number.NaN;
    });
    const { scores, errors } = await model.score(rows);
    places.forEach((place, row) => {
      const score = scores[row]!;
      if (!Number.isFinite(score)) return;
      const window = windows[place]!;
      if (!model.knows(window) && !this.options.isAlike?.(window, model.manifest)) {
        reviews[place] = { score, threshold, suspect: false, rare: false, reasons: [], unknownLine: true };
        return;
      }
      const suspect = score > threshold;
      const at = row * columns;
      const reasons = suspect ? this.explain(model, window, errors.subarray(at, at + columns)) : [];
      const own = suspect ? this.options.rareAbove?.(window, model.manifest, budget) : null;
      const rareAbove = own ?? ofFleet ?? Number.POSITIVE_INFINITY;
      const rare = suspect && score > rareAbove;
      reviews[place] = { score, threshold, suspect, rare, reasons, unknownLine: false };
    });
  }
}

function modelKey(scope: Scope, fingerprint: string): string {
  return `${scope}/${fingerprint}`;
}
