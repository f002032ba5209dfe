/**
 * Devices that reported regularly and have fallen silent, by the rule of `ReportingInterval`. Each silence is told once,
 * and the device is news again only when it has spoken. Pure state on the caller's clock; bounded: of more devices the
 * one silent longest is forgotten.
 */
import { GATEWAY_DEVICE, ReportingInterval } from '@lineheron/models';

export interface Silence {
  device: string;
  /** Id of its last window. */
  lastWindow: string;
  /** Event time of its last window. */
  endMs: number;
  silentMs: number;
  /** What is usual, event time between windows. */
  intervalMs: number;
}

interface Known {
  lastWindow: string;
  endMs: number;
  heardMs: number;
  interval: ReportingInterval;
  told: boolean;
}

export class Silences {
  /** In the order of the last news. */
  private readonly known = new Map<string, Known>();

  constructor(private readonly maxDevices: number) {}

  /**
   * A window came. Returns its last window before a silence that was told and ends now, else null. `nowMs` is what the
   * device's clock shows; it only goes forward.
   */
  see(device: string, endMs: number, id: string, nowMs: number): string | null {
    if (device === GATEWAY_DEVICE) return null;
    const before = this.known.get(device);
    const newestMs = Math.max(endMs, before?.endMs ?? endMs);
    const interval = before?.interval ?? new ReportingInterval();
    if (before) interval.add(newestMs - before.endMs, newestMs);
    this.known.delete(device);
    this.known.set(device, { lastWindow: id, endMs: newestMs, heardMs: nowMs, interval, told: false });
    if (this.known.size > this.maxDevices) this.known.delete(this.known.keys().next().value!);
    return before?.told ? before.lastWindow : null;
  }

  /** Event time between two windows of a device, as it is usual; null while nothing is known. */
  intervalMs(device: string): number | null {
    return this.known.get(device)?.interval.usualMs ?? null;
  }

  /** Time without any source that is live is nobody's silence. `nowOf` is what a device's clock shows. */
  excuse(nowOf: (device: string) => number): void {
    for (const [device, known] of this.known) known.heardMs = nowOf(device);
  }

  /** Who reports, and how often, may be another matter now. Silences that were told are open as before. */
  relearn(): void {
    for (const [device, { told }] of this.known) if (!told) this.known.delete(device);
  }

  /** Those that have become silent since the last call. */
  overdue(nowOf: (device: string) => number): Silence[] {
    return [...this.known.keys()].flatMap((device) => this.overdueOf(device, nowOf(device)) ?? []);
  }

  /** The same of one device. */
  overdueOf(device: string, nowMs: number): Silence | null {
    const known = this.known.get(device);
    return known ? tell(device, known, nowMs) : null;
  }
}

/** Once; null when there is nothing to tell. */
function tell(device: string, known: Known, nowMs: number): Silence | null {
  const { interval, told, heardMs, lastWindow, endMs } = known;
  const { usualMs, silenceMs } = interval;
  if (told || usualMs === null || silenceMs === null || !interval.isRegular) return null;
  if (nowMs - heardMs < silenceMs) return null;
  known.told = true;
  // As of the moment when it was due, however late somebody asks.
  return { device, lastWindow, endMs, silentMs: silenceMs, intervalMs: usualMs };
}
