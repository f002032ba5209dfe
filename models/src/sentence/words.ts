/**
 * What each feature and channel is called, and how its value is said: a variance as a swing in the channel's own unit, a
 * share in percent, a rate per second, minute or hour. Pure.
 */
import { MAX_FEATURE_VALUE } from '../feature.js';

const LABELS: Readonly<Record<string, string>> = {
  latency_ms: 'latency',
  packet_loss_pct: 'packet loss',
  retry_count: 'retries',
  traffic_volume_mb: 'traffic',
  errors: 'errors',
  server_errors: 'server errors',
  latency_mean: 'mean latency',
  latency_variance: 'latency variance',
  latency_max: 'highest latency',
  latency_p95: '95th-percentile latency',
  packet_loss_mean: 'mean packet loss',
  packet_loss_max: 'highest packet loss',
  packet_loss_variance: 'packet loss variance',
  retry_mean: 'retries per record',
  retry_max: 'most retries in a record',
  retry_rate: 'share of records with retries',
  error_rate: 'error rate',
  server_error_rate: 'server error rate',
  traffic_mean: 'mean traffic',
  traffic_variance: 'traffic variance',
  traffic_delta: 'traffic spread',
  resets_mean: 'connection resets per record',
  resets_total: 'connection resets',
  log_frequency: 'records per second',
  device_diversity: 'devices seen',
};

/** What the features of a declared channel are called after its name. */
const STATISTICS: ReadonlyArray<readonly [suffix: string, label: (channel: string) => string]> = [
  ['_mean', (channel) => `mean ${channel}`],
  ['_variance', (channel) => `${channel} variance`],
  ['_max', (channel) => `highest ${channel}`],
  ['_p95', (channel) => `95th-percentile ${channel}`],
  ['_total', (channel) => `${channel} in total`],
];

/** A feature's name for people; made of its own name where it is a declared channel's. */
export function featureLabel(feature: string): string {
  const known = LABELS[feature];
  if (known !== undefined) return known;
  const statistic = STATISTICS.find(([suffix]) => feature.endsWith(suffix));
  const channel = (statistic ? feature.slice(0, -statistic[0].length) : feature).replaceAll('_', ' ').trim();
  return statistic && channel !== '' ? statistic[1](channel) : feature.replaceAll('_', ' ');
}

/** How values of one feature are said. */
export interface Words {
  /** In what is said, of a value as it was measured. */
  scaled(value: number): number;
  /** What is said lies between these; null where the channel has no such limit. */
  least: number | null;
  most: number | null;
  unit: string;
  /** Whole numbers of things: at most one, rather than below one. */
  whole: boolean;
  /** The clause around a value with its unit. */
  say(value: string): string;
  /** A limit of it on its own. */
  limit(value: string): string;
}

const plain: Words = {
  scaled: (value) => value,
  least: 0,
  most: null,
  unit: '',
  whole: false,
  say: (value) => value,
  limit: (value) => value,
};

const share = (what: string): Words => ({
  ...plain,
  scaled: (value) => value * 100,
  most: 100,
  unit: '%',
  say: (value) => `${what} in ${value} of the records`,
});

const counted = (one: string, many: string): Words => ({
  ...plain,
  whole: true,
  say: (value) => `${value} ${value === '1' ? one : many}`,
});

const inRecord = (one: string, many: string) => counted(`${one} in a record`, `${many} in a record`);

const perRecord = (what: string): Words => ({
  ...plain,
  say: (value) => `${value} ${what} per record`,
  limit: (value) => `${value} per record`,
});

/** A variance is said as the standard deviation, in the channel's own unit. */
const swing = (what: string, unit: string): Words => ({
  ...plain,
  scaled: (value) => Math.sqrt(Math.max(0, value)),
  unit: unit.replace(/²$/, ''),
  say: (value) => `${what} swings by ±${value}`,
  limit: (value) => `±${value}`,
});

/** Records per second, minute, hour or day, whichever is one at least where it is usual. */
function frequency(usual: number): Words {
  const spans = [
    [1, 'second'],
    [60, 'minute'],
    [3600, 'hour'],
    [86_400, 'day'],
  ] as const;
  const [seconds, name] = spans.find(([seconds]) => usual * seconds >= 0.5) ?? spans[0];
  return {
    ...plain,
    scaled: (value) => value * seconds,
    say: (value) => `${value} records per ${name}`,
    limit: (value) => `${value} per ${name}`,
  };
}

const SAID: Readonly<Record<string, Words>> = {
  retry_count: inRecord('retry', 'retries'),
  connection_resets: inRecord('connection reset', 'connection resets'),
  errors: inRecord('error', 'errors'),
  server_errors: inRecord('server error', 'server errors'),
  retry_mean: perRecord('retries'),
  retry_max: counted('retry at most in a record', 'retries at most in a record'),
  retry_rate: share('retries'),
  error_rate: share('errors'),
  server_error_rate: share('server errors'),
  resets_mean: perRecord('connection resets'),
  resets_total: counted('connection reset', 'connection resets'),
  device_diversity: {
    ...counted('device reports', 'devices report'),
    limit: (value) => `${value} ${value === '1' ? 'device' : 'devices'}`,
  },
};

/** Of these the channel's name is the rest of the feature's. */
const SWINGS: Readonly<Record<string, string>> = {
  latency_variance: 'latency',
  packet_loss_variance: 'packet loss',
  traffic_variance: 'traffic',
};

/** Features that stand on a default channel: none of them is ever negative. */
const isDefault = (feature: string) => feature in LABELS;

/** How a feature's values are said; `values` are those to be said, the usual one first, as they were measured. */
export function wordsOf(feature: string, unit: string, values: readonly number[]): Words {
  if (feature === 'log_frequency') return frequency(values[0] ?? 1);
  const known = SAID[feature];
  if (known) return known;
  const label = featureLabel(feature);
  const named = { ...plain, unit, say: (value: string) => `${label} ${value}` };
  if (isDefault(feature)) {
    const what = SWINGS[feature];
    if (what !== undefined) return swing(what, unit);
    return { ...named, most: unit === '%' ? 100 : null };
  }
  // A declared channel's: the unit of a variance is squared, and a count's rate is a share of the records. A gauge may
  // be called so too.
  const isVariance = feature.endsWith('_variance') && (unit === '' || unit.endsWith('²'));
  if (isVariance) return swing(label.replace(/ variance$/, ''), unit);
  const isShare =
    feature.endsWith('_rate') && unit === '' && values.every((value) => value >= 0 && value <= 1);
  if (isShare) return share(label.replace(/ rate$/, ''));
  return { ...named, least: null };
}

/** Whether a value can be said at all: not what stands for infinity. */
export const isSayable = (value: number) => Number.isFinite(value) && Math.abs(value) < MAX_FEATURE_VALUE;
