/**
 * `npm run fuzz -- [SECONDS] [TARGET…]`: runs every fuzz target for so many seconds (default 600) on the seeds and
 * what earlier runs found, at the lowest priority. Needs nightly Rust and cargo-fuzz (`cargo install cargo-fuzz
 * --locked`); ends with code 69 where they are missing, 1 where a target failed. Inputs that failed stay in `artifacts/`.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync } from 'node:fs';
import { constants, setPriority } from 'node:os';
import { basename, dirname } from 'node:path';
import { fileURLToPath } from 'node:url';

const FOLDER = dirname(fileURLToPath(import.meta.url));
const UNAVAILABLE = 69;
/** Longest input: a line may have 64 KiB, but long inputs make a fuzzer slow and find nothing new. */
const MAX_BYTES = { line: 2048, timestamp: 64, chunks: 4096, formats: 1024, definition: 1024 };
const DEFAULT_MAX_BYTES = 4096;

const targets = readdirSync(`${FOLDER}/fuzz_targets`)
  .filter((name) => name.endsWith('.rs'))
  .map((name) => basename(name, '.rs'));

function cargo(args, stdio) {
  return spawnSync('cargo', ['+nightly', ...args], {
    cwd: FOLDER,
    encoding: 'utf8',
    stdio,
    maxBuffer: 2 ** 28,
  });
}

function missing() {
  if (cargo(['--version'], 'pipe').status !== 0) return 'nightly Rust (rustup toolchain install nightly)';
  if (cargo(['fuzz', '--version'], 'pipe').status !== 0)
    return 'cargo-fuzz (cargo install cargo-fuzz --locked)';
  return null;
}

/** Runs one target; true when nothing failed. */
function fuzz(target, seconds) {
  const corpus = `${FOLDER}/corpus/${target}`;
  mkdirSync(corpus, { recursive: true });
  const limits = [`-max_total_time=${seconds}`, `-max_len=${MAX_BYTES[target] ?? DEFAULT_MAX_BYTES}`];
  const bounds = ['-timeout=10', '-rss_limit_mb=2048', '-print_final_stats=1', '-verbosity=1'];
  const words = target === 'line' || target === 'chunks' ? [`-dict=${FOLDER}/json.dict`] : [];
  const folders = [corpus, `${FOLDER}/seeds/${target}`];
  const args = [
    'fuzz',
    'run',
    '--fuzz-dir',
    FOLDER,
    target,
    ...folders,
    '--',
    ...limits,
    ...bounds,
    ...words,
  ];
  const { status, stderr } = cargo(args, ['ignore', 'inherit', 'pipe']);
  const text = stderr ?? '';
  const executed = /number_of_executed_units:\s*(\d+)/.exec(text)?.[1] ?? '?';
  const covered = [...text.matchAll(/\bcov: (\d+)/g)].at(-1)?.[1] ?? '?';
  console.log(
    `${target}: ${status === 0 ? 'clean' : 'FAILED'}, ${executed} runs in ${seconds} s, ${covered} edges`,
  );
  if (status !== 0) console.log(text.split('\n').slice(-60).join('\n'));
  return status === 0;
}

function main([first, ...names]) {
  const seconds = Number(first ?? 600);
  const unknown = names.filter((name) => !targets.includes(name));
  if (!(Number.isInteger(seconds) && seconds > 0) || unknown.length > 0) {
    console.error(`usage: npm run fuzz -- [SECONDS] [TARGET…]; targets: ${targets.join(', ')}`);
    return 2;
  }
  const lacking = missing();
  if (lacking) {
    console.error(`fuzzing is skipped: ${lacking} is missing`);
    return UNAVAILABLE;
  }
  setPriority(constants.priority.PRIORITY_LOW);
  const chosen = names.length > 0 ? names : targets;
  const results = chosen.map((target) => fuzz(target, seconds));
  return results.every(Boolean) ? 0 : 1;
}

process.exitCode = main(process.argv.slice(2));
