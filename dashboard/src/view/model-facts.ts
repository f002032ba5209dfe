/** What the comparison of models says, row by row. Pure: it turns views into text. */
import {
  cannotAlertText,
  featureLabel,
  type MetricsView,
  type ModelView,
  type Quality,
} from '@lineheron/models';
import {
  bytes,
  compactCount,
  count,
  dateClock,
  figure,
  microseconds,
  plural,
  ratio,
  UNKNOWN,
  withUnit,
} from '../format.js';

export interface FactRow {
  readonly label: string;
  readonly values: readonly string[];
}

export interface FactGroup {
  readonly title: string;
  readonly rows: readonly FactRow[];
}

type Instance = ModelView['instances'][number];

/** `3`, or `1–3` where instances differ. */
export function span(values: readonly number[], show: (value: number) => string): string {
  if (values.length === 0) return UNKNOWN;
  const least = Math.min(...values);
  const most = Math.max(...values);
  return least === most ? show(least) : `${show(least)}–${show(most)}`;
}

const sum = (values: readonly number[]) =>
  values.length === 0 ? null : values.reduce((total, value) => total + value, 0);

function trained(model: ModelView): string {
  if (!model.trained) return 'not yet';
  if (model.instances.length === 0) return 'yes';
  const agents = new Set(model.instances.flatMap(({ agent }) => (agent === null ? [] : [agent])));
  const models = count(model.instances.length);
  return agents.size > 0 ? `${models} on ${plural(agents.size, 'agent')}` : `${models}, fleet-wide`;
}

const PLACES: Readonly<Record<ModelView['place'], string>> = {
  edge: 'on gateways',
  collector: 'at collector',
  both: 'both',
};

function trainedAt(instances: readonly Instance[], nowMs: number): string {
  const newest = instances
    .map(({ trained_at }) => trained_at)
    .sort((a, b) => Date.parse(a) - Date.parse(b))
    .at(-1);
  return newest === undefined ? UNKNOWN : dateClock(newest, nowMs);
}

function inference(instances: readonly Instance[]): string {
  const known = instances.flatMap(({ inference_us }) => (inference_us === null ? [] : [inference_us]));
  return known.length === 0 ? UNKNOWN : microseconds(sum(known)! / known.length);
}

/** Of device windows; where one cannot alert, why: of those, the one that has seen least. */
function threshold(instances: readonly Instance[]): string {
  const own = instances.filter(({ scope }) => scope === 'device');
  const blocked = own.flatMap(({ cannot_alert }) => cannot_alert ?? []);
  const [least] = blocked.sort((a, b) => a.windows - b.windows);
  if (!least)
    return span(
      own.flatMap((one) => one.threshold ?? []),
      figure,
    );
  const whose = own.length > 1 ? `${blocked.length} of ${own.length} ` : '';
  return whose + cannotAlertText(least);
}

/** Agents whose windows no longer look as in training; unknown where too few windows tell. */
function drift({ drift: agents = [] }: ModelView): string {
  const judged = agents.filter(({ state }) => state !== 'too_little');
  const [first, ...rest] = judged.filter(({ state }) => state !== 'none');
  if (judged.length === 0) return UNKNOWN;
  if (!first) return 'none';
  const more = rest.length > 0 ? ` and ${rest.length} more` : '';
  return `${first.agent}${more}: ${featureLabel(first.feature ?? '')}`;
}

function candidate({ candidates = [] }: ModelView, nowMs: number): string {
  const [newest] = candidates
    .map(({ trained_at }) => trained_at)
    .sort((a, b) => Date.parse(b) - Date.parse(a));
  return newest === undefined ? UNKNOWN : `${dateClock(newest, nowMs)}, not in use`;
}

function modelRows(models: readonly ModelView[], nowMs: number): FactRow[] {
  const row = (label: string, value: (model: ModelView) => string): FactRow => ({
    label,
    values: models.map(value),
  });
  const instances = (model: ModelView) => model.instances;
  return [
    row('Trained models', trained),
    row('Runs', ({ place }) => PLACES[place]),
    row('Release', (m) =>
      span(
        instances(m).map(({ release }) => release),
        String,
      ),
    ),
    row('Trained at', (m) => trainedAt(instances(m), nowMs)),
    row('Threshold', (m) => threshold(instances(m))),
    row('Training windows', (m) => compactCount(sum(instances(m).map(({ rows }) => rows)))),
    row('Size on disk', (m) => bytes(sum(instances(m).map(({ size_bytes }) => size_bytes)))),
    row('Time per score', (m) => inference(instances(m))),
    row('Drift', drift),
    row('Retrained', (m) => candidate(m, nowMs)),
  ];
}

function qualityRows(qualities: readonly (Quality | undefined)[]) {
  const row = (label: string, value: (quality: Quality) => string): FactRow => ({
    label,
    values: qualities.map((quality) => (quality ? value(quality) : UNKNOWN)),
  });
  return {
    records: [
      row('Precision', ({ records }) => ratio(records.precision)),
      row('Recall', ({ records }) => ratio(records.recall)),
      row('F1', ({ records }) => ratio(records.f1)),
    ],
    episodes: [
      row('Found', ({ episodes: e }) =>
        e.true_episodes === 0 ? UNKNOWN : `${e.found} of ${e.true_episodes}`,
      ),
      row('Precision', ({ episodes }) => ratio(episodes.precision)),
      row('Recall', ({ episodes }) => ratio(episodes.recall)),
      row('F1', ({ episodes }) => ratio(episodes.f1)),
      row('False alerts per device-hour', ({ episodes }) => figure(episodes.false_alerts_per_device_hour)),
      row('Delay, median', ({ episodes }) => withUnit(episodes.delay_p50_s, 's')),
      row('Delay, p99', ({ episodes }) => withUnit(episodes.delay_p99_s, 's')),
    ],
  };
}

export function modelFacts(
  models: readonly ModelView[],
  metrics: MetricsView | null,
  nowMs: number,
): readonly FactGroup[] {
  const quality = qualityRows(models.map(({ name }) => metrics?.models[name]));
  return [
    { title: 'Model', rows: modelRows(models, nowMs) },
    { title: 'Records', rows: quality.records },
    { title: 'Episodes', rows: quality.episodes },
  ];
}
