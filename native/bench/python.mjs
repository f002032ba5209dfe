/**
 * A benchmark's Python side: an environment made once from exact versions, and processes that answer one JSON line
 * a job. An environment is stale, and made anew, when its requirements file is no longer the one it was made from.
 */
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

function must(command, args) {
  const { status, error } = spawnSync(command, args, { stdio: ['ignore', process.stderr, process.stderr] });
  if (status !== 0)
    throw new Error(`${command} ${args.join(' ')} failed: ${error?.message ?? `code ${status}`}`);
}

/** The environment `.venv` of a folder. */
export class PythonEnvironment {
  #venv;
  #requirements;
  #note;

  /** `note` tells in brackets, before it is made, what that takes. */
  constructor(folder, requirements, note) {
    this.#venv = join(folder, '.venv');
    this.#requirements = join(folder, requirements);
    this.#note = note;
  }

  get python() {
    return join(this.#venv, 'bin', 'python');
  }

  get #mark() {
    return join(this.#venv, 'requirements.sha256');
  }

  #digest() {
    return createHash('sha256').update(readFileSync(this.#requirements)).digest('hex');
  }

  /** Whether it stands and holds exactly what is required. */
  ready() {
    if (!existsSync(this.python) || !existsSync(this.#mark)) return false;
    return readFileSync(this.#mark, 'utf8') === this.#digest();
  }

  /** Makes it where it is missing or stale. */
  provide() {
    if (this.ready()) return;
    console.error(`making the peers' Python environment (${this.#note})`);
    if (!existsSync(this.python)) must('python3', ['-m', 'venv', this.#venv]);
    const install = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check'];
    must(this.python, [...install, '-r', this.#requirements]);
    writeFileSync(this.#mark, this.#digest());
  }
}

/** A process that answers one JSON line a job. */
export class Side {
  #child;
  #lines;

  constructor(command, args) {
    // One thread unless a job asks for more: libraries under a peer must not take the second core by themselves.
    const environment = {
      ...process.env,
      OMP_NUM_THREADS: '1',
      OPENBLAS_NUM_THREADS: '1',
      PYTHONWARNINGS: 'ignore',
    };
    this.#child = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'], env: environment });
    this.#lines = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]();
  }

  async ask(job) {
    this.#child.stdin.write(`${JSON.stringify(job)}\n`);
    const { value: line, done } = await this.#lines.next();
    if (done) throw new Error(`the process for ${JSON.stringify(job)} ended`);
    return JSON.parse(line).value;
  }

  close() {
    this.#child.stdin.end();
  }
}
