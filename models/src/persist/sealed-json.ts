/**
 * JSON under a checksum, for what is kept between two runs: the first line is SHA-256 of the rest. What was damaged on
 * disk is not taken for what was written.
 */
import { createHash } from 'node:crypto';
import type { z } from 'zod';

const DIGEST_CHARACTERS = 64;

export function sealJson(value: unknown): Buffer {
  const body = Buffer.from(`${JSON.stringify(value)}\n`);
  return Buffer.concat([Buffer.from(`${sha256(body)}\n`), body]);
}

/** Throws a sentence when a bit of it was changed, something is missing, or it has another shape. */
export function openSealedJson<T>(bytes: Uint8Array, schema: z.ZodType<T>): T {
  const whole = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const body = whole.subarray(DIGEST_CHARACTERS + 1);
  const head = whole.subarray(0, DIGEST_CHARACTERS + 1).toString('latin1');
  if (head !== `${sha256(body)}\n`) throw new Error('its checksum is wrong');
  const read = schema.safeParse(JSON.parse(body.toString()));
  if (!read.success) throw new Error('it is of another version or shape');
  return read.data;
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
