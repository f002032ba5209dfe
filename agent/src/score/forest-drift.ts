/**
 * Drift of the forests in use: what their training saw, features and their own scores, against the windows that come,
 * scope by scope. In memory only: after a restart it is measured anew.
 */
import { type AgentInfo, DriftMeter, type MeteredWindow, SCOPES, type Scope } from '@lineheron/models';
import type { TrainingProfile } from '@lineheron/models/persist';

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
