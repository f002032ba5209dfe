/** Builds acknowledgements: one message an agent, with merged ranges and what never will be stored. Pure. */
import type { Ack } from '@lineheron/models';
import type { Refusal } from './decode.js';
import { mergeSequences } from './ledger.js';

interface BatchKey {
  agent: string;
  boot: string;
  sequence: number;
  first?: number | undefined;
}

/** Acknowledgements of everything in `batches`, by agent. */
export function acknowledgements(batches: readonly BatchKey[]): Map<string, Ack> {
  const acks = new Map<string, Ack>();
  for (const { agent, boot, first, last } of mergeSequences(batches)) {
    const ack = acks.get(agent) ?? { v: 1 as const, ranges: [], refused: [] };
    acks.set(agent, ack);
    ack.ranges.push({ boot, from: first, to: last });
  }
  return acks;
}

export function refusalAck(refusal: Refusal): Ack {
  return { v: 1, ranges: [], refused: [refusal] };
}
