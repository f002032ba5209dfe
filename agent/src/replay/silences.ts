/**
 * Devices that fell silent in lines that were written long ago, by the agent's own rule on event time. Every device
 * has its own clock, so that one that runs ahead, or files of one device each, silence nobody: who speaks again was
 * silent for as long as its own time says. Who never does is silent at the end when both say so, the newest time of
 * any device, and the gateway's time since then, which no single clock moves.
 */
import { GATEWAY_DEVICE } from '@lineheron/models';
import { MAX_DEVICES } from '../parts.js';
import { type Silence, Silences } from '../score/silences.js';

interface Heard {
  /** The newest of its own event times, and the gateway's time then. */
  endMs: number;
  gatewayMs: number;
}

export class EventSilences {
  private readonly silences = new Silences(MAX_DEVICES);
  private readonly heard = new Map<string, Heard>();
  private newestMs = Number.NEGATIVE_INFINITY;
  private gatewayMs = 0;

  /** A window came. Returns the silence that it ends, if there was one. */
  see(device: string, endMs: number): Silence | null {
    if (device === GATEWAY_DEVICE) {
      this.gatewayMs = endMs;
      return null;
    }
    const ended = this.silences.overdueOf(device, endMs);
    const nowMs = Math.max(endMs, this.heard.get(device)?.endMs ?? endMs);
    this.silences.see(device, endMs, '', nowMs);
    this.heard.delete(device);
    this.heard.set(device, { endMs: nowMs, gatewayMs: this.gatewayMs });
    if (this.heard.size > MAX_DEVICES) this.heard.delete(this.heard.keys().next().value!);
    this.newestMs = Math.max(this.newestMs, endMs);
    return ended;
  }

  /** Those that had become silent when the lines ended. Asked once. */
  atEnd(): Silence[] {
    return [...this.heard].flatMap(([device, { endMs, gatewayMs }]) => {
      const silentMs = Math.min(this.newestMs - endMs, this.gatewayMs - gatewayMs);
      return this.silences.overdueOf(device, endMs + silentMs) ?? [];
    });
  }
}
