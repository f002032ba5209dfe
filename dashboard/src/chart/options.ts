/** Spec + palette → uPlot options. Pure: what changes with the data is asked for through `frame`. */
import type uPlot from 'uplot';
import { clock, figure } from '../format.js';
import type { Band } from './band.js';
import { type Columns, isolatedPoints, type Value } from './data.js';
import { drawBands, drawReference } from './draw.js';
import { type ChartPalette, DASHES } from './palette.js';
import { powersOfTen, valueRange } from './scale.js';
import type { ChartSpec } from './spec.js';

/** What a chart shows at one moment. Times in epoch seconds. */
export interface ChartFrame {
  readonly columns: Columns;
  readonly from: number;
  readonly to: number;
  readonly bands: readonly Band[];
}

export interface OptionsInput {
  readonly spec: ChartSpec;
  readonly palette: ChartPalette;
  /** Names of the series, in the order of the columns. */
  readonly names: readonly string[];
  readonly width: number;
  readonly height: number;
  readonly frame: () => ChartFrame;
  readonly onCursor: (index: number | null) => void;
}

/** Charts with this key move their cursors together. */
const SYNC_KEY = 'lineheron';

function series({ names, palette, spec }: OptionsInput): uPlot.Series[] {
  const lines = names.map((label, index) => ({
    label,
    scale: 'y',
    stroke: palette.series[index % palette.series.length]!,
    width: 1.75,
    dash: [...DASHES[index % DASHES.length]!],
    spanGaps: false,
    points: {
      show: false,
      size: 3,
      filter: (chart: uPlot, seriesIndex: number) => isolatedPoints(chart.data[seriesIndex] as Value[]),
    },
    value: (_: uPlot, value: number | null) => `${figure(value)} ${spec.unit}`,
  }));
  return [{ label: 'time' }, ...lines];
}

function axes({ spec, palette, width }: OptionsInput): uPlot.Axis[] {
  const font = `11px ${palette.font}`;
  const common = {
    stroke: palette.text,
    font,
    ticks: { show: false },
    grid: { stroke: palette.grid, width: 1 },
    border: { show: false },
  };
  const time: uPlot.Axis = {
    ...common,
    size: 24,
    gap: 4,
    space: width < 420 ? 64 : 72,
    incrs: [10, 30, 60, 120, 300],
    values: (_, splits) => splits.map((split) => clock(split * 1000).slice(0, 5 + (split % 60 ? 3 : 0))),
  };
  const value: uPlot.Axis = {
    ...common,
    size: 46,
    gap: 4,
    space: 28,
    label: spec.axis,
    labelFont: font,
    labelSize: 18,
    labelGap: 0,
    values: (_, splits) => splits.map(axisNumber),
    ...(spec.scale === 'log'
      ? { splits: (_u: uPlot, _i: number, min: number, max: number) => powersOfTen(min, max) }
      : {}),
    ...(spec.scale === 'log' ? { filter: (_u: uPlot, splits: number[]) => splits } : {}),
  };
  return [time, value];
}

/** As short as it can be told exactly enough: `0.05`, `1.5`, `200`, `1,500`. */
export function axisNumber(value: number): string {
  return Number(value.toPrecision(4)).toLocaleString('en-US', { maximumFractionDigits: 2 });
}

export function chartOptions(input: OptionsInput): uPlot.Options {
  const { spec, palette, width, height, frame } = input;
  return {
    width,
    height,
    padding: [8, 10, 0, 0],
    legend: { show: false },
    cursor: {
      y: false,
      drag: { x: false, y: false, setScale: false },
      sync: { key: SYNC_KEY, setSeries: false },
      points: { size: 7 },
      focus: { prox: -1 },
    },
    scales: {
      x: { time: true, range: () => [frame().from, frame().to] },
      y: {
        distr: spec.scale === 'log' ? 3 : 1,
        range: (_, least, most) => valueRange(spec, least, most),
      },
    },
    series: series(input),
    axes: axes(input),
    hooks: {
      drawClear: [(chart) => drawBands(chart, frame().bands, palette)],
      draw: spec.reference ? [(chart) => drawReference(chart, spec.reference!, palette)] : [],
      setCursor: [(chart) => input.onCursor(chart.cursor.idx ?? null)],
    },
  };
}
