/**
 * Alerts that the feed has still to tell, in the order in which they changed: so many in a turn, since all lines may
 * fail at once. What only counts on in an open alert waits a while; what opens, closes or is judged does not.
 */
import type { Alert } from '@lineheron/models';

/** A hundred a second at ten turns. */
const MAX_IN_A_TURN = 10;
const COUNTING_MS = 10_000;
const MAX_PENDING = 2000;

interface Told {
  what: string;
  atMs: number;
}

export class AlertQueue {
  private readonly pending = new Map<string, Alert>();
  private readonly told = new Map<string, Told>();

  add(alerts: readonly Alert[]): void {
    for (const alert of alerts) this.pending.set(alert.id, alert);
    for (const id of this.pending.keys()) {
      if (this.pending.size <= MAX_PENDING) return;
      this.pending.delete(id);
    }
  }

  /** The clock was set by so much. */
  clockMoved(byMs: number): void {
    for (const told of this.told.values()) told.atMs += byMs;
  }

  take(nowMs: number): Alert[] {
    const due: Alert[] = [];
    for (const [id, alert] of this.pending) {
      if (due.length === MAX_IN_A_TURN) break;
      const told = this.told.get(id);
      const what = essence(alert);
      if (told?.what === what && nowMs - told.atMs < COUNTING_MS) continue;
      this.pending.delete(id);
      this.told.delete(id);
      if (alert.status === 'open') this.told.set(id, { what, atMs: nowMs });
      if (this.told.size > MAX_PENDING) this.told.delete(this.told.keys().next().value!);
      due.push(alert);
    }
    return due;
  }
}

/** What a person would be told. */
function essence({ status, verdict, severity, detectors, summary }: Alert): string {
  return [status, verdict, severity, detectors.join(), summary].join('|');
}
