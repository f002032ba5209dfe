/** Reads an alert's sentence as a person would, and says what is wrong with it. */

/** What no sentence may hold. */
const FORBIDDEN: readonly RegExp[] = [
  /(?:%|ms|MB|dBm)²|\b1\/s\b/,
  /undefined|NaN|null|Infinity/,
  // A range without a width, and more digits than anybody reads.
  /(?<![\d.,])([\d.,]+)–\1(?![\d.,])/,
  /\d{16,}|\.0*[1-9]\d{9,}/,
  // A time: whoever shows the sentence knows the reader's zone.
  /\bUTC\b|\d\d:\d\d/,
  // A unit twice.
  /\b(ms|MB|dBm?|s|min) \1\b|% %/,
  /\b1 in \d/,
  /−0(?:\.0*)?(?![\d.])/,
  /\busual (?!by)/,
  / {2}|\.\.|\( | \)/,
];

const NUMBER = '−?[\\d,]*\\.?\\d+(?: × 10[⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+)?';
const SUPERSCRIPTS = '⁰¹²³⁴⁵⁶⁷⁸⁹';

function number(text: string): number {
  const [mantissa = '', power] = text.replaceAll(',', '').replace('−', '-').split(' × 10');
  if (power === undefined) return Number(mantissa);
  const digits = [...power.replace('⁻', '')].map((digit) => SUPERSCRIPTS.indexOf(digit)).join('');
  return Number(mantissa) * 10 ** (power.startsWith('⁻') ? -Number(digits) : Number(digits));
}

/** The ends of `usually 1–2 ms`, `usually below 3 %`, `usually about 1`, `usually 0`. */
function usualRange(text: string): [number, number] | null {
  const range = new RegExp(`^(${NUMBER})(?:–| to )(${NUMBER})`).exec(text);
  if (range) return [number(range[1]!), number(range[2]!)];
  const most = new RegExp(`^(?:below|at most) (${NUMBER})`).exec(text);
  if (most) return [0, number(most[1]!)];
  const one = new RegExp(`^(?:about )?(${NUMBER})`).exec(text);
  return one ? [number(one[1]!), number(one[1]!)] : null;
}

/** What is wrong with a sentence; empty when nothing is. */
export function sentenceFaults(sentence: string): string[] {
  const faults = FORBIDDEN.filter((pattern) => pattern.test(sentence)).map((pattern) => `holds ${pattern}`);
  if (!/^\S.*[.]$/.test(sentence)) faults.push('does not end with a full stop');
  if (sentence.length > 400) faults.push('is too long');
  const combined = sentence.includes('an unusual combination');
  const clauses = [...sentence.matchAll(new RegExp(`(${NUMBER})[^();\\d]*? ?\\(usually ([^)]*)\\)`, 'g'))];
  // The limit is of the reason that is named first, which need not know what is usual.
  const end = sentence.indexOf(';');
  const first = clauses.find(({ index }) => end < 0 || index < end);
  for (const [clause, observedText, usualText] of clauses) {
    const observed = number(observedText!);
    const range = usualRange(usualText!);
    if (!range) faults.push(`"${clause}" says no range`);
    else if (!combined && observed >= range[0] && observed <= range[1]) faults.push(`"${clause}" is usual`);
  }
  const limit = new RegExp(`Alerts (above|below) ±?(${NUMBER})`).exec(sentence);
  const range = first ? usualRange(first[2]!) : null;
  if (limit && first && range) {
    const [value, observed] = [number(limit[2]!), number(first[1]!)];
    const above = limit[1] === 'above';
    if (above ? value >= observed : value <= observed) faults.push(`"${limit[0]}" though it was ${observed}`);
    if (above ? value < range[1] : value > range[0]) faults.push(`"${limit[0]}" though that is usual`);
  }
  return faults;
}
