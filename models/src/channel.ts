/**
 * Channels: the measured quantities of a record. The five default ones are always there; a gateway may declare
 * more. Plain data without a schema library, so that the browser can import it.
 */

/** `gauge`: a level (mean, variance, max, p95 make sense). `count`: events in the record's interval. */
export type ChannelKind = 'gauge' | 'count';

export interface Channel {
  readonly name: string;
  readonly unit: string;
  readonly kind: ChannelKind;
}

/** Default channels in the order in which the engine returns a record's values. */
export const DEFAULT_CHANNELS = [
  { name: 'latency_ms', unit: 'ms', kind: 'gauge' },
  { name: 'packet_loss_pct', unit: '%', kind: 'gauge' },
  { name: 'retry_count', unit: '', kind: 'count' },
  { name: 'traffic_volume_mb', unit: 'MB', kind: 'gauge' },
  { name: 'connection_resets', unit: '', kind: 'count' },
] as const satisfies readonly Channel[];

/** Most channels a gateway may declare beyond the default ones. */
export const MAX_DECLARED_CHANNELS = 64;
