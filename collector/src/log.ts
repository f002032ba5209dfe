/** The collector's log: JSON lines on stderr. Built once in main and handed down; nothing imports a global logger. */
import { type Logger, pino } from 'pino';

export type { Logger };

export const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const;

export function createLogger(level: (typeof LOG_LEVELS)[number]): Logger {
  return pino({ level, base: null }, pino.destination({ dest: 2, sync: true }));
}

/** The message of anything that was thrown. */
export function errorText(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
