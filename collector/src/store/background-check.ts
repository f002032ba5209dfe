/** Looks through the store for damage in a process of its own: after the start what that had no time for, then daily. */
import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { workerUrl } from '../worker-url.js';

const EVERY_MS = 24 * 3_600_000;

export class BackgroundCheck {
  private child: ChildProcess | null = null;
  private begunMs = performance.now();

  constructor(
    private readonly path: string,
    private readonly onDamage: (message: string) => void,
  ) {}

  /** `null` for all tables. */
  start(tables: readonly string[] | null): void {
    if (this.child || tables?.length === 0) return;
    this.begunMs = performance.now();
    const entry = fileURLToPath(workerUrl(import.meta.url, 'check-process'));
    const child = fork(entry, [this.path, ...(tables ?? [])], { execArgv: [], stdio: 'ignore' });
    this.child = child;
    child.on('message', (message) => this.onDamage(String(message)));
    // A check that could not be made is made tomorrow; a store that cannot be read shows it in commits and questions.
    child.on('error', () => {});
    child.on('close', () => {
      this.child = null;
    });
  }

  startDaily(): void {
    if (performance.now() - this.begunMs >= EVERY_MS) this.start(null);
  }

  stop(): void {
    this.child?.kill('SIGKILL');
  }
}
