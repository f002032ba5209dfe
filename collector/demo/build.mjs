/**
 * Installs from the lock file and builds what is missing or stale: packages, native engine, TypeScript, dashboard.
 * A part is stale when the content of its inputs is not what it was at its last good build. Also `npm run build`.
 */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { nodeComplaint, npmEnvironment, toolComplaints } from './requirements.mjs';
import { complain, progress, storageAdvice } from './terminal.mjs';

export const ROOT = resolve(fileURLToPath(new URL('../..', import.meta.url)));

/** Said when the machine or a build step is at fault: the message is all there is to show. */
export class BuildError extends Error {}

const PARTS = [
  {
    name: 'packages',
    doing: 'installing from the lock file (the first time builds SQLite, 1–3 min)',
    inputs: ['package-lock.json', '.npmrc'],
    outputs: ['node_modules/better-sqlite3/build/Release/better_sqlite3.node', 'node_modules/typescript'],
    needsTools: true,
    command: ['npm', 'ci', '--no-audit', '--no-fund', '--loglevel=error'],
  },
  {
    name: 'native',
    doing: 'compiling the Rust engine (the first time about a minute)',
    inputs: [
      'native/src',
      'native/Cargo.toml',
      'native/Cargo.lock',
      'native/build.rs',
      'native/package.json',
    ],
    outputs: ['native/index.js', { folder: 'native', pattern: /^lineheron-native\..*\.node$/ }],
    needsTools: true,
    command: ['npm', 'run', '--silent', 'build', '-w', 'native'],
  },
  {
    name: 'typescript',
    doing: 'compiling models, agent and collector',
    inputs: [
      'tsconfig.json',
      ...['models', 'agent', 'collector'].flatMap((w) => [`${w}/src`, `${w}/tsconfig.json`]),
      'native/index.d.ts',
    ],
    outputs: ['models/dist/index.js', 'agent/dist/main.js', 'collector/dist/main.js'],
    command: ['npx', '--no-install', 'tsc', '-b', 'models', 'agent', 'collector'],
  },
  {
    name: 'dashboard',
    doing: 'bundling the dashboard',
    inputs: [
      'dashboard/src',
      'dashboard/index.html',
      'dashboard/vite.config.ts',
      'dashboard/public',
      'models/src',
      'dashboard/package.json',
    ],
    outputs: ['dashboard/dist/index.html'],
    command: ['npm', 'run', '--silent', 'build', '-w', 'dashboard'],
  },
];

/** Every file below `path`, sorted, tests left out: they change nothing that is built. */
function filesBelow(path) {
  if (!existsSync(path)) return [];
  if (statSync(path).isFile()) return [path];
  return readdirSync(path, { withFileTypes: true })
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => filesBelow(join(path, entry.name)))
    .filter((name) => !name.endsWith('.test.ts'));
}

function fingerprint(part) {
  const hash = createHash('sha256').update(process.versions.modules).update(part.command.join(' '));
  for (const input of part.inputs) {
    for (const file of filesBelow(join(ROOT, input))) {
      hash.update(file.slice(ROOT.length)).update('\0').update(readFileSync(file)).update('\0');
    }
  }
  return hash.digest('hex');
}

const stampPath = (part) => join(ROOT, 'node_modules', '.cache', 'lineheron', `${part.name}.sha256`);

function outputExists(output) {
  if (typeof output === 'string') return existsSync(join(ROOT, output));
  return readdirSync(join(ROOT, output.folder)).some((name) => output.pattern.test(name));
}

function isFresh(part) {
  const stamp = stampPath(part);
  return (
    part.outputs.every(outputExists) && existsSync(stamp) && readFileSync(stamp, 'utf8') === fingerprint(part)
  );
}

/** Runs a command in the root folder and keeps the end of what it says for the case that it fails. */
function run([command, ...args], signal) {
  return new Promise((done, failed) => {
    const child = spawn(command, args, {
      cwd: ROOT,
      env: npmEnvironment(),
      stdio: ['ignore', 'pipe', 'pipe'],
      ...(signal ? { signal } : {}),
    });
    let tail = '';
    const keep = (text) => {
      tail = (tail + text).slice(-6000);
    };
    child.stdout.setEncoding('utf8').on('data', keep);
    child.stderr.setEncoding('utf8').on('data', keep);
    child.on('error', (error) => failed(new BuildError(`${command}: ${error.message}`)));
    child.on('close', (code) => {
      if (code === 0) done();
      else failed(new BuildError(`\`${[command, ...args].join(' ')}\` ended with ${code}:\n${tail.trim()}`));
    });
  });
}

/**
 * Brings everything up to date. Resolves to the names of the parts that were built; throws a BuildError. When
 * `signal` is aborted, what runs is ended.
 */
export async function build(signal) {
  const tooOld = nodeComplaint();
  if (tooOld) throw new BuildError(tooOld);
  const built = [];
  let toolsChecked = false;
  for (const part of PARTS) {
    if (isFresh(part)) continue;
    if (part.needsTools && !toolsChecked) {
      const missing = toolComplaints();
      if (missing.length > 0) throw new BuildError(missing.join('\n'));
      toolsChecked = true;
    }
    const step = progress(part.name, part.doing);
    try {
      await run(part.command, signal);
    } catch (error) {
      step.fail('failed');
      throw error;
    }
    mkdirSync(join(stampPath(part), '..'), { recursive: true });
    writeFileSync(stampPath(part), fingerprint(part));
    built.push(part.name);
    step.end('ready');
  }
  return built;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  build().catch((error) => {
    complain(
      'build',
      error instanceof BuildError ? error.message : (storageAdvice(error) ?? error.stack ?? String(error)),
    );
    process.exitCode = 1;
  });
}
