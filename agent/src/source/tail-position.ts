/**
 * Where a tail stands: per file its identity, the offset after the last line done, and from where to read again so
 * that one window's records are seen once more after a restart.
 */
import { z } from 'zod';
import type { FileIdentity, Place } from './tail-file.js';

/** Finished files that are remembered, so that none of them is read again under another name. */
export const MAX_DONE = 4;

const identity = {
  inode: z.number(),
  prefixBytes: z.int().min(0).max(4096),
  prefixHash: z.string().max(64),
};

const filePositionSchema = z.object({
  ...identity,
  offset: z.int().min(0),
  refill: z.int().min(0),
  /** Absent in positions of old. */
  skipping: z.boolean().default(false),
  done: z.array(z.object(identity)).max(64).default([]),
});
export type FilePosition = z.infer<typeof filePositionSchema>;

const tailPositionSchema = z.object({
  tail: z.record(z.string().max(4096), filePositionSchema),
  /** When it was made, wall clock in ms; absent in positions of old. */
  at: z.number().default(Number.POSITIVE_INFINITY),
});
export type TailPosition = z.infer<typeof tailPositionSchema>;

/** A position read back from disk; null when it is none of a tail's. */
export function parseTailPosition(value: unknown): TailPosition | null {
  const result = tailPositionSchema.safeParse(value);
  return result.success ? result.data : null;
}

export function filePosition(
  identity: FileIdentity,
  { offset, skipping }: Place,
  refill: number,
  done: readonly FileIdentity[],
): FilePosition {
  return { ...identity, offset, refill: Math.min(refill, offset), skipping, done: [...done] };
}

const MAX_MARKS = 256;

/** Remembers which event time stood at which offset, as far back as a refill needs. */
export class RefillMarks {
  private start = 0;
  private marks: { offset: number; newestMs: number }[] = [];

  constructor(private readonly reachMs: number) {}

  /** Says that everything before `offset` was no newer than `newestMs`. */
  add(offset: number, newestMs: number): void {
    const last = this.marks.at(-1);
    if (last && newestMs <= last.newestMs) return;
    this.marks.push({ offset, newestMs });
    const oldestUseful = this.marks.findLastIndex((mark) => mark.newestMs <= newestMs - this.reachMs);
    if (oldestUseful > 0) this.marks.splice(0, oldestUseful);
    // Thinned, not cut: the refill must still reach back far enough.
    if (this.marks.length > MAX_MARKS) this.marks = this.marks.filter((_, index) => index % 2 === 0);
  }

  /** The offset from which one window's records can be read again; as far back as known when there is no time yet. */
  refillOffset(newestMs: number | null): number {
    if (newestMs === null) return this.start;
    return this.marks.findLast((mark) => mark.newestMs <= newestMs - this.reachMs)?.offset ?? this.start;
  }

  /** Another file, or the same from its beginning. */
  reset(offset: number): void {
    this.marks = [];
    this.start = offset;
  }
}
