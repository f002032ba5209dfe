/** One device's scores over time as inline SVG: the line, the threshold, and a band for every alert. Pure. */
import type { ReplayAlert } from './result.js';

const WIDTH = 860;
const HEIGHT = 120;
const LEFT = 34;
const BOTTOM = 18;

export interface Chart {
  points: readonly { timeMs: number; score: number }[];
  alerts: readonly ReplayAlert[];
  threshold: number | null;
  fromMs: number;
  toMs: number;
  /** What it shows, for those who do not see it. */
  title: string;
}

export function escaped(text: string): string {
  const named: Readonly<Record<string, string>> = {
    '&': '&amp;',
    '<': '&lt;',
    '>': '&gt;',
    '"': '&quot;',
    "'": '&#39;',
  };
  return text.replaceAll(/[&<>"']/g, (sign) => named[sign]!);
}

const short = (value: number) => Number(value.toFixed(1));

export function chartSvg({ points, alerts, threshold, fromMs, toMs, title }: Chart): string {
  const span = Math.max(1, toMs - fromMs);
  const x = (ms: number) => short(LEFT + ((ms - fromMs) / span) * (WIDTH - LEFT - 4));
  const y = (score: number) => short(4 + (1 - score) * (HEIGHT - BOTTOM - 4));
  const bands = alerts.map((alert) => {
    const from = x(Date.parse(alert.opened));
    const width = Math.max(2, short(x(Date.parse(alert.last_suspect)) - from));
    const text = escaped(`${alert.opened}: ${alert.summary}`);
    return `<rect class="alert" x="${from}" y="4" width="${width}" height="${HEIGHT - BOTTOM - 4}"><title>${text}</title></rect>`;
  });
  const line = points
    .map(({ timeMs, score }, index) => `${index === 0 ? 'M' : 'L'}${x(timeMs)} ${y(score)}`)
    .join('');
  const level =
    threshold === null
      ? ''
      : `<line class="threshold" x1="${LEFT}" x2="${WIDTH - 4}" y1="${y(threshold)}" y2="${y(threshold)}"/>`;
  const marks = [0, 0.5, 1].map(
    (score) => `<text x="${LEFT - 6}" y="${y(score) + 4}" text-anchor="end">${score}</text>`,
  );
  const times = [fromMs, toMs].map(
    (ms, index) =>
      `<text x="${index === 0 ? LEFT : WIDTH - 4}" y="${HEIGHT - 4}" text-anchor="${index === 0 ? 'start' : 'end'}">${new Date(ms).toISOString().slice(0, 19).replace('T', ' ')}</text>`,
  );
  return `<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${escaped(title)}">${bands.join('')}${level}<path class="score" d="${line}"/>${marks.join('')}${times.join('')}</svg>`;
}
