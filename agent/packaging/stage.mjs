/**
 * Lays out what a gateway needs to run the agent: the program bundled into a few files, and the native addon. Bundled,
 * because hundreds of small modules cost 13 MB of memory and most of the start. The workspaces must be built.
 */
import { copyFileSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';

export const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** Stays a package of its own: it finds its library beside itself. */
const NATIVE = '@lineheron/native';
const LICENCE = /^(licen[cs]e|copying|notice)(\.|$)/i;

const manifestOf = (folder) => JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));

/** The folders of the packages that ended in the bundle, by name. */
function packagesOf(chunks) {
  const found = new Map();
  for (const module of chunks.flatMap(({ moduleIds = [] }) => moduleIds)) {
    const match = /^(.*\/node_modules\/((?:@[^/]+\/)?[^/]+))\//.exec(module);
    if (match) found.set(match[2], match[1]);
  }
  return new Map([...found].sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** Every bundled package's licence in one file, as the licences ask. */
function licences(packages) {
  return [...packages].map(([name, folder]) => {
    const { version, license } = manifestOf(folder);
    const files = readdirSync(folder).filter((file) => LICENCE.test(file));
    const text = files.map((file) => readFileSync(join(folder, file), 'utf8').trim()).join('\n\n');
    return `${name} ${version} (${typeof license === 'string' ? license : 'see below'})\n\n${text}\n`;
  });
}

function copyNative(target) {
  const source = join(ROOT, 'native');
  mkdirSync(target, { recursive: true });
  const names = readdirSync(source).filter((name) => name.endsWith('.node') || name === 'index.js');
  if (!names.some((name) => name.endsWith('.node')))
    throw new Error('the native addon is not built: npm run build');
  for (const name of [...names, 'package.json']) copyFileSync(join(source, name), join(target, name));
}

/** Writes the agent to `target` and returns the names of the packages that went into it. */
export async function stage(target) {
  rmSync(target, { recursive: true, force: true });
  const dist = join(target, 'dist');
  const bundle = await rolldown({
    input: join(ROOT, 'agent', 'dist', 'main.js'),
    platform: 'node',
    external: [NATIVE],
    logLevel: 'warn',
  });
  const { output } = await bundle.write({ dir: dist, format: 'esm', minify: true });
  await bundle.close();
  const packages = packagesOf(output);
  copyNative(join(target, 'node_modules', NATIVE));
  const { name, version, license, type, bin, engines } = manifestOf(join(ROOT, 'agent'));
  const manifest = { name, version, private: true, license, type, bin, engines };
  writeFileSync(join(target, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`);
  writeFileSync(join(target, 'THIRD-PARTY-LICENCES'), licences(packages).join(`\n${'-'.repeat(80)}\n\n`));
  return [...packages.keys()];
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
