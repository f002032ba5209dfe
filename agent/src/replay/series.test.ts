/** The bounded series keeps the highest score of every step, however long the time. */
import { expect, it } from 'vitest';
import { Series } from './series.js';

it('keeps every peak while steps become longer', () => {
  const series = new Series();
  for (let second = 0; second < 100_000; second++) series.add(second * 1000, second === 77_777 ? 0.9 : 0.4);
  const points = series.points();
  expect(points.length).toBeLessThanOrEqual(512);
  const [peak] = points.filter(({ score }) => score > 0.5);
  expect(Math.abs(peak!.timeMs - 77_777_000)).toBeLessThan(300_000);
  expect(points.every(({ timeMs }, index) => index === 0 || timeMs > points[index - 1]!.timeMs)).toBe(true);
});

it('leaves gaps where nothing was scored', () => {
  const series = new Series();
  series.add(0, 0.5);
  series.add(100_000, 0.6);
  series.add(-5_000, 0.7);
  expect(series.points().map(({ score }) => Number(score.toFixed(2)))).toEqual([0.7, 0.6]);
});
