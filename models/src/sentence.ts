/** Says in one plain sentence why a window is strange. Used at both ends, so that they never disagree. */
import type { DetectorName } from './detector.js';
import type { NormalIf, Reason } from './score.js';

const LABELS: Readonly<Record<string, string>> = {
  latency_ms: 'latency',
  packet_loss_pct: 'packet loss',
  retry_count: 'retries',
  traffic_volume_mb: 'traffic',
  errors: 'error',
  server_errors: 'server error',
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

/** A feature's name for people; its own name where we have no better. */
export function featureLabel(feature: string): string {
  return LABELS[feature] ?? feature.replaceAll('_', ' ');
}

/** A number with at most three significant digits and its unit: `1,240 ms`, `0.31`, `15 %`. */
export function quantity(value: number | null, unit: string): string {
  if (value === null) return 'unknown';
  const digits = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2;
  const text = Number(value.toFixed(digits)).toLocaleString('en-US', { maximumFractionDigits: digits });
  return unit === '' ? text : `${text} ${unit}`;
}

/** One reason as a clause: `mean latency 180 ms (usual 22.4–31 ms)`. */
export function reasonClause(reason: Reason): string {
  const observed = `${featureLabel(reason.feature)} ${quantity(reason.observed, reason.unit)}`;
  if (reason.p5 === null || reason.p95 === null) return observed;
  return `${observed} (usual ${quantity(reason.p5, '')}–${quantity(reason.p95, reason.unit)})`;
}

const DETECTOR_NAMES: Readonly<Record<DetectorName, string>> = {
  isolation_forest: 'the isolation forest',
  adaptive_baseline: 'the adaptive baseline',
  autoencoder: 'the autoencoder',
};

/** Who agrees and since when: `Found by the adaptive baseline and the autoencoder since 08:15:02 UTC.` */
export function foundSentence(detectors: readonly DetectorName[], since: string): string {
  const time = `since ${new Date(since).toISOString().slice(11, 19)} UTC`;
  if (detectors.length === 0) return `Strange ${time}.`;
  const names = detectors.map((name) => DETECTOR_NAMES[name]);
  const last = names.pop()!;
  const all = names.length === 0 ? last : `${names.join(', ')} and ${last}`;
  return `Found by ${all} ${time}.`;
}

/**
 * What would have made it normal: `It would have been normal with latency of 84 ms or less.` Names the detectors
 * where several were asked; empty when nothing would have.
 */
export function normalSentence(changes: readonly NormalIf[], among: number): string {
  if (changes.length === 0) return '';
  const clauses = changes.map(({ detector, feature, unit, value, side }) => {
    const change = `with ${featureLabel(feature)} of ${quantity(value, unit)} or ${side === 'below' ? 'less' : 'more'}`;
    return among > 1 ? `to ${DETECTOR_NAMES[detector]} ${change}` : change;
  });
  return `It would have been normal ${clauses.join(', and ')}.`;
}

/** A reason's clause with its part of the score: `latency 181 ms (usual 22.4–31 ms), 60 % of the score`. */
function sharedClause(reason: Reason): string {
  const share = Math.round(reason.share * 100);
  return share > 0 && share < 100 ? `${reasonClause(reason)}, ${share} % of the score` : reasonClause(reason);
}

/** As `anomalySentence`, with each reason's share, who found it, since when, and what would have kept it away. */
export function alertSentence(
  device: string,
  reasons: readonly Reason[],
  detectors: readonly DetectorName[],
  since: string,
  normalIf: readonly NormalIf[] = [],
): string {
  const sentences = [
    anomalySentence(device, reasons, sharedClause),
    foundSentence(detectors, since),
    normalSentence(normalIf, detectors.length),
  ];
  return sentences.filter(Boolean).join(' ');
}

/** As `anomalySentence`, and what would have kept the episode away, asked of so many detectors. */
export function openedSentence(
  device: string,
  reasons: readonly Reason[],
  normalIf: readonly NormalIf[],
  among: number,
): string {
  return `${anomalySentence(device, reasons)} ${normalSentence(normalIf, among)}`.trim();
}

/** The whole sentence for a device, or for the gateway as a whole (`*`). Names at most two reasons. */
export function anomalySentence(
  device: string,
  reasons: readonly Reason[],
  clause: (reason: Reason) => string = reasonClause,
): string {
  const subject = device === '*' ? 'The gateway as a whole' : device;
  if (reasons.length === 0) return `${subject} behaves unlike what was seen in training.`;
  return `${subject}: ${reasons.slice(0, 2).map(clause).join('; ')}.`;
}
