import type uPlot from 'uplot';
import { describe, expect, it } from 'vitest';
import { axisNumber, type ChartFrame, chartOptions } from './options.js';
import { DASHES, readPalette } from './palette.js';
import { powersOfTen, stepUp, valueRange } from './scale.js';
import { CHARTS, type ChartSpec } from './spec.js';

const PALETTE = readPalette({ getPropertyValue: (name: string) => ` ${name} ` });
const spec = (id: string): ChartSpec => CHARTS.find((chart) => chart.id === id)!;

function build(id: string, frame: ChartFrame = { columns: [[], []], from: 0, to: 300, bands: [] }) {
  return chartOptions({
    spec: spec(id),
    palette: PALETTE,
    names: ['a', 'b'],
    width: 400,
    height: 170,
    frame: () => frame,
    onCursor: () => undefined,
  });
}

describe('chart options', () => {
  it('name units on the axes, and say that 1 is the threshold', () => {
    expect(CHARTS.map(({ id }) => (build(id).axes![1] as uPlot.Axis).label)).toEqual([
      'ms',
      '%',
      'score (1 = threshold)',
      'score (1 = threshold)',
      'score (1 = threshold)',
    ]);
  });

  it('have one series a line, told apart by colour and by dash, never drawn over gaps', () => {
    const [, ...lines] = build('latency').series;
    expect(lines.map(({ stroke, dash, spanGaps }) => ({ stroke, dash, spanGaps }))).toEqual([
      { stroke: '--lh-series-1', dash: DASHES[0], spanGaps: false },
      { stroke: '--lh-series-2', dash: DASHES[1], spanGaps: false },
    ]);
  });

  it('move their cursors together', () => {
    const keys = CHARTS.map(({ id }) => build(id).cursor?.sync?.key);
    expect(new Set(keys).size).toBe(1);
    expect(keys[0]).toBeTruthy();
  });

  it('ask for the time range when it is drawn, so that it moves without a new chart', () => {
    const frame = { columns: [[], []] as [number[], number[]], from: 10, to: 310, bands: [] };
    const range = build('loss', frame).scales!.x!.range as () => [number, number];
    frame.from = 20;
    frame.to = 320;
    expect(range()).toEqual([20, 320]);
  });

  it('draw a threshold only where there is one', () => {
    expect(CHARTS.map(({ id }) => build(id).hooks!.draw!.length)).toEqual([0, 0, 1, 1, 1]);
  });
});

describe('the value axis', () => {
  it('stays calm while the line is calm', () => {
    expect(valueRange(spec('latency'), 8, 31)).toEqual([0, 50]);
    expect(valueRange(spec('isolation-forest'), 0.7, 1.2)).toEqual([0.6, 1.4]);
    expect(valueRange(spec('autoencoder'), 0.2, 3)).toEqual([0.1, 10]);
  });

  it('grows in steps to hold what there is', () => {
    expect(valueRange(spec('latency'), 8, 163)).toEqual([0, 200]);
    expect(valueRange(spec('autoencoder'), 0.02, 420)).toEqual([0.01, 1000]);
  });

  it('never passes what can be: loss ends at 100 %', () => {
    expect(valueRange(spec('loss'), 0, 100)).toEqual([0, 100]);
  });

  it('has an extent without data', () => {
    for (const chart of CHARTS) {
      const [from, to] = valueRange(chart, null, null);
      expect(to).toBeGreaterThan(from);
    }
  });

  it('steps up to round numbers that are not less', () => {
    expect([0, 0.9, 1, 1.2, 47, 61, 81, 1001].map(stepUp)).toEqual([0, 1, 1, 1.5, 50, 80, 100, 1500]);
  });

  it('is divided by powers of ten where it is logarithmic', () => {
    expect(powersOfTen(0.01, 100)).toEqual([0.01, 0.1, 1, 10, 100]);
  });

  it('writes numbers short', () => {
    expect([0.01, 1.4000000000000001, 200, 1500].map(axisNumber)).toEqual(['0.01', '1.4', '200', '1,500']);
  });
});
