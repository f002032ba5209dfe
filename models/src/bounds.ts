/**
 * Bounds of what comes from outside and has free keys: how many entries, how long a key, how large a value. Without
 * them one message makes everything grow that shows it.
 */
import { z } from 'zod';

/** Counters of one agent. */
export const MAX_COUNTERS = 256;
export const MAX_LABELS = 32;

/** No value of a record is larger: the engine refuses it when it reads the line. */
export const MAX_MEASURED_VALUE = 1e12;

/** A name as programs give it: `lines_refused`, `records.late`. */
export const nameKeySchema = z
  .string()
  .regex(
    /^[A-Za-z][A-Za-z0-9_.-]{0,63}$/,
    'must be 1–64 of letters, digits, ".", "_" and "-", a letter first',
  );

/** Words that people chose, in one line. */
export const labelKeySchema = z.string().regex(/^.{1,64}$/, 'must be 1–64 characters in one line');
export const labelValueSchema = z.string().regex(/^.{0,256}$/, 'must be at most 256 characters in one line');

export const measuredSchema = z.number().min(-MAX_MEASURED_VALUE).max(MAX_MEASURED_VALUE);
/** A number of things counted: whole as long as it counts exactly. */
export const amountSchema = z.number().min(0).max(Number.MAX_SAFE_INTEGER);

/** An object with free keys and at most so many entries. */
export function fewEntries<V extends z.ZodType>(
  most: number,
  key: z.ZodType<string, string>,
  value: V,
): z.ZodRecord<z.ZodType<string, string>, V> {
  return z
    .record(key, value)
    .refine((entries) => Object.keys(entries).length <= most, `must have at most ${most} entries`);
}

export const countersSchema = fewEntries(MAX_COUNTERS, nameKeySchema, amountSchema);
export const labelsSchema = fewEntries(MAX_LABELS, labelKeySchema, labelValueSchema);
