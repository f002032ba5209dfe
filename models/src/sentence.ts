/**
 * What an alert says, in one or two plain sentences: what, how bad, against what is usual, and from where on it alerts.
 * Used at both ends, so that they never disagree. No time stands in it: whoever shows it knows the reader's zone.
 */
import type { NormalIf, Reason } from './score.js';
import { isOutside, limitClause, reasonClause } from './sentence/clause.js';

export { type Clause, clauseOf, reasonClause } from './sentence/clause.js';
export { quantity, span } from './sentence/number.js';
export { featureLabel } from './sentence/words.js';

const MAX_NAMED = 2;
/** Of events so many: a storm hardly ever comes in one kind. */
const MAX_EVENTS = 3;

/** What an event says by name, these say without one. */
const UNNAMED = new Set(['errors', 'server_errors', 'error_rate', 'server_error_rate']);

/** The reasons that say something, the strongest first; none where only their combination is unusual. */
export function tellingReasons(reasons: readonly Reason[]): Reason[] {
  const named = reasons.some(({ event }) => event);
  return reasons.filter((reason) => isOutside(reason) && !(named && UNNAMED.has(reason.feature)));
}

function combination(reasons: readonly Reason[]): string {
  const clauses = reasons.slice(0, MAX_NAMED).map(reasonClause);
  return clauses.length === 0
    ? 'behaves unlike what was seen in training'
    : `an unusual combination: ${clauses.join(' with ')}`;
}

function named(reasons: readonly Reason[]): Reason[] {
  const telling = tellingReasons(reasons);
  const events = telling.filter(({ event }) => event).length;
  return telling.slice(0, Math.max(MAX_NAMED, Math.min(events, MAX_EVENTS)));
}

/** The sentence for a device, or for the gateway as a whole (`*`). */
export function anomalySentence(device: string, reasons: readonly Reason[]): string {
  const subject = device === '*' ? 'The gateway as a whole' : device;
  const telling = named(reasons);
  if (telling.length > 0) return `${subject}: ${telling.map(reasonClause).join('; ')}.`;
  return `${subject}${reasons.length === 0 ? ' ' : ': '}${combination(reasons)}.`;
}

/**
 * As `anomalySentence`, and from where on its first reason alerts. Reasons and `normalIf` are of one window: of two they
 * would contradict each other.
 */
export function alertSentence(
  device: string,
  reasons: readonly Reason[],
  normalIf: readonly NormalIf[] = [],
): string {
  const [first] = named(reasons);
  const limit = first ? limitClause(first, normalIf) : '';
  const sentence = anomalySentence(device, reasons);
  return limit === '' ? sentence : `${sentence} A${limit.slice(1)}.`;
}
