/**
 * The default features of a window, version 1, in their fixed order. The engine reports the list that is really in
 * use (declared channels append theirs); this one serves those who know no agent yet.
 */

export interface Feature {
  readonly name: string;
  readonly unit: string;
}

export const DEFAULT_FEATURES: readonly Feature[] = [
  { name: 'latency_mean', unit: 'ms' },
  { name: 'latency_variance', unit: 'ms²' },
  { name: 'latency_max', unit: 'ms' },
  { name: 'latency_p95', unit: 'ms' },
  { name: 'packet_loss_mean', unit: '%' },
  { name: 'packet_loss_max', unit: '%' },
  { name: 'packet_loss_variance', unit: '%²' },
  { name: 'retry_mean', unit: '' },
  { name: 'retry_max', unit: '' },
  { name: 'retry_rate', unit: '' },
  { name: 'error_rate', unit: '' },
  { name: 'server_error_rate', unit: '' },
  { name: 'traffic_mean', unit: 'MB' },
  { name: 'traffic_variance', unit: 'MB²' },
  { name: 'traffic_delta', unit: 'MB' },
  { name: 'resets_mean', unit: '' },
  { name: 'resets_total', unit: '' },
  { name: 'log_frequency', unit: '1/s' },
  { name: 'device_diversity', unit: '' },
];

/** Most features a window may carry: the nineteen and four for each of 64 declared channels. */
export const MAX_FEATURES = 19 + 4 * 64;

/** Features are kept and learnt from in 32 bits: what is larger would become infinite there. */
export const MAX_FEATURE_VALUE = 3.4e38;
