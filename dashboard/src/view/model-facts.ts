/** What the comparison of models says, row by row. Pure: it turns views into text. */
import {
  cannotAlertText,
  type FeedModel,
  featureLabel,
  type MetricsView,
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

/** `3`, or `1–3` where instances differ. */
export function span(
  range: { readonly least: number; readonly most: number } | null,
  show: (value: number) => string,
): string {
  if (range === null) return UNKNOWN;
  const { least, most } = range;
  return least === most ? show(least) : `${show(least)}–${show(most)}`;
}

function trained({ trained: isTrained, instances }: FeedModel): string {
  if (!isTrained) return 'not yet';
  if (instances.count === 0) return 'yes';
  const models = count(instances.count);
  return instances.agents > 0 ? `${models} on ${plural(instances.agents, 'agent')}` : `${models}, fleet-wide`;
}

const PLACES: Readonly<Record<FeedModel['place'], string>> = {
  edge: 'on gateways',
  collector: 'at collector',
  both: 'both',
};

/** Of device windows; where one cannot alert, why: of those, the one that has seen least. */
function threshold({ instances: { of_devices: own } }: FeedModel): string {
  if (own.cannot_alert === null) return span(own.threshold, figure);
  const whose = own.count > 1 ? `${own.cannot_alert.count} of ${own.count} ` : '';
  return whose + cannotAlertText(own.cannot_alert.least);
}

/** Agents whose windows no longer look as in training; unknown where too few windows tell. */
function drift({ drift: agents = [] }: FeedModel): string {
  const judged = agents.filter(({ state }) => state !== 'too_little');
  const [first, ...rest] = judged.filter(({ state }) => state !== 'none');
  if (judged.length === 0) return UNKNOWN;
  if (!first) return 'none';
  const more = rest.length > 0 ? ` and ${rest.length} more` : '';
  return `${first.agent}${more}: ${featureLabel(first.feature ?? '')}`;
}

function candidate({ candidates = [] }: FeedModel, nowMs: number): string {
  const [newest] = candidates
    .map(({ trained_at }) => trained_at)
    .sort((a, b) => Date.parse(b) - Date.parse(a));
  return newest === undefined ? UNKNOWN : `${dateClock(newest, nowMs)}, not in use`;
}

function modelRows(models: readonly FeedModel[], nowMs: number): FactRow[] {
  const row = (label: string, value: (model: FeedModel) => string): FactRow => ({
    label,
    values: models.map(value),
  });
  /** Of what there is none of, nothing can be said. */
  const total = ({ instances }: FeedModel, value: number) => (instances.count === 0 ? null : value);
  return [
    row('Trained models', trained),
    row('Runs', ({ place }) => PLACES[place]),
    row('Release', ({ instances }) => span(instances.release, String)),
    row('Trained at', ({ instances: { trained_at } }) =>
      trained_at === null ? UNKNOWN : dateClock(trained_at, nowMs),
    ),
    row('Threshold', threshold),
    row('Training windows', (m) => compactCount(total(m, m.instances.rows))),
    row('Size on disk', (m) => bytes(total(m, m.instances.size_bytes))),
    row('Time per score', ({ instances }) => microseconds(instances.inference_us)),
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
  models: readonly FeedModel[],
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
