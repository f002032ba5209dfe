/** The extent of a value axis: calm when the line is calm, whole when it is not, in steps so that it does not jitter. */
import type { ChartSpec } from './spec.js';

type Limits = Pick<ChartSpec, 'scale' | 'softMin' | 'softMax' | 'hardMin' | 'hardMax'>;

/** The next of 1, 1.5, 2, 3, 4, 5, 6, 8 times a power of ten that is not less. */
export function stepUp(value: number): number {
  if (!(value > 0)) return 0;
  const power = 10 ** Math.floor(Math.log10(value));
  const step = [1, 1.5, 2, 3, 4, 5, 6, 8, 10].find((candidate) => candidate * power >= value * (1 - 1e-9));
  return Number(((step ?? 10) * power).toPrecision(3));
}

/** `least` and `most` of the data; null where there is none. */
export function valueRange(spec: Limits, least: number | null, most: number | null): [number, number] {
  if (spec.scale === 'log') return logRange(spec, least, most);
  const top = most === null || most <= spec.softMax ? spec.softMax : stepUp(most * 1.05);
  const bottom = least === null || least >= spec.softMin ? spec.softMin : Math.floor(least * 10) / 10;
  return [Math.max(spec.hardMin, bottom), Math.min(spec.hardMax, top)];
}

function logRange(spec: Limits, least: number | null, most: number | null): [number, number] {
  const top = most === null || most <= spec.softMax ? spec.softMax : 10 ** Math.ceil(Math.log10(most));
  const bottom = least === null || least >= spec.softMin ? spec.softMin : 10 ** Math.floor(Math.log10(least));
  return [Math.max(spec.hardMin, bottom), Math.min(spec.hardMax, top)];
}

/** Powers of ten from `from` to `to`, both included. */
export function powersOfTen(from: number, to: number): number[] {
  const first = Math.round(Math.log10(from));
  const last = Math.round(Math.log10(to));
  return Array.from({ length: Math.max(0, last - first) + 1 }, (_, i) => Number(`1e${first + i}`));
}
