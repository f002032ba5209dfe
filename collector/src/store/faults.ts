/** What went wrong with the store, in a sentence that says what to do. */

export interface Fault {
  /** SQLite's code, or the system's. */
  code: string;
  message: string;
}

export function faultOf(error: unknown): Fault {
  const { code, message } = error as { code?: unknown; message?: unknown };
  return {
    code: typeof code === 'string' ? code : '',
    message: typeof message === 'string' ? message : String(error),
  };
}

export const isDamage = ({ code }: Fault): boolean => /^SQLITE_(CORRUPT|NOTADB)/.test(code);

/** At a write or a question of a store that was open. */
export function explain(path: string, fault: Fault): string {
  const { code, message } = fault;
  if (isDamage(fault)) {
    return `the store ${path} is damaged: ${message}. Restart the collector: it sets the damaged store aside, deletes nothing, and begins a new one. Or stop it and restore the store from a backup`;
  }
  if (code === 'SQLITE_FULL' || code === 'ENOSPC') {
    return `the disk of the store ${path} is full: free some space, or lower retention.max_store_gb. The agents keep what is not stored`;
  }
  if (/^SQLITE_(READONLY|CANTOPEN|PERM|AUTH)|^E(ROFS|ACCES|PERM)$/.test(code)) {
    return `the store ${path} cannot be written: ${message}. See that its disk is mounted for writing and that its folder belongs to the collector's user. The agents keep what is not stored`;
  }
  if (/^SQLITE_IOERR|^EIO$/.test(code)) {
    return `the disk of the store ${path} does not answer as it should: ${message}. Look at the system's log for faults of the disk. The agents keep what is not stored`;
  }
  if (code.startsWith('SQLITE_BUSY') || code.startsWith('SQLITE_LOCKED')) {
    return `the store ${path} is held by another process: ${message}. End the program that writes it`;
  }
  return `the store ${path}: ${message}`;
}

/** At the start, when the store cannot be opened and is not damaged. */
export function explainOpening(path: string, fault: Fault): string {
  const { code, message } = fault;
  if (message.includes('bindings file')) {
    return 'better-sqlite3 is not built for this machine: run `npm rebuild better-sqlite3` and start again.';
  }
  if (code === '') return `the store ${path} cannot be opened: ${message}.`;
  return `${explain(path, fault)}.`;
}
