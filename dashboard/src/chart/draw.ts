/** What uPlot has no series for: bands behind the lines, and a reference line across. Draws on the chart's canvas. */
import type uPlot from 'uplot';
import type { Band } from './band.js';
import type { ChartPalette } from './palette.js';

/** A band is never thinner than this, so that one suspect window can be seen. CSS pixels. */
const MIN_BAND_PX = 2;
const TRUTH_STRIP_PX = 4;

/** Alerts fill the height under a line on top; ground truth is a strip at the foot: they differ by shape. */
export function drawBands(chart: uPlot, bands: readonly Band[], palette: ChartPalette): void {
  const { ctx, bbox } = chart;
  const scale = window.devicePixelRatio || 1;
  ctx.save();
  ctx.beginPath();
  ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
  ctx.clip();
  for (const band of bands) {
    const left = chart.valToPos(band.from, 'x', true);
    const width = Math.max(MIN_BAND_PX * scale, chart.valToPos(band.to, 'x', true) - left);
    if (band.kind === 'alert') {
      ctx.fillStyle = palette.alert;
      ctx.fillRect(left, bbox.top, width, bbox.height);
      ctx.fillStyle = palette.alertEdge;
      ctx.fillRect(left, bbox.top, width, 2 * scale);
    } else {
      ctx.fillStyle = palette.truth;
      const height = TRUTH_STRIP_PX * scale;
      ctx.fillRect(left, bbox.top + bbox.height - height, width, height);
    }
  }
  ctx.restore();
}

export function drawReference(
  chart: uPlot,
  reference: { readonly value: number; readonly label: string },
  palette: ChartPalette,
): void {
  const { ctx, bbox } = chart;
  const scale = window.devicePixelRatio || 1;
  const y = Math.round(chart.valToPos(reference.value, 'y', true)) + 0.5;
  if (y < bbox.top || y > bbox.top + bbox.height) return;
  ctx.save();
  ctx.strokeStyle = palette.threshold;
  ctx.lineWidth = scale;
  ctx.setLineDash([4 * scale, 4 * scale]);
  ctx.beginPath();
  ctx.moveTo(bbox.left, y);
  ctx.lineTo(bbox.left + bbox.width, y);
  ctx.stroke();
  ctx.font = `${11 * scale}px ${palette.font}`;
  ctx.fillStyle = palette.threshold;
  ctx.textAlign = 'left';
  ctx.textBaseline = 'bottom';
  ctx.fillText(reference.label, bbox.left + 6 * scale, y - 2 * scale);
  ctx.restore();
}
