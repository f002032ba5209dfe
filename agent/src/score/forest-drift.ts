/**
 * Drift of the forests in use: what their training saw, features and their own scores, against the windows that come,
 * scope by scope. What is known is kept over a restart: drift would never last on a gateway that restarts every day.
 */
import {
  type AgentInfo,
  DriftMeter,
  driftMeterSchema,
  type MeteredWindow,
  SCOPES,
  type Scope,
} from '@lineheron/models';
import { openSealedJson, type Recalled, sealJson, type TrainingProfile } from '@lineheron/models/persist';
import { z } from 'zod';

const fileSchema = z.object({
  v: z.literal(1),
  meters: z.array(
    z.object({
      scope: z.enum(SCOPES),
      /** Of the forest whose training they are measured against. */
      sha256: z.string(),
      meter: driftMeterSchema,
    }),
  ),
});

/** What is known of the training of the forest in use; null when there is none, or nothing was kept of it. */
export type ForestProfileOf = (scope: Scope) => { sha256: string; profile: TrainingProfile } | null;

export class ForestDrift {
  private readonly meters = new Map<Scope, { sha256: string; meter: DriftMeter }>();

  constructor(
    private readonly agent: string,
    private readonly featureNames: readonly string[],
    private readonly profileOf: ForestProfileOf,
  ) {}

  /** Takes a window that a forest may learn from. */
  add(scope: Scope, window: MeteredWindow): void {
    this.meterOf(scope)?.add(window);
  }

  view(): NonNullable<AgentInfo['drift']> {
    const names = [...this.featureNames, 'isolation_forest_score'];
    return SCOPES.flatMap((scope) => {
      const meter = this.meterOf(scope);
      return meter ? [{ scope, ...meter.view(names) }] : [];
    });
  }

  get lasting(): Scope[] {
    return SCOPES.filter((scope) => this.meterOf(scope)?.isLasting);
  }

  save(): Uint8Array {
    const meters = [...this.meters].map(([scope, { sha256, meter }]) => ({
      scope,
      sha256,
      meter: meter.state,
    }));
    return sealJson({ v: 1, meters });
  }

  /** Takes back what `save` gave, for the forests that are in use still. Throws when it is damaged. */
  load(bytes: Uint8Array): Recalled {
    const { meters } = openSealedJson(bytes, fileSchema);
    const recalled = meters.filter(({ scope, sha256, meter }) => {
      const own = this.profileOf(scope)?.sha256 === sha256 ? this.meterOf(scope) : null;
      own?.restore(meter);
      return own !== null;
    });
    return { known: recalled.length, anew: meters.length - recalled.length };
  }

  /** Another forest has another normal. */
  private meterOf(scope: Scope): DriftMeter | null {
    const model = this.profileOf(scope);
    const trained = model?.profile.agents[this.agent];
    if (!model || !trained) return null;
    const known = this.meters.get(scope);
    if (known?.sha256 === model.sha256) return known.meter;
    const meter = new DriftMeter(model.profile.edges, trained, known?.meter.lines);
    this.meters.set(scope, { sha256: model.sha256, meter });
    return meter;
  }
}
