/**
 * Which windows a model may learn from: only normal ones. A window stays out while its device is in an episode or was
 * in one, or had a record that the baseline found strange, within the window's length; a gateway's window with that of
 * any of its devices. One window length is left out, too, after records of a clock that was not set. Pure state,
 * bounded by the devices that were odd lately.
 */
import { GATEWAY_DEVICE } from '@lineheron/models';
import type { WindowResult } from '@lineheron/native';

export class OnlyNormal {
  /** Event time of the last window that was not normal, by device. */
  private readonly odd = new Map<string, number>();
  private unset = 0;
  private waiting = false;
  private unsetUntilMs = Number.NEGATIVE_INFINITY;

  constructor(private readonly windowMs: number) {}

  /** So many records came with a clock that was not set, since the engine was made. */
  unsynchronised(count: number): void {
    if (count > this.unset) this.waiting = true;
    this.unset = count;
  }

  /** Whether the window may be learnt from. A level that lasted is the normal one from here on. */
  see(
    { device, endMs, baseline }: Pick<WindowResult, 'device' | 'endMs' | 'baseline'>,
    inEpisode: boolean,
    levelShift: boolean,
  ): boolean {
    if (this.waiting) {
      this.waiting = false;
      this.unsetUntilMs = endMs + this.windowMs;
    }
    if (levelShift) this.odd.delete(device);
    else if (inEpisode || baseline?.suspect) this.odd.set(device, endMs);
    if (endMs <= this.unsetUntilMs) return false;
    return device === GATEWAY_DEVICE ? !this.anyIsOdd(endMs) : !this.isOdd(device, endMs);
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
