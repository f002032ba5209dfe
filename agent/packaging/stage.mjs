/**
 * Lays out what a gateway needs to run the agent: the built program and its production packages, nothing else. Plain
 * JavaScript: it runs before anything is installed. The workspaces must be built.
 */
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** What packages carry that nothing reads at run time. Licences stay. */
const NOT_NEEDED_FOLDERS = new Set([
  'test',
  'tests',
  '__tests__',
  'docs',
  'doc',
  'example',
  'examples',
  'benchmarks',
  '.github',
]);
const NOT_NEEDED_FILES =
  /\.(map|md|markdown|ts|mts|cts|tsbuildinfo|flow)$|\.test\.js$|^test-[a-z]+\.js$|^\.(eslint|prettier|npmignore|editorconfig)/;
/** Parts of packages that only browsers and bundlers load. */
const NOT_NEEDED_PATHS = new Map([
  ['mqtt', ['dist', 'help', 'build/bin']],
  ['zod', ['src']],
  ['yaml', ['browser']],
]);

function manifestOf(folder) {
  return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
}

/** Where Node would find a package from a folder. */
function locate(name, from) {
  for (let folder = from; ; folder = dirname(folder)) {
    const candidate = join(folder, 'node_modules', name);
    if (existsSync(join(candidate, 'package.json'))) return candidate;
    if (folder === dirname(folder)) throw new Error(`${name} is not installed (needed by ${from})`);
  }
}

function copyPackage(name, source, target) {
  const left = NOT_NEEDED_PATHS.get(name) ?? [];
  cpSync(source, target, {
    recursive: true,
    dereference: true,
    filter: (path) => {
      const inside = relative(source, path);
      const base = inside.split('/').at(-1) ?? '';
      if (inside === '') return true;
      if (left.some((part) => inside === part || inside.startsWith(`${part}/`))) return false;
      if (!statSync(path).isDirectory()) return !NOT_NEEDED_FILES.test(base);
      // Further down a folder of such a name is code: yaml has its documents in dist/doc.
      return base !== 'node_modules' && !NOT_NEEDED_FOLDERS.has(inside);
    },
  });
}

/** Our own packages: what their `files` say, and the manifest. */
function copyOwn(source, target) {
  mkdirSync(target, { recursive: true });
  const { files = ['dist'] } = manifestOf(source);
  for (const name of readdirSync(source)) {
    const wanted = files.some(
      (pattern) => pattern === name || (pattern.startsWith('*') && name.endsWith(pattern.slice(1))),
    );
    if (name !== 'package.json' && (!wanted || NOT_NEEDED_FILES.test(name))) continue;
    copyPackage('', join(source, name), join(target, name));
  }
}

/**
 * Copies the agent to `target` with every package that it needs, each version once where it can be. Returns the
 * names of the packages.
 */
export function stage(target) {
  rmSync(target, { recursive: true, force: true });
  copyOwn(join(ROOT, 'agent'), target);
  const done = new Map();
  const visit = (name, from, under) => {
    const source = locate(name, from);
    const { version } = manifestOf(source);
    const known = done.get(name);
    if (known === version) return;
    // Another version of the same name lives below the package that wants it, as npm does.
    const place = join(known === undefined ? target : under, 'node_modules', name);
    if (known === undefined) done.set(name, version);
    const own = name.startsWith('@lineheron/');
    if (own) copyOwn(source, place);
    else copyPackage(name, source, place);
    const { dependencies = {} } = manifestOf(source);
    for (const inner of Object.keys(dependencies)) visit(inner, source, place);
  };
  const agent = join(ROOT, 'agent');
  for (const name of Object.keys(manifestOf(agent).dependencies)) visit(name, agent, target);
  return [...done.keys()].sort();
}

/** Bytes on disk of everything below a folder, in blocks of 4 KiB as a file system counts them. */
export function diskBytes(folder) {
  let bytes = 4096;
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    bytes += entry.isDirectory() ? diskBytes(path) : Math.ceil(statSync(path).size / 4096) * 4096;
  }
  return bytes;
}

/** The agent's version. */
export function agentVersion() {
  return manifestOf(join(ROOT, 'agent')).version;
}
