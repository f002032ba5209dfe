/** Geometry of a sparkline: a path in a box, gaps kept as gaps. Pure. */

export interface SparkPoint {
  readonly time: number;
  /** Null is a gap. */
  readonly value: number | null;
}

/** An SVG path over `[from, to]`; values from 0 to the greatest of `least` and the data's own greatest. */
export function sparkPath(
  points: readonly SparkPoint[],
  box: { readonly width: number; readonly height: number; readonly from: number; readonly to: number },
  least: number,
): string {
  const known = points.flatMap(({ value }) => (value === null ? [] : [value]));
  const top = Math.max(least, ...known);
  const span = box.to - box.from;
  if (known.length === 0 || span <= 0 || top <= 0) return '';
  let path = '';
  let drawing = false;
  for (const { time, value } of points) {
    if (value === null) {
      drawing = false;
      continue;
    }
    if (time < box.from) continue;
    const x = ((time - box.from) / span) * box.width;
    const y = box.height - 1 - (value / top) * (box.height - 2);
    path += `${drawing ? 'L' : 'M'}${x.toFixed(1)} ${y.toFixed(1)}`;
    drawing = true;
  }
  return path;
}
