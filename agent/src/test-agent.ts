/** For tests: the built program as its own process. */
import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** The program as it is built. */
export const MAIN = fileURLToPath(new URL('../dist/main.js', import.meta.url));

/** A program that was started; `text` is all that it wrote so far. */
export interface Started {
  process: ChildProcess;
  ended: Promise<number | null>;
  text: () => string;
}

/** Starts it with these arguments; `environment` stands over a bare one. */
export function startProgram(args: readonly string[], environment: NodeJS.ProcessEnv = {}): Started {
  const child = spawn(process.execPath, [MAIN, ...args], {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: { PATH: process.env.PATH, ...environment },
  });
  let text = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
    });
  }
  const ended = new Promise<number | null>((resolve) => child.on('close', resolve));
  return { process: child, ended, text: () => text };
}

/** Ends it and resolves to its exit code. */
export async function stopProgram(
  started: Started,
  signal: NodeJS.Signals = 'SIGTERM',
): Promise<number | null> {
  started.process.kill(signal);
  return started.ended;
}
