/**
 * What became of one round trip: an answer, no answer (the line lost it), or no measurement at all. The third says
 * nothing about the line: it is unknown, never a loss.
 */
export type Reply =
  /** `latencyMs` is null when something answered that gives no time. `error`: what is wrong although it answered. */
  | { kind: 'answered'; latencyMs: number | null; error: string | null }
  | { kind: 'lost'; error: string }
  | { kind: 'unmeasured'; why: string };

/** One round trip that takes at most `timeoutMs`, or a little longer. Never rejects. */
export type Ask = (timeoutMs: number) => Promise<Reply>;

export const lost = (error: string): Reply => ({ kind: 'lost', error });
export const unmeasured = (why: string): Reply => ({ kind: 'unmeasured', why });

/** The network said that no packet comes through, or the other end ended it. */
const LINE_FAULT = /^(E(CONN|HOST|NET)[A-Z]+|ETIMEDOUT|EPIPE)$/;
/** This machine has no socket, memory or address to spare, or forbids it: no packet was sent. */
const OWN_FAULT: Readonly<Record<string, string>> = {
  EMFILE: 'no_socket',
  ENFILE: 'no_socket',
  ENOBUFS: 'no_socket',
  ENOMEM: 'no_socket',
  EAGAIN: 'no_socket',
  EADDRNOTAVAIL: 'no_socket',
  EADDRINUSE: 'no_socket',
  EAFNOSUPPORT: 'no_socket',
  EACCES: 'not_permitted',
  EPERM: 'not_permitted',
};

/** Of several addresses that were tried, one that the line failed decides. */
export function replyOfError(error: unknown): Reply {
  const { errors } = error as { errors?: unknown };
  const all = Array.isArray(errors) && errors.length > 0 ? errors : [error];
  const replies = all.map((one) => replyOfCode((one as NodeJS.ErrnoException).code));
  return replies.find(({ kind }) => kind === 'lost') ?? replies[0]!;
}

function replyOfCode(code: unknown): Reply {
  if (typeof code !== 'string') return unmeasured('failed');
  if (LINE_FAULT.test(code)) return lost(wordOf(code));
  return unmeasured(Object.hasOwn(OWN_FAULT, code) ? OWN_FAULT[code]! : `failed_${wordOf(code)}`);
}

/** `ECONNREFUSED` is `connrefused` in a record. */
export function wordOf(code: string): string {
  return code
    .toLowerCase()
    .replace(/^e(?=conn|host|net)/, '')
    .replace(/^etimedout$/, 'timeout')
    .slice(0, 32);
}
