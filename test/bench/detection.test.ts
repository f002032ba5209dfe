import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
// @ts-expect-error: a plain script without types
import { harderLines, LINES } from './harder-lines.mjs';

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
      '--lines',
      'base',
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

describe('lines that are less kind', () => {
  interface Line {
    latency_ms: number;
    is_anomaly: boolean;
  }
  const records = (lines: string, seconds: number): Line[] => {
    const harder = harderLines(lines, 1);
    return Array.from({ length: seconds }, (_, second) =>
      harder(
        ['a', 'b'].map((device_id) => ({
          device_id,
          latency_ms: 20,
          traffic_volume_mb: 2,
          is_anomaly: false,
        })),
        Date.UTC(2026, 0, 5, 8) + second * 1000,
      ),
    ).flat();
  };

  it("are the same for a seed, keep their labels, and are the generator's own as `base`", () => {
    for (const lines of LINES) {
      const of = records(lines, 3600 * 3);
      expect(of).toEqual(records(lines, 3600 * 3));
      expect(of.every((record) => record.latency_ms > 0 && record.is_anomaly === false)).toBe(true);
      expect(new Set(of.map(({ latency_ms }) => latency_ms)).size === 1).toBe(lines === 'base');
    }
  });

  it('move together where they are correlated, and only there at every moment', () => {
    const together = (lines: string) => {
      const of = records(lines, 600);
      return of.every((record, at) => at % 2 === 0 || record.latency_ms === of[at - 1]!.latency_ms);
    };
    expect(together('correlated')).toBe(true);
    expect(together('tails')).toBe(false);
  });
});
