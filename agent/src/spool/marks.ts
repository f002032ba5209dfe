/**
 * When something happened on which device, in event time: spans that thinning keeps away from. Bounded: of a device
 * with very many, spans near each other become one.
 */
import type { Mark } from './entry.js';

/** Quiet windows this near to a suspect or an episode are its surroundings. */
export const SURROUNDINGS_MS = 60_000;
const MAX_SPANS = 32;

export class Marks {
  private readonly spans = new Map<string, [fromMs: number, toMs: number][]>();

  add([device, fromMs, toMs]: Mark): void {
    const spans = this.spans.get(device);
    if (!spans) {
      this.spans.set(device, [[fromMs, toMs]]);
      return;
    }
    const last = spans.at(-1)!;
    const near = fromMs - last[1] <= SURROUNDINGS_MS && last[0] - toMs <= SURROUNDINGS_MS;
    if (near || spans.length >= MAX_SPANS) {
      last[0] = Math.min(last[0], fromMs);
      last[1] = Math.max(last[1], toMs);
    } else spans.push([fromMs, toMs]);
  }

  /** Whether this moment of the device is in a span or in its surroundings. */
  cover(device: string, atMs: number): boolean {
    const spans = this.spans.get(device);
    if (!spans) return false;
    return spans.some(([from, to]) => atMs >= from - SURROUNDINGS_MS && atMs <= to + SURROUNDINGS_MS);
  }

  list(): Mark[] {
    return [...this.spans].flatMap(([device, spans]) => spans.map(([from, to]): Mark => [device, from, to]));
  }
}
