/** Numbers as a person would write them: no more digits than the difference between them needs. Pure. */

const LARGE = 1e15;
const SMALL = 1e-6;
/** Whole numbers from here on are rounded to six digits, where their difference needs no more. */
const LONG = 1e6;
const LONG_DIGITS = 6;
const MAX_DIGITS = 9;
const SUPERSCRIPTS = '⁰¹²³⁴⁵⁶⁷⁸⁹';
const FORMAT = new Intl.NumberFormat('en-US', { maximumFractionDigits: 15 });

const magnitudeOf = (value: number) => Math.floor(Math.log10(Math.abs(value)));

/** Decimals with which a number shows so many significant digits; fewer than none before the point. */
function decimalsFor(value: number, significant: number): number {
  return value === 0 || !Number.isFinite(value)
    ? Number.NEGATIVE_INFINITY
    : significant - 1 - magnitudeOf(value);
}

/** `1,240`, `0.31`, `−70`, `3.4 × 10³⁸`. At most so many decimals; zeros at the end are left out. */
export function figure(value: number, decimals: number): string {
  const size = Math.abs(value);
  const digits = size === 0 ? 1 : Math.min(MAX_DIGITS, Math.max(2, magnitudeOf(value) + 1 + decimals));
  if (size >= LARGE || (size > 0 && size < SMALL)) return scientific(value, digits);
  const rounded =
    size >= LONG
      ? Number(value.toPrecision(Math.max(digits, LONG_DIGITS)))
      : Number(value.toFixed(Math.min(15, Math.max(0, decimals))));
  // Adding 0 makes 0 of −0.
  return FORMAT.format(rounded + 0).replace('-', '−');
}

function scientific(value: number, digits: number): string {
  const [mantissa = '', exponent = ''] = value.toExponential(digits - 1).split('e');
  const power = [...String(Math.abs(Number(exponent)))].map((digit) => SUPERSCRIPTS[Number(digit)]);
  const sign = exponent.startsWith('-') ? '⁻' : '';
  return `${mantissa.replace(/\.?0+$/, '').replace('-', '−')} × 10${sign}${power.join('')}`;
}

/** A number on its own with its unit: `181 ms`, `0.31`, `15 %`; three significant digits, two below 1. */
export function quantity(value: number | null, unit: string): string {
  if (value === null) return 'unknown';
  return withUnit(figure(value, decimalsFor(value, Math.abs(value) < 1 ? 2 : 3)), unit);
}

export function withUnit(text: string, unit: string): string {
  return unit === '' ? text : `${text} ${unit}`;
}

/**
 * How `value` is written beside `other`: their difference shows two significant digits, so that different numbers
 * look different, and a number that is not 0 never looks like 0.
 */
export function figureBeside(value: number, other: number): string {
  return figure(value, Math.max(decimalsFor(value - other, 2), decimalsFor(value, 1)));
}

/** `0.5 s`, `40 s`, `7 min`, `3 h`, `20 days`: one unit, whole numbers from two units on. */
export function span(seconds: number): string {
  const units = [
    [86_400, 'day', 'days'],
    [3600, 'h', 'h'],
    [60, 'min', 'min'],
  ] as const;
  for (const [size, one, many] of units) {
    // A day and a half is 36 h: 1 or 2 days would be far off.
    if (seconds < 2 * size) continue;
    const count = Math.round(seconds / size);
    return `${count} ${count === 1 ? one : many}`;
  }
  return seconds < 10 ? quantity(seconds, 's') : `${Math.round(seconds)} s`;
}
