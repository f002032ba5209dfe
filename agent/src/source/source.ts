/**
 * What every source is: an async producer of chunks of whole JSON lines, pulled one at a time. Whoever pulls slowly
 * makes the source wait.
 */
import type { AgentInfo } from '@lineheron/models';

export type Phase = AgentInfo['source']['phase'];

/** What a source wants back after a restart: JSON, opaque to everybody else. */
export type Position = { readonly [key: string]: unknown };

export interface Chunk {
  bytes: Uint8Array;
  /** False: only refills the windows after a restart; nothing of it is told again. */
  emit: boolean;
  /**
   * The source's position once this chunk is done, given the newest event time in it. Null for sources that have
   * nothing to go back to.
   */
  position: ((newestMs: number | null) => Position) | null;
}

export interface Source {
  readonly type: string;
  /** What it reads, in words. */
  readonly detail: string;
  readonly phase: Phase;
  /** Whether it can wait while the spool is full without losing anything. */
  readonly canWait: boolean;
  /** Ends when the source has ended or the signal is aborted. */
  chunks(signal: AbortSignal): AsyncGenerator<Chunk>;
}
