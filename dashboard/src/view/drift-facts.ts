/** What drifted, and what was retrained for it beside what is in use. Pure: it turns views into rows of text. */
import { type ActiveModel, type FeedModel, featureLabel, type ModelCandidate } from '@lineheron/models';
import { count, dateClock, figure, modelName, UNKNOWN } from '../format.js';

type Drift = NonNullable<FeedModel['drift']>[number];
type Instance = FeedModel['in_use'][number];

export interface DriftRow {
  readonly key: string;
  readonly model: string;
  readonly agent: string;
  readonly scope: Drift['scope'];
  readonly state: Drift['state'];
  /** The feature that is the farthest from training. */
  readonly feature: string;
  /** How far, and what it must exceed. */
  readonly psi: string;
  readonly bound: string;
  readonly windows: string;
  readonly since: string;
}

export interface Proposal {
  readonly model: ActiveModel;
  readonly sha256: string;
  /** What it would replace: `Isolation forest of gw-1, device windows`. */
  readonly title: string;
  readonly facts: readonly { readonly label: string; readonly retrained: string; readonly inUse: string }[];
}

const STATES = ['lasting', 'drifting', 'none', 'too_little'] as const satisfies Drift['state'][];

/** What has drifted first. */
export function driftRows(models: readonly FeedModel[], nowMs: number): readonly DriftRow[] {
  const rows = models.flatMap(({ name, drift = [] }) =>
    drift.map((one): DriftRow => {
      const { agent, scope, state, feature, psi, bound, windows, since } = one;
      return {
        key: `${name}/${agent}/${scope}`,
        model: modelName(name),
        agent,
        scope,
        state,
        feature: feature === null ? UNKNOWN : featureLabel(feature),
        psi: figure(psi),
        bound: figure(bound),
        windows: count(windows),
        since: since === null ? UNKNOWN : dateClock(since, nowMs),
      };
    }),
  );
  return rows.sort((a, b) => STATES.indexOf(a.state) - STATES.indexOf(b.state));
}

/** The model that a candidate would replace. */
function replaced({ in_use }: FeedModel, { scope, fingerprint, agent = null }: ModelCandidate) {
  return in_use.find((one) => one.scope === scope && one.fingerprint === fingerprint && one.agent === agent);
}

export function proposals(models: readonly FeedModel[], nowMs: number): readonly Proposal[] {
  return models.flatMap((model) =>
    (model.candidates ?? []).map((candidate): Proposal => {
      const present = replaced(model, candidate);
      const fact = (label: string, show: (one: ModelCandidate | Instance) => string) => ({
        label,
        retrained: show(candidate),
        inUse: present ? show(present) : UNKNOWN,
      });
      const whose = candidate.agent ? ` of ${candidate.agent}` : '';
      return {
        model: model.name,
        sha256: candidate.sha256,
        title: `${modelName(model.name)}${whose}, ${candidate.scope} windows`,
        facts: [
          fact('Trained', ({ trained_at }) => dateClock(trained_at, nowMs)),
          fact('Windows', ({ rows }) => count(rows)),
          fact('Threshold', ({ threshold }) =>
            threshold === null ? 'cannot alert within the budget' : figure(threshold),
          ),
        ],
      };
    }),
  );
}
