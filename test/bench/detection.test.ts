import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';

const BENCH = fileURLToPath(new URL('./detection.mjs', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'lineheron-bench-'));

afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('bench:detection, a smoke run', () => {
  it('finds three of the four faults within ten seconds of their start after 60 s of training, each after 15 min', () => {
    const json = join(folder, 'rows.json');
    const args = [
      BENCH,
      '--seeds',
      '1',
      '--hours',
      '0.05',
      '--strength',
      '1',
      '--training',
      '60,900',
      '--json',
      json,
    ];
    const { status, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
    expect(stderr).toBe('');
    expect(status).toBe(0);
    const rows = JSON.parse(readFileSync(json, 'utf8')) as Array<Record<string, unknown>>;
    const ensemble = rows.filter(({ model }) => model === 'ensemble');
    expect(ensemble.map((row) => [row.training_s, row.faults_found_within_10_s])).toEqual([
      [60, expect.toSatisfy((share: number) => share >= 0.75)],
      [900, 1],
    ]);
  });
});
