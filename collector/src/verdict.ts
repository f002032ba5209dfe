/** The verdict message that tells an agent of an alert on one of its lines. Pure. */
import type { Alert, Verdict } from '@lineheron/models';

export function verdictOf(alert: Alert, nowMs: number): Verdict {
  return {
    v: 1,
    alert: alert.id,
    device: alert.device,
    scope: alert.scope,
    status: alert.status,
    verdict: alert.verdict,
    ...(alert.verdict === 'unreviewed' && alert.unreviewed_because
      ? { unreviewed_because: alert.unreviewed_because }
      : {}),
    severity: alert.severity,
    at: new Date(nowMs).toISOString(),
    detectors: [...alert.detectors],
    autoencoder_score: alert.autoencoder?.score ?? null,
    autoencoder_threshold: alert.autoencoder?.threshold ?? null,
    summary: alert.summary,
  };
}
