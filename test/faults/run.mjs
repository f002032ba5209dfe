#!/usr/bin/env node
/**
 * `npm run faults`: the promise that nothing is lost and nothing doubled, tried at length. Kill -9 of agent, broker and
 * collector while a rotated file is tailed; the real logrotate; a spool that dies at every change of a file; an outage
 * of days in simulated time; MQTT clients that take all they can get. Tells how far it is, ends with a summary of the figures, and with exit code 1 when any
 * promise broke or the time was over.
 *
 *   npm run faults -- [--kills 500] [--rotations 200] [--only kill|rotation|spool|outage|attack] [--minutes 60] [--json FILE]
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const LOOK_EVERY_MS = 1_000;
const SUITES = {
  kill: 'test/faults/kill.test.ts',
  rotation: 'test/faults/rotation.test.ts',
  outage: 'test/faults/outage.test.ts',
  attack: 'test/faults/attack.test.ts',
  spool: 'agent/src/spool',
};

const { values: options } = parseArgs({
  options: {
    kills: { type: 'string', default: '500' },
    rotations: { type: 'string', default: '200' },
    only: { type: 'string' },
    minutes: { type: 'string', default: '60' },
    json: { type: 'string' },
  },
});
const suites = options.only === undefined ? Object.values(SUITES) : [SUITES[options.only]];
if (suites.includes(undefined)) throw new Error(`--only is one of ${Object.keys(SUITES).join(', ')}`);

const folder = mkdtempSync(join(tmpdir(), 'lineheron-faults-'));
const reportPath = join(folder, 'report.jsonl');
const logPath = join(folder, 'vitest.json');
writeFileSync(reportPath, '');
const startMs = performance.now();
const clock = () => {
  const seconds = Math.round((performance.now() - startMs) / 1000);
  return `${String(Math.floor(seconds / 60)).padStart(3)}:${String(seconds % 60).padStart(2, '0')}`;
};

const words = ({ name, ...figures }) => {
  const text = Object.entries(figures).map(([key, value]) =>
    typeof value === 'object' ? `${key} ${JSON.stringify(value)}` : `${key} ${value}`,
  );
  return `${name}: ${text.join(', ')}`;
};

/** Every line reported so far, in order. */
const reported = () =>
  readFileSync(reportPath, 'utf8')
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line));

/** Runs the suites; shows what they report as it comes. Resolves to whether all held in time. */
function run() {
  const vitest = join(ROOT, 'node_modules', 'vitest', 'vitest.mjs');
  const reporters = ['--reporter=json', `--outputFile.json=${logPath}`];
  const child = spawn(
    process.execPath,
    [vitest, 'run', '--config', 'test/vitest.config.ts', ...reporters, ...suites],
    {
      cwd: ROOT,
      detached: true,
      stdio: ['ignore', 'ignore', 'inherit'],
      env: {
        ...process.env,
        LINEHERON_KILLS: options.kills,
        LINEHERON_ROTATIONS: options.rotations,
        LINEHERON_REPORT: reportPath,
      },
    },
  );
  let shown = 0;
  const show = () => {
    const lines = reported();
    for (const line of lines.slice(shown)) console.log(`${clock()}  ${words(line)}`);
    shown = lines.length;
  };
  const watch = setInterval(show, LOOK_EVERY_MS);
  // Its parts die with it: they are in its group.
  const end = () => process.kill(-child.pid, 'SIGKILL');
  const timer = setTimeout(end, Number(options.minutes) * 60_000);
  process.once('SIGINT', end);
  return new Promise((resolve) => {
    child.once('close', (code) => {
      clearInterval(watch);
      clearTimeout(timer);
      show();
      resolve(code === 0);
    });
  });
}

function failures() {
  try {
    const { testResults, numPassedTests, numFailedTests } = JSON.parse(readFileSync(logPath, 'utf8'));
    const failed = testResults.flatMap(({ assertionResults }) =>
      assertionResults.filter(({ status }) => status === 'failed'),
    );
    return { numPassedTests, numFailedTests, failed };
  } catch {
    return { numPassedTests: 0, numFailedTests: 0, failed: [] };
  }
}

function summary(held) {
  const results = reported().filter(({ name }) => !name.endsWith('progress'));
  const kills = results.filter(({ name }) => name.startsWith('kill'));
  const sum = (key) => kills.reduce((total, one) => total + one[key], 0);
  const { numPassedTests, numFailedTests, failed } = failures();
  for (const { fullName, failureMessages } of failed)
    console.log(`FAILED ${fullName}\n${failureMessages[0]}`);
  if (kills.length > 0) {
    const lost = sum('written') - sum('distinct');
    const doubled = sum('stored') - sum('distinct');
    const figures = `${sum('written')} lines, ${sum('kills')} kill -9, ${lost} lost, ${doubled} doubled`;
    console.log(`\nkill -9: ${figures}`);
  }
  console.log(`${numPassedTests} passed, ${numFailedTests} failed in${clock()}${held ? '' : ': NOT GOOD'}`);
  if (options.json) writeFileSync(options.json, `${JSON.stringify({ held, results }, null, 2)}\n`);
}

try {
  const held = await run();
  summary(held);
  process.exitCode = held ? 0 : 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
