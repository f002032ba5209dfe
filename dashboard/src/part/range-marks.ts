/** Where an observed value lies against its usual range, in percent of a bar's width. Pure. */
import type { Reason } from '@lineheron/models';

export interface RangeMarks {
  readonly from: number;
  readonly to: number;
  readonly observed: number;
}

/** Null where the range or the value is unknown. The bar spans both, with a little air. */
export function rangeMarks(reason: Pick<Reason, 'observed' | 'p5' | 'p95'>): RangeMarks | null {
  const { observed, p5, p95 } = reason;
  if (observed === null || p5 === null || p95 === null) return null;
  const least = Math.min(p5, observed, 0);
  const most = Math.max(p95, observed);
  if (most <= least) return null;
  const place = (value: number) => Math.round(((value - least) / (most - least)) * 970 + 15) / 10;
  return { from: place(p5), to: place(p95), observed: place(observed) };
}
