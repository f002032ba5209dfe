/**
 * Drift from the autoencoders' training, agent by agent, from the windows that a model might learn from. Bounded in
 * agents; who was new longest ago goes first. What is known is kept over a restart.
 */
import {
  type AgentDrift,
  DriftMeter,
  driftMeterSchema,
  type Feature,
  type MeteredWindow,
  SCOPES,
  type Scope,
} from '@lineheron/models';
import { openSealedJson, type Recalled, sealJson, type TrainingProfile } from '@lineheron/models/persist';
import { z } from 'zod';

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

const fileSchema = z.object({
  v: z.literal(1),
  agents: z
    .array(
      z.object({
        scope: z.enum(SCOPES),
        fingerprint: z.string(),
        agent: z.string(),
        /** Of the model whose training it is measured against. */
        sha256: z.string(),
        meter: driftMeterSchema,
      }),
    )
    .max(MAX_AGENTS),
});

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
    const key = keyOf(window);
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

  save(): Uint8Array {
    const agents = [...this.known.values()].map((known) => ({ ...known, meter: known.meter.state }));
    return sealJson({ v: 1, agents });
  }

  /** Takes back what `save` gave, for the models that are in use still. Throws when it is damaged. */
  load(bytes: Uint8Array): Recalled {
    const { agents } = openSealedJson(bytes, fileSchema);
    const recalled = agents.flatMap(({ meter: state, ...known }): Known[] => {
      const model = this.profileOf(known.scope, known.fingerprint);
      const trained = model?.profile.agents[known.agent];
      if (model?.sha256 !== known.sha256 || !trained) return [];
      const meter = new DriftMeter(model.profile.edges, trained);
      meter.restore(state);
      return [{ ...known, meter }];
    });
    for (const known of recalled) this.known.set(keyOf(known), known);
    return { known: recalled.length, anew: agents.length - recalled.length };
  }

  /** Kinds of windows of which some agent's drift lasts, with the model that they drifted from. */
  get lasting(): Array<{ scope: Scope; fingerprint: string; sha256: string }> {
    const found = [...this.known.values()].filter(({ meter }) => meter.isLasting);
    const kinds = new Map(found.map((one) => [`${one.scope}/${one.fingerprint}`, one]));
    return [...kinds.values()].map(({ scope, fingerprint, sha256 }) => ({ scope, fingerprint, sha256 }));
  }
}

function keyOf({ scope, fingerprint, agent }: Pick<Known, 'scope' | 'fingerprint' | 'agent'>): string {
  return `${scope}/${fingerprint}/${agent}`;
}
