/** What a new client of the feed is shown at once: the lines' last values, newest windows, records and alerts. Bounded. */
import { type Alert, type RecordView, SNAPSHOT_ALERTS, type WindowView } from '@lineheron/models';
import { LineBoard } from './line-board.js';

export const SNAPSHOT_WINDOWS = 100;
export const SNAPSHOT_RECORDS = 60;
const MAX_CLOSED_ALERTS = 100;
const MAX_ALERTS = 1000;

export interface Changes {
  windows: readonly WindowView[];
  records: readonly RecordView[];
  alerts: readonly Alert[];
}

export class LiveState {
  readonly board = new LineBoard();
  private windows: WindowView[] = [];
  private records: RecordView[] = [];
  /** Oldest change first. */
  private readonly alerts = new Map<string, Alert>();

  add(changes: Changes): void {
    for (const window of changes.windows) this.board.note(window);
    this.windows = newest(this.windows, changes.windows, SNAPSHOT_WINDOWS);
    this.records = newest(this.records, changes.records, SNAPSHOT_RECORDS);
    for (const alert of changes.alerts) {
      this.alerts.delete(alert.id);
      this.alerts.set(alert.id, alert);
    }
    this.forgetAlerts();
  }

  /** Windows and records oldest first; alerts open ones first, then the newest. */
  snapshot(): { windows: WindowView[]; records: RecordView[]; alerts: Alert[] } {
    const rank = ({ status }: Alert) => (status === 'open' ? 0 : 1);
    const alerts = [...this.alerts.values()].sort(
      (a, b) => rank(a) - rank(b) || (a.opened_at < b.opened_at ? 1 : -1),
    );
    return { windows: this.windows, records: this.records, alerts: alerts.slice(0, SNAPSHOT_ALERTS) };
  }

  /** Closed ones go first; more open ones than the bound keep the newest. */
  private forgetAlerts(): void {
    for (const [id, { status }] of this.alerts) {
      if (this.alerts.size <= MAX_CLOSED_ALERTS) return;
      if (status === 'closed') this.alerts.delete(id);
    }
    for (const id of this.alerts.keys()) {
      if (this.alerts.size <= MAX_ALERTS) return;
      this.alerts.delete(id);
    }
  }
}

/** The last `limit` of both; the first list is left as it is. */
function newest<T>(known: T[], more: readonly T[], limit: number): T[] {
  return more.length === 0 ? known : known.concat(more.slice(-limit)).slice(-limit);
}
