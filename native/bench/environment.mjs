/**
 * What the benchmark runs on: the peers' Python environment, made once from exact versions, the processes of both
 * sides, and what the table says of the machine.
 */
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus, loadavg, totalmem } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

export const FOLDER = dirname(fileURLToPath(import.meta.url));
const VENV = join(FOLDER, '.venv');
const PYTHON = join(VENV, 'bin', 'python');
const REQUIREMENTS = join(FOLDER, 'requirements.txt');
const MARK = join(VENV, 'requirements.sha256');

function digest() {
  return createHash('sha256').update(readFileSync(REQUIREMENTS)).digest('hex');
}

/** Whether the environment stands and holds exactly what is required. */
export function peersReady() {
  return existsSync(PYTHON) && existsSync(MARK) && readFileSync(MARK, 'utf8') === digest();
}

function must(command, args) {
  const { status, error } = spawnSync(command, args, { stdio: ['ignore', process.stderr, process.stderr] });
  if (status !== 0)
    throw new Error(`${command} ${args.join(' ')} failed: ${error?.message ?? `code ${status}`}`);
}

/** Makes the environment where it is missing or stale; isotree builds from source, which takes minutes. */
export function providePeers() {
  if (peersReady()) return;
  console.error(`making the peers' Python environment (once; isotree builds from source for minutes)`);
  if (!existsSync(PYTHON)) must('python3', ['-m', 'venv', VENV]);
  must(PYTHON, ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '-r', REQUIREMENTS]);
  writeFileSync(MARK, digest());
}

/** A process that answers one JSON line a job. */
class Side {
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

export const startOurs = () => new Side(process.execPath, [join(FOLDER, 'ours.mjs')]);
export const startPeers = () => new Side(PYTHON, [join(FOLDER, 'peers.py')]);

/** Bytes outside JavaScript's heap of a process with so many devices' windows. */
export function residentBytes(devices) {
  const args = ['--expose-gc', join(FOLDER, 'memory.mjs'), String(devices)];
  return JSON.parse(execFileSync(process.execPath, args, { encoding: 'utf8' })).bytes;
}

function output(command, ...args) {
  const { status, stdout } = spawnSync(command, args, { cwd: FOLDER, encoding: 'utf8' });
  return status === 0 ? stdout.trim() : '?';
}

/** Lines for the head of the table. */
export function describe(seed, peerVersions) {
  const changed =
    output('git', 'status', '--porcelain', '--', '../src', '../Cargo.toml') === '' ? '' : ' and changes';
  const cores = cpus();
  const machine = `${cores[0]?.model.trim()}, ${cores.length} cores, ${Math.round(totalmem() / 2 ** 30)} GiB`;
  const versions = {
    Node: process.versions.node,
    Rust: output('rustc', '--version').split(' ')[1],
    ...peerVersions,
  };
  return [
    `machine   ${machine}, load ${loadavg()[0].toFixed(1)} at the start`,
    `versions  ${Object.entries(versions)
      .map(([name, version]) => `${name} ${version}`)
      .join(', ')}`,
    `commit    ${output('git', 'rev-parse', '--short', 'HEAD')}${changed}, seed ${seed}, ${new Date().toISOString().slice(0, 10)}`,
  ];
}
