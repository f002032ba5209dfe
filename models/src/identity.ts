/** Names of agents, devices, process starts and windows: their patterns and how a window's id is written. */
import { z } from 'zod';
import { AGENT_ID_PATTERN, isAgentId, RESERVED_AGENT_IDS } from './topics.js';

export const agentIdSchema = z
  .string()
  .regex(
    AGENT_ID_PATTERN,
    'must be 1–64 characters of a–z, 0–9, ".", "_" or "-", the first of them a letter or a digit',
  )
  .refine((id) => !RESERVED_AGENT_IDS.includes(id), {
    error: ({ input }) => `"${input}" is reserved: choose another name`,
  })
  // What is published refuses the reserved names, too.
  .meta({ pattern: AGENT_ID_PATTERN.source.replace('^', `^(?!(?:${RESERVED_AGENT_IDS.join('|')})$)`) });

/** Random per process start; with the sequence it names a batch for ever. */
export const bootIdSchema = z.string().regex(/^[0-9a-f]{16}$/, 'must be 16 hexadecimal digits');

const DEVICE = /^[^\p{C}/+#*]{1,128}$/u;
const DEVICE_RULE = 'must be 1–128 printable characters, none of / + # *';
const MAX_DEVICE_CHARACTERS = 128;
/** What every engine reads alike: no flags, since JSON Schema has none, and no classes of Unicode. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is excluded.
const PORTABLE_DEVICE = /^[^\x00-\x1f\x7f-\x9f/+#*]+$/;

/** 1–128 printable characters, none of `/ + # *`. */
export const deviceIdSchema = z
  .string()
  .regex(DEVICE, DEVICE_RULE)
  .meta({ pattern: PORTABLE_DEVICE.source, maxLength: MAX_DEVICE_CHARACTERS });

/** A device that is asked for: exactly what is published, so that a name that no device can have is just not found. */
const deviceQuerySchema = z
  .string()
  .regex(PORTABLE_DEVICE, DEVICE_RULE)
  .refine((name) => [...name].length <= MAX_DEVICE_CHARACTERS, DEVICE_RULE)
  .meta({ maxLength: MAX_DEVICE_CHARACTERS });

export const windowDeviceQuerySchema = z.union([z.literal('*'), deviceQuerySchema]);

/** A device, or `*` for the gateway's own window. */
export const windowDeviceSchema = z.union([z.literal('*'), deviceIdSchema]);

/** As many digits as a window's id may carry. */
export const sequenceSchema = z.int().min(1).max(999_999_999_999_999);

export const windowIdSchema = z
  .string()
  .max(160)
  .regex(
    /^[a-z0-9][a-z0-9._-]{0,63}\/[0-9a-f]{16}\/\d{1,15}\/\d{1,7}$/,
    'must be <agent>/<boot>/<sequence>/<index>',
  );

/** The id of a window, everywhere: `<agent>/<boot>/<sequence>/<index>`. */
export function windowId(agent: string, boot: string, sequence: number, index: number): string {
  return `${agent}/${boot}/${sequence}/${index}`;
}

/** Parts of a window id, or null when it is none. */
export function parseWindowId(
  id: string,
): { agent: string; boot: string; sequence: number; index: number } | null {
  const match = /^([a-z0-9][a-z0-9._-]{0,63})\/([0-9a-f]{16})\/(\d{1,15})\/(\d{1,7})$/.exec(id);
  if (!match || !isAgentId(match[1]!)) return null;
  const [, agent, boot, sequence, index] = match;
  return { agent: agent!, boot: boot!, sequence: Number(sequence), index: Number(index) };
}

/** The last moment of the year 9999: times after it are not written as ISO 8601 with four digits any more. */
const MAX_TIME_MS = 253_402_300_799_999;

/** ISO 8601 in UTC with milliseconds, as every message of ours writes time. */
export const timeSchema = z.iso.datetime({ offset: true }).refine((text) => {
  const ms = Date.parse(text);
  return ms >= 0 && ms <= MAX_TIME_MS;
}, 'must be between 1970 and 9999');
