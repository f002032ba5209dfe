/**
 * Retrained autoencoders that nobody uses yet. When drift lasts, one is trained from the newest windows outside the
 * edge's episodes and kept beside the models; it goes to work only when a person accepts it, as a new release. One
 * candidate for each kind of windows, the newest; one fit at a time.
 */
import type { ModelCandidate, Scope } from '@lineheron/models';
import type { Manifest, ModelStore, ProfileFiles } from '@lineheron/models/persist';
import type { AutoencoderTrainer, HistoryRows } from './autoencoder-trainer.js';
import type { QuantileFiles } from './quantiles.js';
import { type HistoryWanted, trainingRows } from './training-rows.js';

interface ModelFolder {
  models: ModelStore;
  quantiles: QuantileFiles;
  profiles: ProfileFiles;
}

export interface CandidatesOptions {
  /** Where candidates are kept, and where what is in use is. */
  own: ModelFolder;
  used: ModelFolder;
  /** Fits and keeps a candidate, and puts nothing to work. */
  trainer: Pick<AutoencoderTrainer, 'fit'>;
  epochs: number;
  now: () => number;
  history: (query: HistoryWanted) => Promise<HistoryRows>;
  covered: (scope: Scope, fingerprint: string) => readonly string[];
  /** Manifests of the models in use. */
  inUse: () => readonly Manifest[];
  use: (manifest: Manifest, payload: Uint8Array) => Promise<void>;
  /** Kinds whose drift lasts, with the model that they drifted from. */
  lasting: () => ReadonlyArray<{ scope: Scope; fingerprint: string; sha256: string }>;
  /** A training by a person goes first. */
  isTraining: () => boolean;
  onChange: () => void;
  onProblem: (message: string) => void;
}

interface Candidate {
  manifest: Manifest;
  payload: Uint8Array;
}

/** How often lasting drift is looked for, and how long to wait after a fit for the same kind of windows. */
const LOOK_MS = 60_000;
const AGAIN_MS = 6 * 3_600_000;

export class Candidates {
  private readonly waiting = new Map<string, Candidate>();
  private readonly triedMs = new Map<string, number>();
  private timer: NodeJS.Timeout | undefined;
  private turn: Promise<void> = Promise.resolve();

  constructor(private readonly options: CandidatesOptions) {}

  /** Takes up what an earlier run kept. */
  async start(): Promise<void> {
    for (const { manifest, payload } of await this.options.own.models.loadAll()) {
      if (manifest.kind === 'autoencoder') this.waiting.set(keyOf(manifest), { manifest, payload });
    }
    // One that waits was trained lately: who is to accept it shall find it.
    for (const candidate of this.view()) {
      const before = this.used.get(keyOf(candidate));
      if (before) this.triedMs.set(triedKey(before), this.options.now());
    }
    this.timer = setInterval(() => void this.look(), LOOK_MS);
  }

  /** The clock was set by so much. */
  clockMoved(byMs: number): void {
    for (const [key, ms] of this.triedMs) this.triedMs.set(key, ms + byMs);
  }

  async stop(): Promise<void> {
    clearInterval(this.timer);
    await this.turn;
  }

  /** Those that are newer than the models in use, by the checksum and time of training of these. */
  view(): ModelCandidate[] {
    const used = this.used;
    return [...this.waiting.values()].flatMap(({ manifest }) => {
      const before = used.get(keyOf(manifest));
      if (before && Date.parse(before.trained_at) >= Date.parse(manifest.trained_at)) return [];
      const { scope, fingerprint, sha256, trained_at, rows, threshold, agents } = manifest;
      return [{ scope, fingerprint, sha256, trained_at, rows, threshold, agents: agents.length }];
    });
  }

  /** Trains a candidate for each kind whose drift lasts. Never rejects. */
  look(): Promise<void> {
    this.turn = this.turn.then(async () => {
      for (const kind of this.options.lasting()) {
        if (!this.options.isTraining()) await this.train(kind);
      }
    });
    return this.turn;
  }

  /** Puts a candidate to work as a new release; false when there is none of that checksum. */
  async accept(sha256: string): Promise<boolean> {
    const candidate = [...this.waiting.values()].find(({ manifest }) => manifest.sha256 === sha256);
    if (!candidate) return false;
    const { own, used, use, onChange } = this.options;
    const { scope, fingerprint } = candidate.manifest;
    const { v: _, release: __, sha256: ___, size_bytes: ____, ...known } = candidate.manifest;
    const manifest = await used.models.save(known, candidate.payload);
    const quantiles = await own.quantiles.load(scope, fingerprint, sha256);
    if (quantiles) await used.quantiles.save(scope, fingerprint, sha256, quantiles);
    const profile = await own.profiles.load(scope, fingerprint, sha256);
    if (profile) await used.profiles.save(scope, fingerprint, sha256, profile);
    await use(manifest, candidate.payload);
    this.waiting.delete(keyOf(manifest));
    onChange();
    return true;
  }

  private get used(): Map<string, Manifest> {
    return new Map(this.options.inUse().map((manifest) => [keyOf(manifest), manifest]));
  }

  private async train(kind: { scope: Scope; fingerprint: string; sha256: string }): Promise<void> {
    const { scope, fingerprint } = kind;
    const { now, history: read, covered, trainer, own, epochs, onChange, onProblem } = this.options;
    const key = triedKey(kind);
    if (now() - (this.triedMs.get(key) ?? Number.NEGATIVE_INFINITY) < AGAIN_MS) return;
    this.triedMs.set(key, now());
    try {
      const wanted = { scope, fingerprint, gathered: [], useHistory: true };
      const { history } = await trainingRows({ ...wanted, covered: covered(scope, fingerprint) }, read);
      await trainer.fit({ scope, fingerprint, gathered: [], history, epochs });
      const kept = await own.models.load('autoencoder', scope, fingerprint);
      if (kept) this.waiting.set(keyOf(kind), kept);
      onChange();
    } catch (error) {
      onProblem(`no candidate for ${scope} ${fingerprint}: ${String(error)}`);
    }
  }
}

function keyOf({ scope, fingerprint }: { scope: Scope; fingerprint: string }): string {
  return `${scope}/${fingerprint}`;
}

/** Names a training against the model in use. */
function triedKey(model: { scope: Scope; fingerprint: string; sha256: string }): string {
  return `${keyOf(model)}/${model.sha256}`;
}
