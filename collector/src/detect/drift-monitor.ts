/**
 * Drift from the autoencoders' training, agent by agent, from the windows that a model might learn from. Bounded in
 * agents; who was new longest ago goes first.
 */
import { type AgentDrift, DriftMeter, type Feature, type MeteredWindow, type Scope } from '@lineheron/models';
import type { TrainingProfile } from '@lineheron/models/persist';

export interface NormalWindow extends MeteredWindow {
  agent: string;
  scope: Scope;
  fingerprint: string;
}

/** The model that windows of a kind are compared with; null when there is none or nothing is known of its training. */
export type ProfileOf = (
  scope: Scope,
  fingerprint: string,
) => { sha256: string; profile: TrainingProfile } | null;

interface Known {
  scope: Scope;
  fingerprint: string;
  agent: string;
  sha256: string;
  meter: DriftMeter;
}

const MAX_AGENTS = 10_000;

export class DriftMonitor {
  private readonly known = new Map<string, Known>();

  constructor(
    private readonly profileOf: ProfileOf,
    private readonly featuresOf: (agent: string) => readonly Feature[] | undefined,
  ) {}

  add(window: NormalWindow): void {
    const { agent, scope, fingerprint, features } = window;
    const model = this.profileOf(scope, fingerprint);
    const trained = model?.profile.agents[agent];
    if (!model || !trained || features.length + 1 !== model.profile.edges.length) return;
    const key = `${scope}/${fingerprint}/${agent}`;
    const before = this.known.get(key);
    if (before?.sha256 === model.sha256) {
      before.meter.add(window);
      return;
    }
    // Another model has another normal.
    const meter = new DriftMeter(model.profile.edges, trained, before?.meter.lines);
    this.known.delete(key);
    this.known.set(key, { scope, fingerprint, agent, sha256: model.sha256, meter });
    if (this.known.size > MAX_AGENTS) this.known.delete(this.known.keys().next().value!);
    meter.add(window);
  }

  /** What is known of every agent of a kind of windows, the farthest first. */
  view(scope: Scope, fingerprint: string): AgentDrift[] {
    return [...this.known.values()]
      .filter((known) => known.scope === scope && known.fingerprint === fingerprint)
      .map(({ agent, meter }) => {
        const names = (this.featuresOf(agent) ?? []).map(({ name }) => name);
        return { agent, ...meter.view([...names, 'autoencoder_score']) };
      })
      .sort((a, b) => (b.psi ?? 0) / (b.bound ?? 1) - (a.psi ?? 0) / (a.bound ?? 1));
  }

  /** Kinds of windows of which some agent's drift lasts, with the model that they drifted from. */
  get lasting(): Array<{ scope: Scope; fingerprint: string; sha256: string }> {
    const found = [...this.known.values()].filter(({ meter }) => meter.isLasting);
    const kinds = new Map(found.map((one) => [`${one.scope}/${one.fingerprint}`, one]));
    return [...kinds.values()].map(({ scope, fingerprint, sha256 }) => ({ scope, fingerprint, sha256 }));
  }
}
