/** For tests: the built program in a network namespace of its own, where that may be made. */
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { MAIN } from './test-agent.js';

const works = (program: string, ...args: string[]) => spawnSync(program, args).status === 0;

/** Whether this user may make a network namespace with a line in it. */
export const NAMESPACE =
  works('unshare', '-n', 'ip', 'link', 'add', 'line0', 'type', 'veth') && works('nsenter', '--version');
/** Whether it may also have a mount of its own in it, such as another list of name servers. */
export const OWN_MOUNTS = NAMESPACE && works('unshare', '-n', '-m', 'mount', '--bind', '/etc', '/mnt');

/** A line that goes nowhere: packets are sent, and nobody answers. */
export const SILENT_LINE = [
  'ip link set lo up',
  'ip link add line0 type veth peer name far0',
  'ip link set far0 up',
  'ip addr add 192.0.2.1/24 dev line0',
  'ip link set line0 up',
  'ip neigh add 192.0.2.254 lladdr 02:00:00:00:00:01 dev line0',
  'ip route add default via 192.0.2.254',
];

const RELAY = fileURLToPath(new URL('../../test/support/relay.mjs', import.meta.url));

const quoted = (words: readonly string[]) => words.map((word) => `'${word}'`).join(' ');

/** The program in a namespace in which nothing is up but what `setup`, a list of shell commands, made so. */
export class Isolated {
  readonly process: ChildProcess;
  readonly ended: Promise<number | null>;
  private text = '';

  constructor(args: readonly string[], setup: readonly string[] = [], mounts = false) {
    const program = quoted([process.execPath, MAIN, ...args]);
    const script = [...setup, `exec ${program}`].join(' && ');
    this.process = spawn('unshare', ['-n', ...(mounts ? ['-m'] : []), 'sh', '-c', script], { stdio: 'pipe' });
    for (const stream of [this.process.stdout, this.process.stderr]) {
      stream?.setEncoding('utf8').on('data', (chunk: string) => {
        this.text += chunk;
      });
    }
    this.ended = new Promise((resolve) => this.process.on('close', resolve));
  }

  /** All that it wrote so far. */
  get output(): string {
    return this.text;
  }

  /** Runs a command in its namespace. */
  inside(...command: string[]): string {
    return execFileSync('nsenter', ['-t', String(this.process.pid), '-n', ...command], {
      stdio: 'pipe',
      encoding: 'utf8',
    });
  }

  /** A port of its namespace that leads to a socket of a file, which namespaces share; ends with what it returns. */
  relay(port: number, path: string): ChildProcess {
    const enter = ['-t', String(this.process.pid), '-n'];
    return spawn('nsenter', [...enter, process.execPath, RELAY, String(port), path], { stdio: 'inherit' });
  }

  /** Its exit code after SIGTERM, and how long that took, ms. */
  async stop(): Promise<{ code: number | null; tookMs: number }> {
    const startMs = performance.now();
    this.process.kill('SIGTERM');
    return { code: await this.ended, tookMs: performance.now() - startMs };
  }

  async kill(): Promise<void> {
    this.process.kill('SIGKILL');
    await this.ended;
  }
}
