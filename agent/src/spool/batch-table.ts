/**
 * The batches of one segment in memory: where each is and whether anybody waits for it. Columns of plain numbers,
 * 25 bytes a batch, so that a full spool of 256 MiB costs a few MiB. Sequences of one boot stand in rising order, as
 * they were appended.
 */
import type { BatchPlace } from './entry.js';

const FIRST_ROWS = 64;

interface Run {
  boot: string;
  from: number;
  /** After its last row. */
  to: number;
}

export class BatchTable {
  size = 0;
  private sequences = new Float64Array(FIRST_ROWS);
  private offsets = new Uint32Array(FIRST_ROWS);
  private lengths = new Uint32Array(FIRST_ROWS);
  private createdS = new Uint32Array(FIRST_ROWS);
  private windowCounts = new Uint32Array(FIRST_ROWS);
  private waits = new Uint8Array(FIRST_ROWS);
  private readonly runs: Run[] = [];
  /** No row before it waits. */
  private firstWaiting = 0;

  /** Adds a batch that waits. */
  add(place: BatchPlace): void {
    if (this.size === this.sequences.length) this.grow();
    const row = this.size++;
    this.sequences[row] = place.sequence;
    this.offsets[row] = place.offset;
    this.lengths[row] = place.length;
    this.createdS[row] = Math.max(0, Math.floor(place.createdMs / 1000));
    this.windowCounts[row] = place.windows;
    this.waits[row] = 1;
    const last = this.runs.at(-1);
    const goesOn = last?.boot === place.boot && this.sequences[row - 1]! < place.sequence;
    if (goesOn) last.to = row + 1;
    else this.runs.push({ boot: place.boot, from: row, to: row + 1 });
  }

  /** Row of a batch that waits, or −1. */
  find(boot: string, sequence: number): number {
    for (const run of this.runs) {
      if (run.boot !== boot) continue;
      const row = this.lowerBound(run, sequence);
      if (row < run.to && this.sequences[row] === sequence && this.waits[row] === 1) return row;
    }
    return -1;
  }

  /** Rows of the batches of a range that wait. The work is bounded by what is here, whatever the range. */
  within(boot: string, from: number, to: number): number[] {
    const rows: number[] = [];
    for (const run of this.runs) {
      if (run.boot !== boot) continue;
      for (let row = this.lowerBound(run, from); row < run.to && this.sequences[row]! <= to; row++) {
        if (this.waits[row] === 1) rows.push(row);
      }
    }
    return rows;
  }

  /** The first row that waits and is wanted, or −1. */
  first(wanted: (boot: string, sequence: number) => boolean): number {
    while (this.firstWaiting < this.size && this.waits[this.firstWaiting] === 0) this.firstWaiting++;
    for (let row = this.firstWaiting; row < this.size; row++) {
      if (this.waits[row] === 1 && wanted(this.bootOf(row), this.sequences[row]!)) return row;
    }
    return -1;
  }

  /** Nobody waits for it any more. */
  settle(row: number): void {
    this.waits[row] = 0;
  }

  sequence(row: number): number {
    return this.sequences[row]!;
  }

  place(row: number): { offset: number; length: number } {
    return { offset: this.offsets[row]!, length: this.lengths[row]! };
  }

  windows(row: number): number {
    return this.windowCounts[row]!;
  }

  /** Epoch ms, to the second. */
  createdMs(row: number): number {
    return this.createdS[row]! * 1000;
  }

  bootOf(row: number): string {
    // Nearly always one run.
    return this.runs.find((run) => row < run.to)!.boot;
  }

  private lowerBound(run: Run, sequence: number): number {
    let [low, high] = [run.from, run.to];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.sequences[middle]! < sequence) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  private grow(): void {
    const rows = this.size * 2;
    this.sequences = copied(this.sequences, new Float64Array(rows));
    this.offsets = copied(this.offsets, new Uint32Array(rows));
    this.lengths = copied(this.lengths, new Uint32Array(rows));
    this.createdS = copied(this.createdS, new Uint32Array(rows));
    this.windowCounts = copied(this.windowCounts, new Uint32Array(rows));
    this.waits = copied(this.waits, new Uint8Array(rows));
  }
}

function copied<T extends { set(from: T): void }>(from: T, into: T): T {
  into.set(from);
  return into;
}
