/**
 * Which windows a model may learn from: only normal ones. A window stays out while its device is in an episode or was
 * in one, had a record that the baseline found strange, or a window that holds a reboot, within the window's length; a
 * gateway's window with that of any of its devices. One window length is left out, too, after records of a clock that
 * was not set, and so is planned work, until the windows hold nothing of it. Pure state, bounded by the devices that
 * were odd lately.
 */
import { GATEWAY_DEVICE } from '@lineheron/models';
import type { WindowResult } from '@lineheron/native';

/** Planned work; without `devices` on all of them. */
export interface Maintenance {
  from: string;
  to: string;
  devices?: readonly string[] | undefined;
}

interface PlannedTime {
  fromMs: number;
  toMs: number;
  devices: readonly string[] | undefined;
}

const NONE: readonly Maintenance[] = [];

export class OnlyNormal {
  /** Event time of the last window that was not normal, by device. */
  private readonly odd = new Map<string, number>();
  private unset = 0;
  private waiting = false;
  private unsetUntilMs = Number.NEGATIVE_INFINITY;
  private planned: { list: readonly Maintenance[]; times: PlannedTime[] } = { list: NONE, times: [] };

  constructor(
    private readonly windowMs: number,
    private readonly maintenance: () => readonly Maintenance[] = () => NONE,
  ) {}

  /** So many records came with a clock that was not set, since the engine was made. */
  unsynchronised(count: number): void {
    if (count > this.unset) this.waiting = true;
    this.unset = count;
  }

  /** Whether the window may be learnt from. A level that lasted is the normal one from here on; a reboot never is. */
  see(
    { device, endMs, baseline, rebooted }: Pick<WindowResult, 'device' | 'endMs' | 'baseline' | 'rebooted'>,
    inEpisode: boolean,
    levelShift: boolean,
  ): boolean {
    if (this.waiting) {
      this.waiting = false;
      this.unsetUntilMs = endMs + this.windowMs;
    }
    if (rebooted || (!levelShift && (inEpisode || baseline?.suspect))) this.odd.set(device, endMs);
    else if (levelShift) this.odd.delete(device);
    if (endMs <= this.unsetUntilMs || this.inMaintenance(device, endMs)) return false;
    return device === GATEWAY_DEVICE ? !this.anyIsOdd(endMs) : !this.isOdd(device, endMs);
  }

  private inMaintenance(device: string, endMs: number): boolean {
    return this.plannedTimes().some(
      ({ fromMs, toMs, devices }) =>
        endMs >= fromMs &&
        endMs < toMs + this.windowMs &&
        (devices === undefined || device === GATEWAY_DEVICE || devices.includes(device)),
    );
  }

  /** Times are read once a configuration: this is asked for every window. */
  private plannedTimes(): PlannedTime[] {
    const list = this.maintenance();
    if (list !== this.planned.list) {
      const times = list.map(({ from, to, devices }) => ({
        fromMs: Date.parse(from),
        toMs: Date.parse(to),
        devices,
      }));
      this.planned = { list, times };
    }
    return this.planned.times;
  }

  private isOdd(device: string, endMs: number): boolean {
    const oddMs = this.odd.get(device);
    if (oddMs === undefined) return false;
    if (endMs - oddMs < this.windowMs) return true;
    this.odd.delete(device);
    return false;
  }

  private anyIsOdd(endMs: number): boolean {
    let odd = false;
    for (const device of this.odd.keys()) odd = this.isOdd(device, endMs) || odd;
    return odd;
  }
}
