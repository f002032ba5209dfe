/** The log: one JSON object a line on standard error. */
import { type Logger, pino } from 'pino';

export type Log = Pick<Logger, 'debug' | 'info' | 'warn' | 'error'>;

export function createLog(level: string, agentId: string): Logger {
  return pino({ level, base: { agent: agentId } }, pino.destination({ dest: 2, sync: true }));
}

/** The message of anything that was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
