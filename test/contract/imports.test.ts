/** The shape of the code: who may import whom. */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** What each workspace may import of ours. */
const ALLOWED: Record<string, readonly string[]> = {
  models: [],
  native: [],
  agent: [
    '@lineheron/models',
    '@lineheron/models/command-line',
    '@lineheron/models/persist',
    '@lineheron/models/suggest',
    '@lineheron/native',
  ],
  collector: [
    '@lineheron/models',
    '@lineheron/models/command-line',
    '@lineheron/models/persist',
    '@lineheron/native',
    '@lineheron/models/suggest',
  ],
  dashboard: ['@lineheron/models'],
};

function sources(folder: string): string[] {
  return readdirSync(folder).flatMap((name) => {
    const path = join(folder, name);
    if (statSync(path).isDirectory()) return name === 'node_modules' ? [] : sources(path);
    return path.endsWith('.ts') && !path.endsWith('.test.ts') && !path.endsWith('.d.ts') ? [path] : [];
  });
}

interface Import {
  specifier: string;
  typeOnly: boolean;
}

function imports(path: string): Import[] {
  const text = readFileSync(path, 'utf8');
  const pattern =
    /(?:^|\n)\s*(?:import|export)\s+(type\s)?[^'";]*?from\s*['"]([^'"]+)['"]|import\(\s*['"]([^'"]+)['"]/g;
  return [...text.matchAll(pattern)].map((match) => ({
    specifier: (match[2] ?? match[3])!,
    typeOnly: match[1] !== undefined,
  }));
}

const target = (from: string, specifier: string) => resolve(dirname(from), specifier.replace(/\.js$/, '.ts'));

/** Groups of files that import each other's values, as paths joined by arrows. */
function cycles(files: string[]): string[] {
  const edges = new Map(
    files.map((file) => [
      file,
      imports(file)
        .filter(({ specifier, typeOnly }) => specifier.startsWith('.') && !typeOnly)
        .map(({ specifier }) => target(file, specifier)),
    ]),
  );
  const found: string[] = [];
  const done = new Set<string>();
  const visit = (file: string, path: string[]) => {
    if (path.includes(file)) {
      found.push([...path.slice(path.indexOf(file)), file].map((name) => relative(ROOT, name)).join(' → '));
      return;
    }
    if (done.has(file)) return;
    for (const next of edges.get(file) ?? []) visit(next, [...path, file]);
    done.add(file);
  };
  for (const file of files) visit(file, []);
  return found;
}

describe.each(Object.keys(ALLOWED).filter((name) => name !== 'native'))('%s', (workspace) => {
  const files = sources(join(ROOT, workspace, 'src'));

  it('has sources', () => {
    expect(files.length).toBeGreaterThan(0);
  });

  it('imports of ours only what its place in the flow allows', () => {
    const wrong = files.flatMap((file) =>
      imports(file)
        .filter(
          ({ specifier }) => specifier.startsWith('@lineheron/') && !ALLOWED[workspace]!.includes(specifier),
        )
        .map(({ specifier }) => `${relative(ROOT, file)} imports ${specifier}`),
    );
    expect(wrong).toEqual([]);
  });

  it('never reaches into another workspace by path', () => {
    const inside = join(ROOT, workspace);
    const wrong = files.flatMap((file) =>
      imports(file)
        .filter(({ specifier }) => specifier.startsWith('.') && !target(file, specifier).startsWith(inside))
        .map(({ specifier }) => `${relative(ROOT, file)} imports ${specifier}`),
    );
    expect(wrong).toEqual([]);
  });

  it('has no import cycle', () => {
    expect(cycles(files)).toEqual([]);
  });
});

/** The agent's commands and what is behind them: each connects stages of its own, as the daemon's wiring does. */
const WIRING = new Set(['commands', 'doctor', 'evaluate', 'init', 'replay', 'watch']);

describe.each(['agent', 'collector'])('stages of %s', (workspace) => {
  it('never import each other: only the wiring connects them', () => {
    const src = join(ROOT, workspace, 'src');
    const stageOf = (path: string) => {
      const [stage, ...rest] = relative(src, path).split('/');
      return rest.length > 0 ? stage : null;
    };
    const wrong = sources(src).flatMap((file) =>
      imports(file)
        .filter(({ specifier, typeOnly }) => specifier.startsWith('.') && !typeOnly)
        .filter(({ specifier }) => {
          const [from, to] = [stageOf(file), stageOf(target(file, specifier))];
          return (
            from !== null && to !== null && from !== to && !(workspace === 'agent' && WIRING.has(from ?? ''))
          );
        })
        .map(({ specifier }) => `${relative(src, file)} imports ${specifier}`),
    );
    expect(wrong).toEqual([]);
  });
});

describe('models', () => {
  it('uses Node modules only behind its doors for Node', () => {
    const wrong = sources(join(ROOT, 'models', 'src')).filter(
      (file) =>
        !/\/(persist|command-line)\//.test(file) &&
        imports(file).some(({ specifier }) => specifier.startsWith('node:')),
    );
    expect(wrong).toEqual([]);
  });
});
