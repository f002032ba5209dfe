/**
 * What leaves the gateway of a clip: its lines, redacted one by one, nearest to the alert first until the message is
 * full, in the order of time. Pure.
 */
import type { LinesEvent } from '@lineheron/models';
import type { Redactor } from '@lineheron/native';
import { type Block, decodeBlock } from './block.js';

/** Of JSON text: well below what a packet may have. */
export const MAX_ANSWER_BYTES = 512 * 1024;
const MAX_LINES = 5000;
const MAX_LINE_CHARACTERS = 4096;

type SharedLine = LinesEvent['lines'][number];

export interface SharedLines {
  lines: SharedLine[];
  redactions: number;
  truncated: boolean;
}

/** An answer without lines. */
export function noLines(
  requestId: string,
  alert: string,
  state: 'refused' | 'missing',
  message: string,
): LinesEvent {
  const nothing = { lines: [], from: null, to: null, complete: false, truncated: false, redactions: 0 };
  return { v: 1, type: 'lines', request_id: requestId, alert, state, message, ...nothing };
}

export function noRecorder(requestId: string, alert: string): LinesEvent {
  return noLines(
    requestId,
    alert,
    'refused',
    'the flight recorder is off in the configuration of this gateway',
  );
}

export function sharedLines(
  blocks: readonly Block[],
  atMs: number,
  redactor: Pick<Redactor, 'redact'>,
  maxBytes = MAX_ANSWER_BYTES,
): SharedLines {
  const byDistance = [...blocks].sort((a, b) => Math.abs(a.fromMs - atMs) - Math.abs(b.fromMs - atMs));
  const kept: { fromMs: number; lines: SharedLine[] }[] = [];
  let [bytes, count, redactions, truncated] = [0, 0, 0, false];
  for (const block of byDistance) {
    const found = linesOf(block, redactor);
    const fits: SharedLine[] = [];
    for (const { line, count: replaced } of found) {
      bytes += Buffer.byteLength(JSON.stringify(line)) + 1;
      count += 1;
      truncated ||= bytes > maxBytes || count > MAX_LINES;
      if (truncated) break;
      redactions += replaced;
      fits.push(line);
    }
    kept.push({ fromMs: block.fromMs, lines: fits });
    if (truncated) break;
  }
  const lines = kept.sort((a, b) => a.fromMs - b.fromMs).flatMap((each) => each.lines);
  return { lines, redactions, truncated };
}

function linesOf(block: Block, redactor: Pick<Redactor, 'redact'>) {
  const lines = decodeBlock(block);
  if (!lines) return [];
  const at = new Date(lines.fromMs).toISOString();
  const texts = lines.text
    .toString('utf8')
    .split('\n')
    .filter((text) => text !== '');
  return texts.map((text) => {
    // Redacted before it is cut: a half of what a pattern takes out would be left in.
    const redacted = redactor.redact(text);
    const line = { at, source: lines.source, text: redacted.text.slice(0, MAX_LINE_CHARACTERS) };
    return { line, count: redacted.count };
  });
}
