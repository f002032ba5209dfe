/** The benchmark of the page in small: few lines, few seconds, and bytes rather than times. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';

it('bench:page measures a feed whose first frame and whose stream are small, and a page that shows it', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'lineheron-bench-page-'));
  try {
    const file = join(folder, 'figures.json');
    const script = join(import.meta.dirname, 'page.mjs');
    const args = [script, '--lines', '60', '--seconds', '3', '--viewers', '3', '--json', file];
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] });
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
    expect(figures.feed_first_frame_60).toBeGreaterThan(0.5);
    expect(figures.feed_first_frame_60).toBeLessThan(20);
    expect(figures.feed_first_frame_60).toBeLessThan(figures.feed_first_frame_plain_60! / 2);
    expect(figures.feed_rate_60).toBeLessThan(10);
    if (figures.page_rows_60 === undefined) return;
    expect(figures.page_load_60).toBeLessThan(150);
    expect(figures.page_rate_60).toBeLessThan(10);
    expect(figures.page_rows_60).toBeGreaterThan(5);
    expect(figures.page_rows_60).toBeLessThan(40);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}, 120_000);
