/** Finds what somebody probably meant. Pure; has a door of its own, for a command line that loads nothing else. */

/** Optimal string alignment: insertions, deletions, substitutions and swaps of neighbours (Boytsov 2011, 2.2). */
export function editDistance(a: string, b: string): number {
  let before: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let row = 1; row <= a.length; row++) {
    const next = [row];
    for (let column = 1; column <= b.length; column++) {
      const differs = a[row - 1] === b[column - 1] ? 0 : 1;
      let best = Math.min(last[column]! + 1, next[column - 1]! + 1, last[column - 1]! + differs);
      const swapped = a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1];
      if (row > 1 && column > 1 && swapped) best = Math.min(best, before[column - 2]! + 1);
      next.push(best);
    }
    before = last;
    last = next;
  }
  return last[b.length]!;
}

const MAX_LENGTH = 64;

/** A word cut short or drawn out ("warning" for "warn") is as near as one wrong letter. */
function distanceOf(word: string, candidate: string): number {
  const whole = Math.min(word.length, candidate.length) >= 3;
  if (whole && word !== candidate && (word.startsWith(candidate) || candidate.startsWith(word))) return 1;
  return editDistance(word, candidate);
}

/** The nearest of the known words, or null when none is near: at most a third of the letters may be wrong. */
export function nearest(word: string, known: readonly string[]): string | null {
  if (word.length > MAX_LENGTH) return null;
  const plain = (text: string) => text.toLowerCase().replaceAll(/[-_ ]/g, '');
  let best: string | null = null;
  let bestDistance = Math.max(1, Math.floor(word.length / 3)) + 1;
  for (const candidate of known) {
    const distance = distanceOf(plain(word), plain(candidate));
    if (distance >= bestDistance) continue;
    best = candidate;
    bestDistance = distance;
  }
  return best;
}

/** ` (did you mean "x"?)`, or nothing. */
export function didYouMean(word: string, known: readonly string[]): string {
  const near = nearest(word, known);
  return near === null ? '' : ` (did you mean "${near}"?)`;
}
