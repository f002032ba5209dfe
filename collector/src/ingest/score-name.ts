/** What a score batch is called, read from its first bytes as agents write them, without decoding the rest. Pure. */

export interface ScoreName {
  boot: string;
  sequence: number;
  historical: boolean;
}

/** As agents write it; what begins otherwise is none the worse, but has no name before it is decoded. */
const HEAD =
  /^\{(?:"historical":(true|false),)?"v":1,"agent":"[a-z0-9._-]{1,64}","boot":"([0-9a-f]{16})","sequence":([1-9]\d{0,14}),/;
const MAX_HEAD_BYTES = 192;

export function readScoreName(payload: Buffer): ScoreName | null {
  const match = HEAD.exec(payload.toString('latin1', 0, MAX_HEAD_BYTES));
  if (!match) return null;
  return { boot: match[2]!, sequence: Number(match[3]), historical: match[1] === 'true' };
}
