/** The peer benchmark in small: every figure is measured, and the file has the agreed shape. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const RUN = fileURLToPath(new URL('../bench/run.mjs', import.meta.url));
const NAMES = [
  'score_row',
  'score_batch',
  'score_batch_2_threads',
  'fit_1e4',
  'fit_1e6',
  'lines_scored',
  'reasons',
  'window_bytes',
  'window_bytes_with_baseline',
];

interface Entry {
  name: string;
  value: number | null;
  unit: string;
  peer: string | null;
  peer_value: number | null;
  ratio: number | null;
}

it('a quick run of the peer benchmark measures every figure and writes them as JSON', () => {
  const folder = mkdtempSync(join(tmpdir(), 'lineheron-bench-test-'));
  try {
    const file = join(folder, 'figures.json');
    const { status, stdout, stderr } = spawnSync(process.execPath, [RUN, '--quick', '--json', file], {
      encoding: 'utf8',
    });
    expect(status, stderr).toBe(0);
    expect(stdout).toContain('| figure');
    const entries: Entry[] = JSON.parse(readFileSync(file, 'utf8'));
    expect([...new Set(entries.map(({ name }) => name))].sort()).toEqual([...NAMES].sort());
    for (const entry of entries) {
      expect(Object.keys(entry)).toEqual(['name', 'value', 'unit', 'peer', 'peer_value', 'ratio']);
      expect(entry.unit).toMatch(/^(µs|rows\/s|lines\/s|bytes)$/);
      expect(entry.value).toBeGreaterThan(0);
      expect(entry.ratio === null).toBe(entry.peer === null);
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}, 120_000);
