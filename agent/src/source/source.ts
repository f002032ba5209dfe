/**
 * What every source is: an async producer of chunks of whole lines, pulled one at a time. Whoever pulls slowly makes
 * the source wait. A kind of source is one file with its settings and its class, and a line in `kinds.ts`.
 */

import type { Readable } from 'node:stream';
import type { AgentInfo } from '@lineheron/models';
import { z } from 'zod';
import type { Clock } from '../clock.js';
import { formatSchema } from '../config-format.js';
import type { Counters } from '../counters.js';
import type { Log } from '../log.js';
import type { Ask } from '../reply.js';

export type Phase = AgentInfo['source']['phase'];

/** What a source wants back after a restart: JSON, opaque to everybody else. */
export type Position = { readonly [key: string]: unknown };

export interface Chunk {
  /** Whole lines: several sources share one engine, and half a line would run into another's. */
  bytes: Uint8Array;
  /** False: only refills the windows after a restart; nothing of it is told again. */
  emit: boolean;
  /**
   * The source's position once this chunk is done, given the newest event time in it. Null for sources that have
   * nothing to go back to.
   */
  position: ((newestMs: number | null) => Position) | null;
  /** Nothing is pulled after this chunk before its position is durable. */
  durable?: boolean;
  /** The device of lines that name none. */
  device?: string;
  /** The first lines of a file or stream. */
  begins?: boolean;
}

export interface Source {
  /** What it reads, in words. */
  readonly detail: string;
  readonly phase: Phase;
  /** Ends when the source has ended or the signal is aborted; throws when it cannot go on. Called once. */
  chunks(signal: AbortSignal): AsyncGenerator<Chunk>;
}

/** What a source is made from, beside its own settings. */
export interface SourceContext {
  windowSeconds: number;
  /** The newest position of this source, durable or about to be. */
  saved: unknown;
  /** False: the windows are as they were at that position, and need no refill. Default true. */
  refills?: boolean;
  /** Whether a device forest is on disk. */
  trained: boolean;
  /** By an MQTT ping. */
  brokerRoundTrip: Ask;
  /** Names of the channels that the configuration declares; none when absent. */
  channels?: readonly string[];
  /** Standard input; the process's own when absent. */
  stdin?: () => Readable;
  clock: Clock;
  /** In [0, 1), for jitter. */
  random: () => number;
  log: Log;
  counters: Counters;
}

/** A kind of source: its settings, and how one is made from them. */
export interface SourceKind<S extends z.ZodObject> {
  schema: S;
  /** Whether it can wait while the spool is full without losing anything. */
  canWait: boolean;
  /** Once all sources have ended and one of them is of this kind, the agent ends too. */
  endsAgent?: boolean;
  /** What it reads cannot be let go and taken up again: a change of it waits for a restart. */
  isFixed?: boolean;
  create(config: z.output<S>, context: SourceContext): Source;
}

/** Gives a kind its type. */
export function sourceKind<S extends z.ZodObject>(kind: SourceKind<S>): SourceKind<S> {
  return kind;
}

/** Settings of every source. */
export const commonKeys = {
  /** Under this its position is kept. The type when absent; of two of a type one needs a name of its own. */
  name: z
    .string()
    .regex(/^[a-z0-9][a-z0-9._-]{0,63}$/, 'must be a–z, 0–9, ".", "_" and "-", at most 64')
    .optional(),
};

/** Settings of every source that reads lines written by others. */
export const lineKeys = {
  ...commonKeys,
  /** How its lines are written. */
  format: formatSchema.optional(),
};
