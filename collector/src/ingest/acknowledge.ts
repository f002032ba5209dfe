/** Builds acknowledgements: one message an agent, with merged ranges and what never will be stored. Pure. */
import type { Ack } from '@lineheron/models';
import type { Refusal } from './decode.js';

interface BatchKey {
  agent: string;
  boot: string;
  sequence: number;
}

/** Acknowledgements of exactly these batches, by agent: of what they claim beside themselves nothing is said. */
export function acknowledgements(batches: readonly BatchKey[]): Map<string, Ack> {
  const acks = new Map<string, Ack>();
  for (const { agent, boot, sequence } of batches.toSorted(byPlace)) {
    const ack = acks.get(agent) ?? { v: 1 as const, ranges: [], refused: [] };
    acks.set(agent, ack);
    const last = ack.ranges.at(-1);
    if (last?.boot === boot && last.to >= sequence - 1) last.to = sequence;
    else ack.ranges.push({ boot, from: sequence, to: sequence });
  }
  return acks;
}

export function refusalAck(refusal: Refusal): Ack {
  return { v: 1, ranges: [], refused: [refusal] };
}

function byPlace(a: BatchKey, b: BatchKey): number {
  return a.boot === b.boot ? a.sequence - b.sequence : a.boot < b.boot ? -1 : 1;
}
