/**
 * Makes room in a spool that runs full: writes a segment anew without what can be spared. In a first pass one quiet
 * window a minute and device stays, in a second none. Boot and sequence of every batch stay; one that has become
 * empty is named by the next (`first`), so that the collector can tell what was thinned from what is missing.
 */
import type { ScoreBatch } from '@lineheron/models';
import {
  type BatchPlace,
  encodeEntry,
  fileHeader,
  type Mark,
  type SequenceRange,
  scanEntries,
} from './entry.js';
import { packBatch, unpackBatch } from './pack.js';
import type { Segment } from './segment.js';
import { marksOf, thinBatch } from './thin-batch.js';

/** How far a segment is thinned. */
export const THINNED = { not: 0, toOneAMinute: 1, toWhatHappened: 2 } as const;

export interface Thinning {
  /** The new file. */
  bytes: Buffer;
  places: BatchPlace[];
  windowsGone: number;
  recordsGone: number;
  batchesGone: number;
}

const KEPT_EVERY_MS = 60_000;
const MAX_DEVICES = 20_000;
/** Batches worked on before others get their turn. */
const BATCHES_A_TURN = 32;

interface Spared {
  boot: string;
  first: number;
  last: number;
}

export class Thinner {
  /** Event time of the last quiet window that stayed, by device. */
  private readonly lastKept = new Map<string, number>();

  /** What `segment` would be. `covered` says whether something happened around a moment of a device. */
  async thin(
    segment: Segment,
    level: number,
    covered: (device: string, atMs: number) => boolean,
  ): Promise<Thinning> {
    const source = await segment.readAll();
    const { entries } = scanEntries(source);
    const position = entries.findLast((entry) => entry.hasPosition)?.position();
    const acked = mergeRanges(entries.flatMap((entry) => entry.acked));
    const out = new Output(level, { position, acked });
    const waiting = entries.flatMap(({ batches }) => batches);
    const keeps = (device: string, atMs: number) =>
      covered(device, atMs) || (level === THINNED.toOneAMinute && this.isDue(device, atMs));
    for (const [at, place] of waiting.entries()) {
      if (at % BATCHES_A_TURN === BATCHES_A_TURN - 1) await new Promise((resolve) => setImmediate(resolve));
      if (!segment.holds(place)) {
        out.spare(place);
        continue;
      }
      const packed = source.subarray(place.offset, place.offset + place.length);
      const isLast = waiting[at + 1]?.boot !== place.boot;
      this.thinOne(out, place, packed, isLast, keeps, covered);
    }
    return out.result();
  }

  private thinOne(
    out: Output,
    place: BatchPlace,
    packed: Buffer,
    isLast: boolean,
    keeps: (device: string, atMs: number) => boolean,
    covered: (device: string, atMs: number) => boolean,
  ): void {
    const unpacked = unpackBatch(packed);
    const batch = unpacked && readBatch(unpacked.json);
    // What cannot be read here is left as it is: sending it will tell.
    if (!unpacked || !batch) {
      out.keep(place, packed, place.windows, []);
      return;
    }
    const { batch: thinned, windowsGone, recordsGone } = thinBatch(batch, keeps, covered);
    out.windowsGone += windowsGone;
    out.recordsGone += recordsGone;
    const isEmpty = thinned.windows.length === 0 && thinned.records.length === 0;
    if (isEmpty && !isLast) {
      out.batchesGone += 1;
      out.spare(place);
      return;
    }
    const first = out.firstOf(place);
    const changed = windowsGone + recordsGone > 0 || first !== place.first;
    const text = changed
      ? JSON.stringify({ ...thinned, ...(first < place.sequence ? { first } : {}) })
      : null;
    const bytes = text === null ? packed : packBatch(Buffer.from(text), unpacked.createdMs);
    out.keep({ ...place, first }, bytes, thinned.windows.length, marksOf(thinned.windows));
  }

  private isDue(device: string, atMs: number): boolean {
    const last = this.lastKept.get(device);
    // A clock that was put back begins anew.
    if (last !== undefined && atMs < last + KEPT_EVERY_MS && atMs > last - KEPT_EVERY_MS) return false;
    this.lastKept.delete(device);
    this.lastKept.set(device, atMs);
    if (this.lastKept.size > MAX_DEVICES) this.lastKept.delete(this.lastKept.keys().next().value!);
    return true;
  }
}

/** The new file as it grows. */
class Output {
  windowsGone = 0;
  recordsGone = 0;
  batchesGone = 0;
  private readonly parts: Buffer[];
  private readonly places: BatchPlace[] = [];
  private length: number;
  /** Sequences directly before the next batch that nobody needs to hear of. */
  private spared: Spared | null = null;

  constructor(level: number, { position, acked }: { position: unknown; acked: readonly SequenceRange[] }) {
    const head = encodeEntry({ position, acked, marks: [], batches: [] });
    this.parts = [fileHeader(level), head.bytes];
    this.length = this.parts[0]!.length + head.bytes.length;
  }

  spare({ boot, first, sequence }: BatchPlace): void {
    const { spared } = this;
    const goesOn = spared?.boot === boot && spared.last === first - 1;
    this.spared = { boot, first: goesOn ? spared.first : first, last: sequence };
  }

  /** The first sequence that the batch at `place` stands for. */
  firstOf({ boot, first }: BatchPlace): number {
    const { spared } = this;
    return spared?.boot === boot && spared.last === first - 1 ? spared.first : first;
  }

  keep(place: BatchPlace, packed: Buffer, windows: number, marks: readonly Mark[]): void {
    const { boot, sequence, first } = place;
    const entry = encodeEntry({
      position: undefined,
      acked: [],
      marks,
      batches: [{ boot, sequence, first, windows, packed }],
    });
    for (const made of entry.places) this.places.push({ ...made, offset: made.offset + this.length });
    this.parts.push(entry.bytes);
    this.length += entry.bytes.length;
    this.spared = null;
  }

  result(): Thinning {
    const { places, windowsGone, recordsGone, batchesGone } = this;
    return { bytes: Buffer.concat(this.parts), places, windowsGone, recordsGone, batchesGone };
  }
}

/** Null when it is no batch. */
function readBatch(json: Buffer): ScoreBatch | null {
  try {
    const value = JSON.parse(json.toString('utf8')) as Partial<ScoreBatch>;
    return Array.isArray(value.windows) && Array.isArray(value.records) ? (value as ScoreBatch) : null;
  } catch {
    return null;
  }
}

function mergeRanges(ranges: readonly SequenceRange[]): SequenceRange[] {
  const sorted = [...ranges].sort((a, b) => (a.boot === b.boot ? a.from - b.from : a.boot < b.boot ? -1 : 1));
  const merged: SequenceRange[] = [];
  for (const range of sorted) {
    const last = merged.at(-1);
    if (last?.boot === range.boot && range.from <= last.to + 1) last.to = Math.max(last.to, range.to);
    else merged.push({ ...range });
  }
  return merged;
}
