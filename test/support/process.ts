/** A part of a whole as its own process, as a user runs it: started, killed hard, started again, stopped. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const READY_DEADLINE_MS = 20_000;

export class Part {
  private child: ChildProcess | null = null;
  /** Everything it wrote, over all its lives. */
  output = '';

  /** `script` is a path in the repository. */
  constructor(
    readonly script: string,
    private readonly args: readonly string[],
    private readonly nodeArgs: readonly string[] = [],
  ) {}

  static configured(
    workspace: 'agent' | 'collector',
    configPath: string,
    nodeArgs: readonly string[] = [],
  ): Part {
    return new Part(`${workspace}/dist/main.js`, ['run', '--config', configPath], nodeArgs);
  }

  /** Resolves when it says over its channel that it is ready; throws with its output when it ends before. */
  async start(): Promise<this> {
    const child = spawn(process.execPath, [...this.nodeArgs, `${ROOT}${this.script}`, ...this.args], {
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      cwd: ROOT,
    });
    this.child = child;
    const keep = (chunk: Buffer) => {
      this.output += chunk.toString();
    };
    child.stdout?.on('data', keep);
    child.stderr?.on('data', keep);
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(
        () => reject(new Error(`${this.script} is not ready: ${this.output}`)),
        READY_DEADLINE_MS,
      );
      child.on('message', (message) => {
        if ((message as { type?: string }).type !== 'ready') return;
        clearTimeout(timer);
        resolve();
      });
      child.once('exit', (code) => {
        clearTimeout(timer);
        reject(new Error(`${this.script} ended with ${code} before it was ready: ${this.output}`));
      });
    });
    return this;
  }

  get pid(): number {
    return this.child?.pid ?? 0;
  }

  get running(): boolean {
    return this.child !== null && this.child.exitCode === null && this.child.signalCode === null;
  }

  /** kill -9. */
  async kill(): Promise<void> {
    await this.end('SIGKILL');
  }

  /** Asks it to end and resolves to its exit code. */
  async stop(): Promise<number | null> {
    return this.end('SIGTERM');
  }

  private async end(signal: NodeJS.Signals): Promise<number | null> {
    const child = this.child;
    if (!child || !this.running) return child?.exitCode ?? null;
    const closed = once(child, 'close');
    child.kill(signal);
    const [code] = await closed;
    return code as number | null;
  }
}
