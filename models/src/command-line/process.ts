/** The edge of a process: a command performed, its exit code, and streams that somebody closed. */
import { EXIT } from './exit-code.js';
import { UsageError } from './parse.js';

/** Runs `main` and ends the process with its exit code, null for none yet; what it throws is told in a line. */
export async function runProgram(
  name: string,
  main: () => Promise<number | null>,
  codeOf: (error: unknown) => number,
): Promise<void> {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    // Whoever closes the pipe early has read enough.
    if (error.code === 'EPIPE') process.exit(EXIT.ok);
    process.stderr.write(`${name}: standard output: ${error.message}\n`);
    process.exit(EXIT.cannotCreate);
  });
  await main().then(end, (error: unknown) => {
    const isUsage = error instanceof UsageError;
    const message = error instanceof Error ? error.message : String(error);
    process.stderr.write(`${name}: ${message}${isUsage ? ' (--help tells more)' : ''}\n`);
    end(isUsage ? EXIT.usage : codeOf(error));
  });
}

/** Ends once both streams have taken what was written: a pipe may take it later. A fault of one comes first. */
function end(code: number | null): void {
  if (code === null) return;
  process.exitCode = code;
  process.stdout.write('', (error) => {
    if (!error) process.stderr.write('', () => process.exit(code));
  });
}

/**
 * The end of the process waits for no look-up of a name: Node would, and silent name servers take half a minute.
 * `exitNow` ends the process at once; it is called for nothing else.
 */
export function endDespiteLookups(exitNow: (code: number) => void): void {
  process.on('exit', (code) => {
    if (process.getActiveResourcesInfo().includes('GetAddrInfoReqWrap')) exitNow(code);
  });
}
