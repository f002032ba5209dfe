/** Figures of long runs, for `npm run faults`, which shows and gathers them; a plain test run keeps them to itself. */
import { appendFileSync } from 'node:fs';

/** One line for whoever watches: what it is about, and its figures. */
export function report(name: string, figures: Readonly<Record<string, unknown>>): void {
  const path = process.env.LINEHERON_REPORT;
  if (path) appendFileSync(path, `${JSON.stringify({ name, ...figures })}\n`);
}
