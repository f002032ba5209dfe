/**
 * The one way of lines into an engine: whoever reads lines (the agent, `replay`, `tap`) or tries whether they would be
 * understood (`doctor`, `init`, proposals of formats) makes this call, so that none of them forgets a part of it.
 */
import type { Engine, PushResult, Survey } from '@lineheron/native';
import { inOrder } from './line-order.js';

/** Whole lines, and how they are to be read. */
export interface LineChunk {
  bytes: Uint8Array;
  /** False: only brings the windows up to date. */
  emit: boolean;
  /** How its lines are written, by the engine's number; canonical when absent. */
  format?: number | undefined;
  /** The device of lines that name none. */
  device?: string | undefined;
  /** The first lines of a file or stream: they are looked at before they are read. */
  begins?: boolean | undefined;
}

/** How lines were read that stood in another order than that of their times. */
export type Reordered = 'newest_first' | 'none';

type LineEngine = Pick<Engine, 'push'> & Partial<Pick<Engine, 'survey' | 'expect'>>;

/** `nowMs` is the time of receipt, epoch ms. Throws when the engine fails. */
export function pushLines(
  engine: LineEngine,
  chunk: LineChunk,
  nowMs: number,
): PushResult & { reordered: Reordered | null } {
  const { emit, format, device } = chunk;
  const { bytes, reordered } = chunk.begins ? looked(engine, chunk, nowMs) : asItIs(chunk);
  return { ...engine.push(bytes, nowMs, emit, format, device), reordered };
}

const asItIs = ({ bytes }: LineChunk) => ({ bytes, reordered: null });

/** What one of the lines shows of the order of dates counts for those before it; a page that is newest first is turned. */
function looked(engine: LineEngine, chunk: LineChunk, nowMs: number) {
  const { bytes, format, device } = chunk;
  const survey = (): Survey | undefined => engine.survey?.(bytes, nowMs, true, format, device);
  const expected = ({ dateOrder, firstMs }: Survey) =>
    engine.expect?.(nowMs, dateOrder ?? null, firstMs ?? null, format);
  let found = survey();
  if (!found) return asItIs(chunk);
  expected(found);
  if (found.direction !== 'forward' && found.dateOrder) {
    // Until it was shown, dates in another order seemed to go to and fro.
    found = survey() ?? found;
    expected(found);
  }
  const { direction } = found;
  if (direction !== 'newest_first' && direction !== 'none') return asItIs(chunk);
  const known = found.lineTimes.filter((time) => time >= 0);
  const oldestMs = known.reduce((oldest, time) => Math.min(oldest, time), Number.POSITIVE_INFINITY);
  engine.expect?.(nowMs, found.dateOrder ?? null, oldestMs, format);
  const reordered: Reordered = direction;
  return { bytes: inOrder(Buffer.from(bytes), found.lineTimes, direction === 'newest_first'), reordered };
}
