/** bench:autoencoder in small; with Python's ONNX Runtime and PyTorch only where their environment stands. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
// @ts-expect-error: a plain script without types
import { PythonEnvironment } from '../../native/bench/python.mjs';

const FOLDER = dirname(fileURLToPath(import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'lineheron-bench-'));
const peers: boolean = new PythonEnvironment(FOLDER, 'autoencoder-requirements.txt', '').ready();

interface Entry {
  name: string;
  value: number;
  unit: string;
  peer: string | null;
  peer_value: number | null;
  ratio: number | null;
}
let entries: Entry[] = [];
const named = (name: string) => entries.find((entry) => entry.name === name);

describe('bench:autoencoder, a quick run', () => {
  beforeAll(() => {
    const json = join(folder, 'rows.json');
    const args = [join(FOLDER, 'autoencoder.mjs'), '--quick', '--json', json];
    const { status, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
    expect(status, stderr).toBe(0);
    entries = JSON.parse(readFileSync(json, 'utf8'));
  }, 120_000);

  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('measures training and scoring, and writes rows of the agreed shape', () => {
    for (const entry of entries) {
      expect(Object.keys(entry)).toEqual(['name', 'value', 'unit', 'peer', 'peer_value', 'ratio']);
      expect(entry.unit).toMatch(/^(µs|windows\/s|mse|at most)$/);
      expect(entry.value).toBeGreaterThan(0);
      expect(entry.ratio === null).toBe(entry.peer === null);
    }
    const names = ['train_500', 'loss_500', 'train_500_by_default', 'score_batch_1024', 'score_one'];
    for (const name of [...names, 'review_batch_1024', 'review_one']) expect(named(name)).toBeDefined();
  });

  it.skipIf(!peers)(
    'Python’s ONNX Runtime gives our scores to 1e-5 (skipped without its environment)',
    () => {
      expect(named('onnx_score_difference')?.value).toBeLessThan(1e-5);
    },
  );

  it.skipIf(!peers)(
    'PyTorch comes to a like loss from other first weights (skipped without its environment)',
    () => {
      expect(named('loss_500')?.ratio).toBeGreaterThan(0.6);
      expect(named('loss_500')?.ratio).toBeLessThan(1.6);
    },
  );
});
