/**
 * Whose clock says that a device is silent. A running agent goes by its own, which never goes backwards; lines that were
 * written long ago go by their event times, a clock a device. That is all in which the two differ.
 */
import { GATEWAY_DEVICE } from '@lineheron/models';

export interface DeviceClock {
  /** A window of the device came; returns what its clock shows now, ms. */
  see(device: string, endMs: number): number;
  /** What the device's clock shows, ms. */
  of(device: string): number;
  /** While false, silence is nobody's: nothing new is read. */
  readonly live: boolean;
}

/** The agent's own clock for every device. */
export function arrivalClock(monotonicMs: () => number, live: () => boolean): DeviceClock {
  return {
    see: monotonicMs,
    of: monotonicMs,
    get live() {
      return live();
    },
  };
}

interface Heard {
  /** The newest of its own event times, and the gateway's time then. */
  endMs: number;
  gatewayMs: number;
}

/**
 * Event time. Every device has a clock of its own, so that one that runs ahead, or files of one device each, silence
 * nobody: a device that speaks shows its own time. One that does not shows what both of these allow: the newest time of
 * any device, and the gateway's time since it spoke, which no single clock moves. Bounded in devices.
 */
export class EventClock implements DeviceClock {
  readonly live = true;
  /** In the order of the last news. */
  private readonly heard = new Map<string, Heard>();
  private newestMs = Number.NEGATIVE_INFINITY;
  private gatewayMs = 0;

  constructor(private readonly maxDevices: number) {}

  see(device: string, endMs: number): number {
    if (device === GATEWAY_DEVICE) {
      this.gatewayMs = endMs;
      return endMs;
    }
    const ownMs = Math.max(endMs, this.heard.get(device)?.endMs ?? endMs);
    this.heard.delete(device);
    this.heard.set(device, { endMs: ownMs, gatewayMs: this.gatewayMs });
    if (this.heard.size > this.maxDevices) this.heard.delete(this.heard.keys().next().value!);
    this.newestMs = Math.max(this.newestMs, endMs);
    return ownMs;
  }

  of(device: string): number {
    const known = this.heard.get(device);
    if (!known) return this.gatewayMs;
    return known.endMs + Math.max(0, Math.min(this.newestMs - known.endMs, this.gatewayMs - known.gatewayMs));
  }
}
