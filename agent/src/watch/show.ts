/** Windows as lines of text for a terminal. Pure. What comes from a log line cannot move the cursor. */
import { anomalySentence, type ScoredWindow } from '@lineheron/models';

const BAR = 10;

/** Without control characters, so that a hostile line cannot command the terminal. */
export function harmless(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Cf}\p{Co}\p{Cs}\u2028\u2029]/gu, '·');
}

/** A score as a bar of ten and a number; blank without one. */
export function bar(score: number | null): string {
  if (score === null) return ' '.repeat(BAR + 6);
  const full = Math.round(Math.max(0, Math.min(1, score)) * BAR);
  return `${'█'.repeat(full)}${'░'.repeat(BAR - full)} ${score.toFixed(3)}`;
}

export function windowLine({ end, device, scope, score, state, suspect, reasons }: ScoredWindow): string {
  const name = scope === 'gateway' ? '(gateway)' : harmless(device);
  const words = suspect
    ? `  SUSPECT ${harmless(anomalySentence(device, reasons))}`
    : score === null
      ? `  ${state.replace('_', ' ')}`
      : '';
  return `${end.slice(11, 19)}  ${name.padEnd(20)} ${bar(score)}${words}`;
}

export interface Row {
  window: ScoredWindow;
  /** Highest score of the last minute or so that was shown. */
  peak: number | null;
  suspects: number;
}

/** Devices by score, the highest first, as many as there is room for. */
export function table(rows: Iterable<Row>, height: number): string {
  const sorted = [...rows].sort(
    (a, b) => (b.window.score ?? -1) - (a.window.score ?? -1) || (a.window.device < b.window.device ? -1 : 1),
  );
  const shown = sorted.slice(0, Math.max(1, height));
  const lines = shown.map(({ window, peak, suspects }) => {
    const name = (window.scope === 'gateway' ? '(gateway)' : harmless(window.device)).padEnd(24);
    const most = peak === null ? '     ' : peak.toFixed(3);
    const why = window.suspect
      ? harmless(anomalySentence(window.device, window.reasons))
      : window.score === null
        ? window.state.replace('_', ' ')
        : '';
    return `${name} ${bar(window.score)}  ${most}  ${String(suspects).padStart(5)}  ${window.end.slice(11, 19)}  ${why}`;
  });
  const head = `${'device'.padEnd(24)} ${'score'.padEnd(BAR + 6)}  peak   susp.  time      why`;
  const more = sorted.length - shown.length;
  return [head, ...lines, ...(more > 0 ? [`and ${more} more`] : [])].join('\n');
}
