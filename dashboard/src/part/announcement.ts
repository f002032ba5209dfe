/** What a screen reader is told of new alerts: one sentence for what came since the last one. Pure. */
import type { Alert } from '@lineheron/models';
import { deviceName } from '../line.js';

/** Ids of open alerts that `before` did not hold. */
export function newlyOpened(before: ReadonlySet<string>, alerts: readonly Alert[]): readonly Alert[] {
  return alerts.filter((alert) => alert.status === 'open' && !before.has(alert.id));
}

export function announcement(opened: readonly Alert[]): string {
  const [first] = opened;
  if (!first) return '';
  const one = `${first.severity} alert on ${deviceName(first.device)} of ${first.agent}. ${first.summary}`;
  return opened.length === 1 ? `New ${one}` : `${opened.length} new alerts. The newest: ${one}`;
}
