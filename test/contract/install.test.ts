/** What an install of the agent alone brings to a gateway, read from the lock file. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

interface LockEntry {
  link?: boolean;
  resolved?: string;
  version?: string;
  dependencies?: Record<string, string>;
  optionalDependencies?: Record<string, string>;
}

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const lock = JSON.parse(readFileSync(`${ROOT}package-lock.json`, 'utf8')) as {
  packages: Record<string, LockEntry>;
};

/** Where Node would find `name` when asked from `from`: the nearest node_modules upwards. */
function locate(from: string, name: string): string | null {
  const parts = from.split('/node_modules/');
  for (let depth = parts.length; depth > 0; depth--) {
    const path = `${parts.slice(0, depth).join('/node_modules/')}/node_modules/${name}`;
    if (lock.packages[path]) return path;
  }
  const top = `node_modules/${name}`;
  return lock.packages[top] ? top : null;
}

/** Names of all packages that a production install of a workspace needs. */
function closure(workspace: string): Set<string> {
  const seen = new Set<string>();
  const queue = [workspace];
  while (queue.length > 0) {
    const path = queue.pop()!;
    if (seen.has(path)) continue;
    seen.add(path);
    const entry = lock.packages[path]!;
    if (entry.link) {
      queue.push(entry.resolved!);
      continue;
    }
    for (const name of Object.keys({ ...entry.dependencies, ...entry.optionalDependencies })) {
      const found = locate(path, name);
      if (found) queue.push(found);
    }
  }
  return new Set(
    [...seen].map((path) => path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length)),
  );
}

describe('install of the agent alone', () => {
  const packages = closure('agent');

  it('brings the MQTT client and the native engine', () => {
    expect([...packages]).toEqual(expect.arrayContaining(['mqtt', '@lineheron/native', '@lineheron/models']));
  });

  it.each([
    'onnxruntime-node',
    'hono',
    '@hono/node-server',
    'aedes',
    'better-sqlite3',
    'lit',
    'uplot',
    'vite',
  ])('does not bring %s', (name) => {
    expect(packages.has(name)).toBe(false);
    expect(closure('collector').has(name) || closure('dashboard').has(name) || name === 'vite').toBe(true);
  });
});

describe('package.json files', () => {
  it('name exact versions only', () => {
    const folders = ['', 'models/', 'native/', 'agent/', 'collector/', 'dashboard/', 'test/'];
    const loose = folders.flatMap((folder) => {
      const manifest = JSON.parse(readFileSync(`${ROOT}${folder}package.json`, 'utf8'));
      return Object.entries<string>({ ...manifest.dependencies, ...manifest.devDependencies })
        .filter(([, version]) => !/^\d+\.\d+\.\d+$/.test(version))
        .map(([name, version]) => `${folder}package.json: ${name} ${version}`);
    });
    expect(loose).toEqual([]);
  });

  it('lock file names no download address', () => {
    expect(Object.values(lock.packages).filter(({ resolved }) => resolved?.startsWith('http'))).toEqual([]);
  });
});
