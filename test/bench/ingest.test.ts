/** The benchmark of ingest in small: that every figure is there, not how large it is. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
// @ts-expect-error: a plain script without types
import { plainRate } from './ingest-machine.mjs';

const RATES = [
  'plain',
  'ingest_calm',
  'ingest_reviewed',
  'ingest_all_suspect',
  'ingest_suspect_records',
  'overload_saturation',
];
const OTHERS = [
  'suspect_of_calm',
  'ack_p50_ms',
  'ack_p99_ms',
  'overload_goodput',
  'overload_live_p99_ms',
  'rss_mb',
];

it('bench:ingest measures a collector that acknowledges all that it is sent, also when that is too much', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'lineheron-bench-ingest-'));
  try {
    const file = join(folder, 'figures.json');
    const script = join(import.meta.dirname, 'ingest.mjs');
    const small = ['--rounds', '1', '--seconds', '1', '--gateways', '3', '--fleet', '5'];
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
    // 1: a goal is missed, as it may be on a busy machine.
    expect([0, 1], said).toContain(code);
    const entries = JSON.parse(await readFile(file, 'utf8')) as { name: string; value: number }[];
    const figures = Object.fromEntries(entries.map(({ name, value }) => [name, value]));
    for (const name of [...RATES, ...OTHERS]) expect(figures[name], `${name}\n${said}`).toBeGreaterThan(0);
    expect(figures.overload_dropped).toBe(0);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}, 120_000);

it('the plain loop can be run again and again, and leaves nothing behind', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'lineheron-bench-plain-'));
  try {
    for (let round = 0; round < 2; round++) expect(plainRate(folder, 0.05)).toBeGreaterThan(0);
    expect(await readdir(folder)).toEqual([]);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
