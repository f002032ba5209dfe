/** What a check found, in a line; and what to do about it. */

export interface Finding {
  /** `note`: worth knowing, nothing to mend. */
  level: 'good' | 'note' | 'bad';
  what: string;
  advice?: string;
}

export const good = (what: string): Finding => ({ level: 'good', what });
export const note = (what: string, advice?: string): Finding => ({
  level: 'note',
  what,
  ...(advice && { advice }),
});
export const bad = (what: string, advice: string): Finding => ({ level: 'bad', what, advice });

const MARKS: Readonly<Record<Finding['level'], string>> = { good: '✓', note: '·', bad: '✗' };

export function findingText({ level, what, advice }: Finding): string {
  return `${MARKS[level]} ${what}\n${advice ? `    → ${advice}\n` : ''}`;
}
