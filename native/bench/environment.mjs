/**
 * What the benchmark runs on: the peers' Python environment, the processes of both sides, and what the table says
 * of the machine.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { cpus, loadavg, totalmem } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { PythonEnvironment, Side } from './python.mjs';

export const FOLDER = dirname(fileURLToPath(import.meta.url));
const NOTE = 'once; isotree builds from source for minutes';
const environment = new PythonEnvironment(FOLDER, 'requirements.txt', NOTE);

export const peersReady = () => environment.ready();
export const providePeers = () => environment.provide();
export const startOurs = () => new Side(process.execPath, [join(FOLDER, 'ours.mjs')]);
export const startPeers = () => new Side(environment.python, [join(FOLDER, 'peers.py')]);

/** Bytes outside JavaScript's heap of a process with so many devices' windows, with their baselines or without. */
export function residentBytes(devices, baseline) {
  const args = ['--expose-gc', join(FOLDER, 'memory.mjs'), String(devices), baseline ? 'baseline' : ''];
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
