/** The benchmark of ingest in small: that every figure is there, not how large it is. */
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { runBench } from '../support/bench.js';
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
  const { code, said, figures } = await runBench('ingest.mjs', [
    '--rounds',
    '1',
    '--seconds',
    '1',
    '--gateways',
    '3',
    '--fleet',
    '5',
  ]);
  // 1: a goal is missed, as it may be on a busy machine.
  expect([0, 1], said).toContain(code);
  for (const name of [...RATES, ...OTHERS]) expect(figures[name], `${name}\n${said}`).toBeGreaterThan(0);
  expect(figures.overload_dropped).toBe(0);
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
