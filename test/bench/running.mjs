/** What benchmarks share that watch running parts: beginning and ending them, waiting, what a process costs (by /proc). */
import { spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { ROOT } from '../../agent/packaging/stage.mjs';

/** Node's own flags of the packaged agent. */
export const FLAGS = readFileSync(join(ROOT, 'agent', 'packaging', 'node-flags'), 'utf8')
  .trim()
  .split(' ');

export const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** Resolves to the first answer that is true in its way; throws when there is none in two minutes. */
export async function until(what, ask, deadlineMs = 120_000) {
  const endMs = performance.now() + deadlineMs;
  for (;;) {
    const answer = await ask();
    if (answer) return answer;
    if (performance.now() > endMs) throw new Error(`waited in vain for ${what}`);
    await pause(5);
  }
}

/** Resident memory of a process in MB (10⁶ bytes). */
export const residentMb = (pid) =>
  (Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]) * 1024) / 1e6;

/** A port of the loopback interface that is free now. */
export async function freePort() {
  const server = createServer();
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** Agents and collectors, built, with their configurations in one folder. */
export class Parts {
  children = new Set();

  constructor(folder) {
    this.folder = folder;
  }

  /** Begins a part of the product; `ready` becomes true once it is. */
  begin(flags, workspace, name, config) {
    const path = join(this.folder, `${name}.yaml`);
    writeFileSync(path, JSON.stringify({ ...config, log_level: 'warn' }));
    const main = join(ROOT, workspace, 'dist', 'main.js');
    const child = spawn(process.execPath, [...flags, main, 'run', '--config', path], {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    const part = { child, ready: false };
    child.on('message', ({ type }) => {
      part.ready ||= type === 'ready';
    });
    this.children.add(child);
    child.once('close', () => this.children.delete(child));
    return part;
  }

  async end({ child }) {
    const closed = new Promise((resolve) => child.once('close', resolve));
    child.kill('SIGTERM');
    await closed;
  }

  /** Ends all that are left, whatever happened. */
  kill() {
    for (const child of this.children) child.kill('SIGKILL');
  }
}
