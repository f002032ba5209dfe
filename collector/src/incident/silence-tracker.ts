/**
 * Silences as alerts: a device, a gateway as a whole or an agent that says nothing any more has one open from its last
 * word until it speaks again. What is open changes only once the store has committed what was worked out. Bounded:
 * beyond so many open ones the rest is told when others have ended.
 */
import { type Alert, GATEWAY_DEVICE, span, windowId } from '@lineheron/models';
import type { Hearing } from '../hub/hearings.js';

const MAX_OPEN = 2000;

export function isSilence({ kind }: Alert): boolean {
  return kind === 'silence' || kind === 'offline';
}

export class SilenceTracker {
  /** How far the clock was moved since an alert opened, ms. */
  private readonly movedMs = new Map<string, number>();
  private readonly alerts = new Map<string, Alert>();
  private count = 0;

  /** `boot`, sixteen hexadecimal digits random for each start, makes the alerts' ids unique. */
  constructor(private readonly boot: string) {}

  /** Takes up those that were open when the collector stopped. */
  restore(alerts: readonly Alert[]): void {
    this.accept(alerts);
  }

  /** The clock was set by so much, and when lines were heard last went with it. */
  clockMoved(byMs: number): void {
    for (const key of this.alerts.keys()) this.movedMs.set(key, (this.movedMs.get(key) ?? 0) + byMs);
  }

  get open(): number {
    return this.alerts.size;
  }

  openAlert(agent: string, device: string): string | null {
    const known = this.alerts.get(`${agent}/${device}/silence`);
    const away = device === GATEWAY_DEVICE ? this.alerts.get(`${agent}/${device}/offline`) : undefined;
    return (known ?? away)?.id ?? null;
  }

  /** The agents that have one open. */
  get agents(): Set<string> {
    return new Set([...this.alerts.values()].map(({ agent }) => agent));
  }

  /**
   * Alerts to open (unless `mayOpen` is false) and to close, by what is heard now. Of what is not named nothing is known:
   * it stays as it is.
   */
  compare(hearings: readonly Hearing[], nowMs: number, mayOpen = true): Alert[] {
    let room = mayOpen ? MAX_OPEN - this.alerts.size : 0;
    return hearings.flatMap((hearing) => {
      const open = this.alerts.get(keyOf(hearing));
      const movedMs = this.movedMs.get(keyOf(hearing)) ?? 0;
      if (open) return spokeAgain(open, hearing, movedMs) ? [ended(open, hearing)] : [];
      if (!hearing.tell || room <= 0) return [];
      room--;
      return [this.begun(hearing, nowMs)];
    });
  }

  /** Makes what `compare` worked out the state. */
  accept(alerts: readonly Alert[]): void {
    for (const alert of alerts) {
      const key = keyOf({ ...alert, kind: alert.kind === 'offline' ? 'offline' : 'silence' });
      if (alert.status === 'open') this.alerts.set(key, alert);
      else {
        this.alerts.delete(key);
        this.movedMs.delete(key);
      }
    }
  }

  private begun(hearing: Hearing, nowMs: number): Alert {
    const { agent, device, kind, lastSeenMs, intervalMs } = hearing;
    const since = new Date(lastSeenMs).toISOString();
    const seconds = (ms: number | null) => (ms === null ? null : ms / 1000);
    return {
      id: windowId(agent, this.boot, ++this.count, 0),
      agent,
      device,
      scope: device === GATEWAY_DEVICE ? 'gateway' : 'device',
      kind,
      status: 'open',
      opened_by: 'collector',
      verdict: 'confirmed',
      severity: kind === 'offline' || device === GATEWAY_DEVICE ? 'critical' : 'warning',
      active_model: 'ensemble',
      detectors: [],
      opened_at: since,
      last_suspect_at: new Date(nowMs).toISOString(),
      closed_at: null,
      windows: 0,
      isolation_forest: null,
      adaptive_baseline: null,
      autoencoder: null,
      reasons: [
        {
          feature: 'silence',
          unit: 's',
          observed: seconds(nowMs - lastSeenMs),
          median: seconds(intervalMs),
          p5: null,
          p95: null,
          share: 1,
        },
      ],
      summary: sentence(hearing),
      truth: [],
    };
  }
}

/** It opened with the last word: any other one is news, also where the clock was set back in between. */
function spokeAgain({ opened_at }: Alert, { live, lastSeenMs }: Hearing, movedMs: number): boolean {
  return live && Math.abs(lastSeenMs - movedMs - Date.parse(opened_at)) >= 1;
}

function ended(alert: Alert, { lastSeenMs, resumedMs }: Hearing): Alert {
  const openedMs = Date.parse(alert.opened_at);
  const at = new Date(resumedMs > openedMs ? resumedMs : Math.max(lastSeenMs, openedMs)).toISOString();
  const summary = `${alert.summary} It reports again.`;
  return { ...alert, status: 'closed', last_suspect_at: at, closed_at: at, summary };
}

/** No time stands in it: whoever shows it knows the reader's zone. */
function sentence({ agent, device, kind, intervalMs }: Hearing): string {
  if (kind === 'offline') return `The agent ${agent} is offline: nothing is known of its lines.`;
  const subject = device === GATEWAY_DEVICE ? 'The gateway as a whole' : device;
  const usual = intervalMs === null ? '' : `: it usually reports every ${span(intervalMs / 1000)}`;
  return `${subject} has fallen silent${usual}.`;
}

function keyOf({ agent, device, kind }: Pick<Hearing, 'agent' | 'device' | 'kind'>): string {
  return `${agent}/${device}/${kind}`;
}
