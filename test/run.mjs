#!/usr/bin/env node
/**
 * `npm test`: installs and builds what is missing, then runs every check in order and ends with one line
 * `N passed, N failed, N skipped`. Plain JavaScript: it runs before anything is built.
 */
import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { BuildError, build, ROOT } from '../collector/demo/build.mjs';
import { complain, dim, progress, say } from '../collector/demo/terminal.mjs';
import { provideChromium } from './browser-setup.mjs';

const ARTIFACTS = join(ROOT, 'test', '.artifacts');
const VITEST_REPORT = join(ARTIFACTS, 'vitest.json');
const cargo = (...args) => ['cargo', ...args];
const MANIFEST = ['--manifest-path', 'native/Cargo.toml'];

/** Every check: name, command, and how to count what it ran (one check counts as one test by default). */
const CHECKS = [
  { name: 'types', command: ['npx', '--no-install', 'tsc', '-b'] },
  { name: 'biome', command: ['npx', '--no-install', 'biome', 'check', '--error-on-warnings', '.'] },
  {
    name: 'generated',
    command: ['git', 'diff', '--exit-code', '--', 'native/index.js', 'native/index.d.ts'],
  },
  { name: 'rustfmt', command: cargo('fmt', ...MANIFEST, '--check') },
  {
    name: 'clippy',
    command: cargo('clippy', ...MANIFEST, '--all-targets', '--quiet', '--', '-D', 'warnings'),
  },
  { name: 'rust', command: cargo('test', ...MANIFEST, '--no-default-features'), count: countCargo },
  {
    name: 'vitest',
    command: [
      ...['npx', '--no-install', 'vitest', 'run', '--config', 'test/vitest.config.ts'],
      ...['--reporter=default', '--reporter=json', `--outputFile.json=${VITEST_REPORT}`],
    ],
    count: countVitest,
    show: true,
  },
];

/** Runs one command; resolves to its exit code and everything it said. */
function run([command, ...args], { show, environment }) {
  return new Promise((done) => {
    const child = spawn(command, args, { cwd: ROOT, env: environment, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    const keep = (text) => {
      output += text;
      if (show) process.stdout.write(text);
    };
    child.stdout.setEncoding('utf8').on('data', keep);
    child.stderr.setEncoding('utf8').on('data', keep);
    child.on('error', (error) => done({ code: 1, output: `${command}: ${error.message}` }));
    child.on('close', (code) => done({ code: code ?? 1, output }));
  });
}

function countCargo({ code, output }) {
  const total = { passed: 0, failed: 0, skipped: 0 };
  for (const [, passed, failed, ignored] of output.matchAll(/(\d+) passed; (\d+) failed; (\d+) ignored/g)) {
    total.passed += Number(passed);
    total.failed += Number(failed);
    total.skipped += Number(ignored);
  }
  if (code !== 0 && total.failed === 0) total.failed = 1;
  return total;
}

function countVitest({ code }) {
  try {
    const report = JSON.parse(readFileSync(VITEST_REPORT, 'utf8'));
    const failedFiles = report.testResults.filter(
      (file) => file.status === 'failed' && file.assertionResults.length === 0,
    );
    const failed = report.numFailedTests + failedFiles.length;
    return {
      passed: report.numPassedTests,
      failed: code !== 0 && failed === 0 ? 1 : failed,
      skipped: report.numPendingTests,
    };
  } catch {
    return { passed: 0, failed: 1, skipped: 0 };
  }
}

function countOne({ code }) {
  return { passed: code === 0 ? 1 : 0, failed: code === 0 ? 0 : 1, skipped: 0 };
}

async function runCheck(check, environment) {
  const startedAt = performance.now();
  const step = check.show ? null : progress(check.name, check.command.join(' '));
  if (check.show) console.log(dim(`  ${check.command.join(' ')}`));
  const result = await run(check.command, { show: check.show, environment });
  const counted = (check.count ?? countOne)(result);
  const text = `${counted.passed} passed, ${counted.failed} failed${counted.skipped ? `, ${counted.skipped} skipped` : ''}`;
  if (counted.failed === 0) {
    if (step) step.end(text);
    else say(check.name, `${text} ${dim(`(${((performance.now() - startedAt) / 1000).toFixed(0)} s)`)}`);
  } else {
    if (step) step.fail(text);
    else complain(check.name, text);
    if (!check.show) console.error(result.output.trim());
  }
  return counted;
}

async function main() {
  await build();
  mkdirSync(ARTIFACTS, { recursive: true });
  rmSync(VITEST_REPORT, { force: true });
  const { path, advice } = provideChromium();
  if (path) say('chromium', path);
  else complain('chromium', `${advice}; the browser tests are skipped`);
  const environment = { ...process.env, ...(path ? { LINEHERON_CHROMIUM: path } : {}) };
  const total = { passed: 0, failed: 0, skipped: 0 };
  for (const check of CHECKS) {
    const counted = await runCheck(check, environment);
    for (const key of Object.keys(total)) total[key] += counted[key];
  }
  console.log('');
  const skipped = total.skipped > 0 ? `, ${total.skipped} skipped` : '';
  console.log(`${total.passed} passed, ${total.failed} failed${skipped}`);
  process.exitCode = total.failed === 0 ? 0 : 1;
}

await main().catch((error) => {
  complain('test', error instanceof BuildError ? error.message : (error.stack ?? String(error)));
  console.log('\n0 passed, 1 failed');
  process.exitCode = 1;
});
