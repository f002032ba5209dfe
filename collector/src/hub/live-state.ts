/** What a new client of the feed is shown at once: the last minutes of windows, the last records and alerts. Bounded. */
import type { Alert, RecordView, WindowView } from '@lineheron/models';

export const SNAPSHOT_WINDOW_MS = 5 * 60_000;
const MAX_WINDOWS = 4000;
export const SNAPSHOT_RECORDS = 100;
export const SNAPSHOT_ALERTS = 100;

export interface Changes {
  windows: readonly WindowView[];
  records: readonly RecordView[];
  alerts: readonly Alert[];
}

export class LiveState {
  private windows: WindowView[] = [];
  private records: RecordView[] = [];
  /** Oldest change first. */
  private readonly alerts = new Map<string, Alert>();

  add(changes: Changes): void {
    // One by one: a group may hold more windows than a call may have arguments.
    for (const window of changes.windows.slice(-MAX_WINDOWS)) this.windows.push(window);
    // Cut in large steps, so that the copying is rare.
    if (this.windows.length > 2 * MAX_WINDOWS) this.windows = this.windows.slice(-MAX_WINDOWS);
    this.records = this.records.concat(changes.records).slice(-SNAPSHOT_RECORDS);
    for (const alert of changes.alerts) {
      this.alerts.delete(alert.id);
      this.alerts.set(alert.id, alert);
    }
    this.forgetAlerts();
  }

  /** Windows and records oldest first, alerts newest first. */
  snapshot(nowMs: number): { windows: WindowView[]; records: RecordView[]; alerts: Alert[] } {
    const since = new Date(nowMs - SNAPSHOT_WINDOW_MS).toISOString();
    return {
      windows: this.windows.slice(-MAX_WINDOWS).filter((window) => window.received_at >= since),
      records: [...this.records],
      alerts: [...this.alerts.values()]
        .sort((a, b) => (a.opened_at < b.opened_at ? 1 : -1))
        .slice(0, SNAPSHOT_ALERTS),
    };
  }

  /** Closed ones go first; more open ones than the bound keep the newest. */
  private forgetAlerts(): void {
    for (const [id, { status }] of this.alerts) {
      if (this.alerts.size <= SNAPSHOT_ALERTS) return;
      if (status === 'closed') this.alerts.delete(id);
    }
    for (const id of this.alerts.keys()) {
      if (this.alerts.size <= 10 * SNAPSHOT_ALERTS) return;
      this.alerts.delete(id);
    }
  }
}
