/** The benchmark of viewers in small: that every figure is there, and that those who read are served. */
import { expect, it } from 'vitest';
import { runBench } from '../support/bench.js';

it('bench:viewers serves those who read, whoever else does not, and takes all that comes meanwhile', async () => {
  const { code, said, figures } = await runBench('viewers.mjs', [
    '--clients',
    '20',
    '--frozen',
    '4',
    '--rate',
    '60',
    '--seconds',
    '4',
  ]);
  expect(code, said).toBe(0);
  expect(figures.viewers_alive).toBe(16);
  expect(figures.viewers_received).toBeGreaterThan(16);
  expect(figures.viewers_ingest_rate).toBeGreaterThan(10);
  for (const name of ['viewers_p99_ms', 'viewers_ingest_ratio'])
    expect(figures[name], said).toBeGreaterThan(0);
  for (const name of ['viewers_growth_mb', 'frozen_dropped', 'main_thread_reconnecting']) {
    expect(figures[name], said).toEqual(expect.any(Number));
  }
}, 120_000);
