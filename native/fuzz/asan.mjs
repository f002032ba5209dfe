/**
 * `npm run asan`: the tests that reach every `unsafe` kernel of the pure core, under AddressSanitizer. Needs nightly
 * Rust; ends with code 69 where that is missing.
 */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const UNAVAILABLE = 69;
const TESTS = ['forest_fast', 'forest_paths', 'windows', 'autoencoder', 'autoencoder_file'];

function cargo(args, stdio, environment = {}) {
  const cwd = fileURLToPath(new URL('..', import.meta.url));
  return spawnSync('cargo', ['+nightly', ...args], { cwd, stdio, env: { ...process.env, ...environment } });
}

const version = cargo(['-vV'], 'pipe');
const host = /^host: (.+)$/m.exec(String(version.stdout))?.[1];
if (host) {
  const tests = TESTS.flatMap((name) => ['--test', name]);
  // With a target of its own, build scripts and macros are not instrumented.
  const args = [
    'test',
    '--no-default-features',
    '--target',
    host,
    '--target-dir',
    'target/asan',
    '--lib',
    ...tests,
  ];
  const { status } = cargo(args, 'inherit', { RUSTFLAGS: '-Zsanitizer=address' });
  process.exitCode = status ?? 1;
} else {
  console.error('asan is skipped: nightly Rust is missing (rustup toolchain install nightly)');
  process.exitCode = UNAVAILABLE;
}
