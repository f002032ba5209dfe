/** A benchmark's smoke run: the script in a process of its own, and the figures that it wrote. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

interface BenchRun {
  code: number;
  /** All output, for the message of a failed expectation. */
  said: string;
  /** Value by name; empty when nothing was written. */
  figures: Readonly<Record<string, number>>;
}

export async function runBench(script: string, args: readonly string[]): Promise<BenchRun> {
  const folder = await mkdtemp(join(tmpdir(), 'lineheron-bench-'));
  try {
    const file = join(folder, 'figures.json');
    const path = join(import.meta.dirname, '..', 'bench', script);
    const child = spawn(process.execPath, [path, ...args, '--json', file], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let said = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text) => {
        said += text;
      });
    }
    const [code] = (await once(child, 'close')) as [number];
    const written = await readFile(file, 'utf8').catch(() => '[]');
    const entries = JSON.parse(written) as { name: string; value: number }[];
    return { code, said, figures: Object.fromEntries(entries.map(({ name, value }) => [name, value])) };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
