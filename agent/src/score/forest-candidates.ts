/**
 * Retrained forests that nobody uses yet. When drift lasts, one is fitted on the newest windows that were normal and
 * kept beside the models; it goes to work only when a person accepts it at the collector, as a new release. One
 * candidate a scope, the newest; one fit at a time.
 */
import type { AgentModel, Candidate, ModelEvent, Scope } from '@lineheron/models';
import type { Manifest, ModelStore, ProfileFiles } from '@lineheron/models/persist';
import { type Log, messageOf } from '../log.js';
import { MIN_TRAINING_ROWS } from './fit.js';
import { thresholdText } from './forest-threshold.js';
import type { Forests } from './forests.js';
import type { History } from './history.js';

export interface ForestCandidatesOptions {
  store: ModelStore;
  profiles: ProfileFiles;
  forests: Forests;
  histories: Record<Scope, Pick<History, 'read'>>;
  fingerprint: string;
  /** Scopes whose drift lasts. */
  lasting: () => readonly Scope[];
  /** A training by a person goes first. */
  isTraining: () => boolean;
  monotonicMs: () => number;
  /** There is another candidate, or another model in use. */
  onChange: () => void;
  log: Log;
}

/** How often lasting drift is looked for, and how long to wait after a fit for the same forest. */
const LOOK_MS = 60_000;
const AGAIN_MS = 6 * 3_600_000;

export class ForestCandidates {
  private readonly waiting = new Map<Scope, { manifest: Manifest; payload: Uint8Array }>();
  private readonly triedMs = new Map<string, number>();
  private lookedMs = Number.NEGATIVE_INFINITY;
  private turn: Promise<void> = Promise.resolve();

  constructor(private readonly options: ForestCandidatesOptions) {}

  /** Takes up what an earlier run kept. */
  async start(): Promise<void> {
    for (const { manifest, payload } of await this.options.store.loadAll()) {
      const { kind, scope, fingerprint } = manifest;
      if (kind !== 'isolation_forest' || fingerprint !== this.options.fingerprint) continue;
      this.waiting.set(scope, { manifest, payload });
    }
    // One that waits was fitted lately: who is to accept it shall find it.
    for (const { scope } of this.view()) this.triedMs.set(this.fitKey(scope), this.options.monotonicMs());
  }

  /** Those that are newer than the forest in use. */
  view(): Candidate[] {
    const { forests } = this.options;
    return [...this.waiting.values()].flatMap(({ manifest }) => {
      const { scope, fingerprint, sha256, trained_at, rows } = manifest;
      const used = forests.models.find((model) => model.scope === scope);
      if (used && Date.parse(used.trained_at) >= Date.parse(trained_at)) return [];
      return [{ scope, fingerprint, sha256, trained_at, rows, threshold: forests.thresholdOf(manifest) }];
    });
  }

  /** Looks when it is time to. Cheap to call often; never rejects. */
  lookDue(): void {
    const nowMs = this.options.monotonicMs();
    if (nowMs - this.lookedMs < LOOK_MS) return;
    this.lookedMs = nowMs;
    void this.look();
  }

  /** Fits a candidate for each scope whose drift lasts. Never rejects. */
  look(): Promise<void> {
    this.turn = this.turn.then(async () => {
      for (const scope of this.options.lasting()) {
        if (!this.options.isTraining()) await this.fit(scope);
      }
    });
    return this.turn;
  }

  /** Puts a candidate to work as a new release and says how that went. Never rejects. */
  async accept(requestId: string, sha256: string): Promise<ModelEvent> {
    const found = [...this.waiting.values()].find(({ manifest }) => manifest.sha256 === sha256);
    const { scope = 'device' } = found?.manifest ?? {};
    const event = { v: 1, type: 'model', kind: 'isolation_forest', scope, request_id: requestId } as const;
    if (!found) return { ...event, accepted: false, message: 'There is no such candidate any more.' };
    try {
      const { rows, threshold, cannot_alert, release } = await this.install(found.manifest, found.payload);
      const message = `${rows} windows, ${thresholdText(threshold, cannot_alert)}, release ${release}`;
      return { ...event, accepted: true, message };
    } catch (error) {
      return { ...event, accepted: false, message: messageOf(error).slice(0, 1024) };
    }
  }

  private async install(manifest: Manifest, payload: Uint8Array): Promise<AgentModel> {
    const { forests, profiles, onChange } = this.options;
    const { scope, fingerprint, sha256 } = manifest;
    const { v: _, release: __, sha256: ___, size_bytes: ____, ...draft } = manifest;
    const profile = await profiles.load(scope, fingerprint, sha256);
    const model = await forests.install({ draft, payload, profile });
    this.waiting.delete(scope);
    onChange();
    return model;
  }

  private async fit(scope: Scope): Promise<void> {
    const { forests, histories, store, profiles, fingerprint, monotonicMs, onChange, log } = this.options;
    const key = this.fitKey(scope);
    if (monotonicMs() - (this.triedMs.get(key) ?? Number.NEGATIVE_INFINITY) < AGAIN_MS) return;
    this.triedMs.set(key, monotonicMs());
    try {
      const rows = await histories[scope].read();
      if (rows.length < MIN_TRAINING_ROWS) return;
      const { draft, payload, profile } = await forests.fit(scope, rows);
      const manifest = await store.save(draft, payload);
      if (profile) await profiles.save(scope, fingerprint, manifest.sha256, profile);
      this.waiting.set(scope, { manifest, payload });
      log.info({ scope, rows: rows.length }, 'drift lasts: a retrained forest waits to be accepted');
      onChange();
    } catch (error) {
      log.warn({ scope, error: messageOf(error) }, 'drift lasts, and no candidate could be fitted');
    }
  }
  /** Names a fit against the forest in use. */
  private fitKey(scope: Scope): string {
    const used = this.options.forests.models.find((model) => model.scope === scope);
    return `${scope} ${used?.sha256}`;
  }
}
