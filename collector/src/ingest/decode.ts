/**
 * Turns an MQTT message into something typed, or into a counted refusal. Pure. A score batch that cannot be accepted
 * but still says which one it is gets a refusal that the agent can act upon; everything else is only counted.
 */
import {
  type AgentEvent,
  type AgentInfo,
  bootIdSchema,
  type Desired,
  desiredSchema,
  deviceIdSchema,
  eventSchema,
  infoSchema,
  MAX_PACKET_BYTES,
  parseAgentTopic,
  parseWindowId,
  type ScoreBatch,
  scoreBatchSchema,
  sequenceSchema,
  statusSchema,
  timeSchema,
  windowDeviceSchema,
} from '@lineheron/models';
import type { z } from 'zod';
import { exactCheck } from './exact-check.js';

/** Times as every message of ours writes them; other spellings are for the schema. */
const OUR_TIME =
  /^(?:19[7-9]\d|[2-9]\d{3})-(?:(?:0[1-9]|1[0-2])-(?:0[1-9]|1\d|2[0-8])|(?:0[13-9]|1[0-2])-(?:29|30)|(?:0[13578]|1[02])-31)T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d\.\d{3}Z$/;
const OUR_DEVICE = /^[\w.:@ -]{1,128}$/;

/** Whether a batch is one, with nothing in it that a parse would change. */
export const isExactBatch = exactCheck(
  scoreBatchSchema,
  new Map<z.core.$ZodType, RegExp>([
    [timeSchema, OUR_TIME],
    [windowDeviceSchema, OUR_DEVICE],
    [deviceIdSchema, OUR_DEVICE],
  ]),
);

export interface Refusal {
  boot: string;
  sequence: number;
  code: string;
}

export type Incoming =
  | { kind: 'status'; agent: string; online: boolean }
  | { kind: 'info'; agent: string; info: AgentInfo }
  | { kind: 'desired'; agent: string; desired: Desired | null }
  | { kind: 'event'; agent: string; event: AgentEvent }
  | { kind: 'score'; agent: string; batch: ScoreBatch }
  | { kind: 'refused'; agent: string | null; reason: string; refusal: Refusal | null };

export type ScoreMessage = Extract<Incoming, { kind: 'score' }>;

const refused = (agent: string | null, reason: string, refusal: Refusal | null = null): Incoming => ({
  kind: 'refused',
  agent,
  reason,
  refusal,
});

/** Kinds that are small or nothing of ours: a larger one is not even parsed. */
const MOST_BYTES: Readonly<Record<string, number>> = {
  status: 64,
  info: 128 * 1024,
  desired: 4096,
};

export function decodeMessage(topic: string, payload: Uint8Array): Incoming {
  const place = parseAgentTopic(topic);
  if (!place) return refused(null, 'unknown_topic');
  const { agent, kind } = place;
  if (payload.byteLength > (MOST_BYTES[kind] ?? MAX_PACKET_BYTES)) return refused(agent, 'too_large');
  if (kind === 'status') return decodeStatus(agent, payload);
  if (kind === 'desired' && payload.byteLength === 0) return { kind, agent, desired: null };
  const value = parseJson(payload);
  if (value === undefined) return refused(agent, 'invalid_json');
  if (kind === 'score') return decodeScore(agent, value);
  if (kind === 'info') return decodeInfo(agent, value);
  if (kind === 'desired') {
    const result = desiredSchema.safeParse(value);
    return result.success ? { kind, agent, desired: result.data } : refused(agent, 'invalid_schema');
  }
  if (kind === 'event') {
    const result = eventSchema.safeParse(value);
    return result.success ? { kind: 'event', agent, event: result.data } : refused(agent, 'invalid_schema');
  }
  return refused(agent, 'unknown_topic');
}

function decodeStatus(agent: string, payload: Uint8Array): Incoming {
  const result = statusSchema.safeParse(Buffer.from(payload).toString('utf8'));
  if (!result.success) return refused(agent, 'invalid_schema');
  return { kind: 'status', agent, online: result.data === 'online' };
}

function decodeInfo(agent: string, value: unknown): Incoming {
  const result = infoSchema.safeParse(value);
  if (!result.success) return refused(agent, 'invalid_schema');
  return result.data.agent === agent
    ? { kind: 'info', agent, info: result.data }
    : refused(agent, 'wrong_agent');
}

function decodeScore(agent: string, value: unknown): Incoming {
  const batch = isExactBatch(value) ? (value as ScoreBatch) : scoreBatchSchema.safeParse(value).data;
  if (batch === undefined) return refused(agent, 'invalid_schema', readRefusal(value, 'invalid_schema'));
  const code = misfit(agent, batch);
  if (code !== null) return refused(agent, code, readRefusal(value, code));
  return { kind: 'score', agent, batch };
}

/** What the schema alone cannot see: a batch that speaks for another agent, or points at a record it has not. */
function misfit(agent: string, batch: ScoreBatch): string | null {
  if (batch.agent !== agent) return 'wrong_agent';
  if ((batch.first ?? batch.sequence) > batch.sequence) return 'invalid_schema';
  let nextIndex = 0;
  for (const window of batch.windows) {
    if (window.episode !== null && parseWindowId(window.episode)?.agent !== agent) return 'wrong_agent';
    if ((window.record ?? -1) >= batch.records.length) return 'invalid_schema';
    const index = window.index ?? nextIndex;
    if (index < nextIndex) return 'invalid_schema';
    nextIndex = index + 1;
    if ((window.scope === 'gateway') !== (window.device === '*')) return 'invalid_schema';
  }
  return null;
}

/** Boot and sequence of a batch that is otherwise unreadable. */
function readRefusal(value: unknown, code: string): Refusal | null {
  if (typeof value !== 'object' || value === null) return null;
  const { boot, sequence } = value as { boot?: unknown; sequence?: unknown };
  const [readBoot, readSequence] = [bootIdSchema.safeParse(boot), sequenceSchema.safeParse(sequence)];
  if (!readBoot.success || !readSequence.success) return null;
  return { boot: readBoot.data, sequence: readSequence.data, code };
}

function parseJson(payload: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength).toString('utf8'));
  } catch {
    return undefined;
  }
}
