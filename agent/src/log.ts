/** The log: one JSON object a line on standard error. */
import { type Logger, pino } from 'pino';

export type Log = Pick<Logger, 'debug' | 'info' | 'warn' | 'error'>;

/** Of lines that a full disk has not taken; what is beyond is lost. */
const MAX_WAITING_BYTES = 256 * 1024;

/** Where it cannot write, it loses lines and nothing else: no log is worth the agent. */
export function createLog(level: string, agentId: string): Logger {
  const destination = pino.destination({ dest: 2, sync: true, maxLength: MAX_WAITING_BYTES });
  destination.on('error', () => {});
  return pino({ level, base: { agent: agentId } }, destination);
}

/** The message of anything that was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
