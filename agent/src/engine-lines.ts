/**
 * The one way of lines into an engine: whoever reads lines (the agent, `replay`, `tap`) or tries whether they would be
 * understood (`doctor`, `init`, proposals of formats) makes this call, so that none of them forgets a part of it.
 */
import type { Engine, PushResult } from '@lineheron/native';

/** Whole lines, and how they are to be read. */
export interface LineChunk {
  bytes: Uint8Array;
  /** False: only brings the windows up to date. */
  emit: boolean;
  /** How its lines are written, by the engine's number; canonical when absent. */
  format?: number | undefined;
  /** The device of lines that name none. */
  device?: string | undefined;
}

/** `nowMs` is the time of receipt, epoch ms. Throws when the engine fails. */
export function pushLines(
  engine: Pick<Engine, 'push'>,
  { bytes, emit, format, device }: LineChunk,
  nowMs: number,
): PushResult {
  return engine.push(bytes, nowMs, emit, format, device);
}
