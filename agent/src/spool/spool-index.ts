/** Which batches wait, and where: by boot and sequence, oldest first. Memory only; about 200 bytes a batch. */
import type { BatchPlace, SequenceRange } from './entry.js';

interface Key {
  boot: string;
  sequence: number;
}

interface Found<S> {
  segment: S;
  place: BatchPlace;
}

export class SpoolIndex<S> {
  /** Both maps keep the order of insertion, which is the order of age. */
  private readonly boots = new Map<string, Map<number, Found<S>>>();
  private count = 0;

  get size(): number {
    return this.count;
  }

  get({ boot, sequence }: Key): Found<S> | null {
    return this.boots.get(boot)?.get(sequence) ?? null;
  }

  add(segment: S, place: BatchPlace): void {
    let batches = this.boots.get(place.boot);
    if (!batches) {
      batches = new Map();
      this.boots.set(place.boot, batches);
    }
    if (!batches.has(place.sequence)) this.count += 1;
    batches.set(place.sequence, { segment, place });
  }

  remove({ boot, sequence }: Key): Found<S> | null {
    const batches = this.boots.get(boot);
    const found = batches?.get(sequence);
    if (!batches || !found) return null;
    batches.delete(sequence);
    if (batches.size === 0) this.boots.delete(boot);
    this.count -= 1;
    return found;
  }

  removeSegment(segment: S): void {
    for (const [boot, batches] of this.boots) {
      for (const [sequence, found] of batches) {
        if (found.segment === segment) this.remove({ boot, sequence });
      }
    }
  }

  /** The oldest that `wanted` accepts. */
  first(wanted: (place: BatchPlace) => boolean): Key | null {
    for (const batches of this.boots.values()) {
      for (const { place } of batches.values()) {
        if (wanted(place)) return { boot: place.boot, sequence: place.sequence };
      }
    }
    return null;
  }

  /** Those in the range. The work is bounded by what is here, whatever range a message names. */
  within({ boot, from, to }: SequenceRange): Key[] {
    const batches = this.boots.get(boot);
    if (!batches) return [];
    if (to - from < batches.size) {
      const keys: Key[] = [];
      for (let sequence = from; sequence <= to; sequence++) {
        if (batches.has(sequence)) keys.push({ boot, sequence });
      }
      return keys;
    }
    return [...batches.keys()]
      .filter((sequence) => sequence >= from && sequence <= to)
      .map((sequence) => ({ boot, sequence }));
  }
}
