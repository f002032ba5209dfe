import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';

const BENCH = fileURLToPath(new URL('./quality.mjs', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'lineheron-bench-'));

afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('bench:quality', () => {
  it('puts ours beside the peers of a family, and skips by name what is not there', () => {
    mkdirSync(join(folder, 'adbench'));
    const rows = Array.from(
      { length: 100 },
      (_, row) => `${row},${row % 50 === 9 ? 90 : row % 7},${row % 50 === 9 ? 1 : 0}`,
    );
    writeFileSync(join(folder, 'adbench', 'a.csv'), `timestamp,x,label\n${rows.join('\n')}\n`);
    writeFileSync(
      join(folder, 'baselines.csv'),
      'method,part,set,auc_mean,ap_mean,f1_mean,er_1fad_mean,er_1faw_mean\nkNN5,dev,adbench,0.8,0.4,0.47,,\n',
    );
    const json = join(folder, 'rows.json');
    const args = [BENCH, '--data', folder, '--family', 'adbench,nab', '--json', json];
    const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
    expect(stderr).toBe('');
    expect(status).toBe(0);
    expect(stdout).toContain('kNN5 (best peer by AP)');
    expect(stdout).toContain('nab: skipped');
    const found = JSON.parse(readFileSync(json, 'utf8')) as Array<Record<string, unknown>>;
    expect(found.find(({ method }) => method === 'lineheron')).toMatchObject({
      family: 'adbench',
      ap: 1,
      event_recall_week: null,
    });
    expect(found.find(({ method }) => method === 'kNN5')).toMatchObject({ peer: true, ap: 0.4 });
  });
});
