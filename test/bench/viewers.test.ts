/** The benchmark of viewers in small: that every figure is there, and that those who read are served. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';

it('bench:viewers serves those who read, whoever else does not, and takes all that comes meanwhile', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'lineheron-bench-viewers-'));
  try {
    const file = join(folder, 'figures.json');
    const script = join(import.meta.dirname, 'viewers.mjs');
    const small = ['--clients', '20', '--frozen', '4', '--rate', '60', '--seconds', '4'];
    const child = spawn(process.execPath, [script, ...small, '--json', file], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let said = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text) => {
        said += text;
      });
    }
    const [code] = await once(child, 'close');
    expect(code, said).toBe(0);
    const entries = JSON.parse(await readFile(file, 'utf8')) as { name: string; value: number }[];
    const figures = Object.fromEntries(entries.map(({ name, value }) => [name, value]));
    expect(figures.viewers_alive).toBe(16);
    expect(figures.viewers_received).toBeGreaterThan(16);
    expect(figures.viewers_ingest_rate).toBeGreaterThan(10);
    for (const name of ['viewers_p99_ms', 'viewers_ingest_ratio'])
      expect(figures[name], said).toBeGreaterThan(0);
    for (const name of ['viewers_growth_mb', 'frozen_dropped', 'main_thread_reconnecting']) {
      expect(figures[name], said).toEqual(expect.any(Number));
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}, 120_000);
