/** The detectors as people see them: what each is, where it runs, and what is trained of it. Pure. */
import {
  type ActiveModel,
  type AgentInfo,
  type AgentModel,
  budgetOfDetector,
  DEFAULT_BUDGET,
  type ModelView,
  type TrainedModel,
  whyCannotAlert,
} from '@lineheron/models';
import type { Manifest } from '@lineheron/models/persist';

export interface LoadedModel {
  manifest: Manifest;
  inferenceUs: number;
  memoryBytes: number;
}

type Instance = ModelView['instances'][number];

const DESCRIPTIONS: Readonly<Record<ActiveModel, string>> = {
  isolation_forest:
    'Scores each window on the gateway by how easily random cuts isolate it; explains each score by feature.',
  adaptive_baseline:
    'Scores each record on the gateway by how improbable it is for its line; needs no training and learns as it goes.',
  autoencoder:
    'Scores each window at the collector by how badly a small network trained on normal rebuilds it.',
  ensemble:
    'Alerts when any of the others suspects a window; what gateway and collector both find is confirmed.',
};

export function modelViews(
  active: ActiveModel,
  infos: readonly AgentInfo[],
  autoencoders: readonly LoadedModel[],
  baselineReady: boolean,
  news: Readonly<Record<TrainedModel, Required<Pick<ModelView, 'drift' | 'candidates'>>>>,
  /** False alert episodes per device per day; undefined: as is usual. */
  budget = DEFAULT_BUDGET,
): ModelView[] {
  const forests = infos.flatMap(({ agent, models }) =>
    models.filter(({ kind }) => kind === 'isolation_forest').map((model) => forestInstance(agent, model)),
  );
  const networks = autoencoders.map((one) => autoencoderInstance(one, active, budget));
  const view = (name: ActiveModel, place: ModelView['place'], trained: boolean, instances: Instance[]) => ({
    name,
    active: name === active,
    trained,
    description: DESCRIPTIONS[name],
    place,
    instances,
    instances_total: instances.length,
  });
  const forestTrained = forests.some(({ scope }) => scope === 'device');
  return [
    { ...view('isolation_forest', 'edge', forestTrained, forests), ...news.isolation_forest },
    { ...view('adaptive_baseline', 'edge', baselineReady, []), learning: infos.map(learningAt) },
    { ...view('autoencoder', 'collector', networks.length > 0, networks), ...news.autoencoder },
    view('ensemble', 'both', baselineReady || forestTrained || networks.length > 0, []),
  ];
}

function learningAt({ agent, version, fingerprint, started_at }: AgentInfo) {
  return { agent, version, fingerprint, started_at };
}

/** A flat tree node takes about what it takes on disk, so a forest's size is its memory. */
function forestInstance(agent: string, model: AgentModel): Instance {
  return { ...model, agent, memory_bytes: model.size_bytes };
}

function autoencoderInstance(
  { manifest, inferenceUs, memoryBytes }: LoadedModel,
  active: ActiveModel,
  budget: number,
): Instance {
  // By itself its own threshold counts; in the ensemble it alerts alone only as the budget allows. Its scores have no end.
  const own = budgetOfDetector('autoencoder', 'ensemble', budget);
  const why = active === 'ensemble' ? whyCannotAlert(manifest.metrics, own, Number.POSITIVE_INFINITY) : null;
  const { kind, scope, release, sha256, fingerprint, trained_at, rows, threshold, size_bytes, training_ms } =
    manifest;
  return {
    agent: null,
    kind,
    scope,
    release,
    sha256,
    fingerprint,
    trained_at,
    rows,
    threshold,
    size_bytes,
    training_ms,
    ...(why ? { cannot_alert: why } : {}),
    inference_us: inferenceUs,
    memory_bytes: memoryBytes,
  };
}
