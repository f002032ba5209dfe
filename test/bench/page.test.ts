/** The benchmark of the page in small: few lines, few seconds, and bytes rather than times. */
import { expect, it } from 'vitest';
import { runBench } from '../support/bench.js';

it('bench:page measures a feed whose first frame and whose stream are small, and a page that shows it', async () => {
  const { code, said, figures } = await runBench('page.mjs', [
    '--lines',
    '60',
    '--seconds',
    '3',
    '--viewers',
    '3',
  ]);
  expect(code, said).toBe(0);
  expect(figures.feed_first_frame_60).toBeGreaterThan(0.5);
  expect(figures.feed_first_frame_60).toBeLessThan(20);
  expect(figures.feed_first_frame_60).toBeLessThan(figures.feed_first_frame_plain_60! / 2);
  expect(figures.feed_rate_60).toBeLessThan(10);
  if (figures.page_rows_60 === undefined) return;
  expect(figures.page_load_60).toBeLessThan(150);
  expect(figures.page_rate_60).toBeLessThan(10);
  expect(figures.page_rows_60).toBeGreaterThan(5);
  expect(figures.page_rows_60).toBeLessThan(40);
}, 120_000);
