/** One device's scores over time as inline SVG: a line a detector, the threshold, a band for every alert. Pure. */
import type { ReplayAlert } from './result.js';

const WIDTH = 860;
const HEIGHT = 120;
const LEFT = 34;
const BOTTOM = 18;

interface Point {
  timeMs: number;
  score: number;
}

export interface Chart {
  /** Scores, 0–1. */
  forest: readonly Point[];
  /** Parts of its threshold, 0 and up; two and more are drawn at the top. */
  baseline: readonly Point[];
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

export function chartSvg({ forest, baseline, alerts, threshold, fromMs, toMs, title }: Chart): string {
  const span = Math.max(1, toMs - fromMs);
  const x = (ms: number) => short(LEFT + ((ms - fromMs) / span) * (WIDTH - LEFT - 4));
  const y = (score: number) => short(4 + (1 - score) * (HEIGHT - BOTTOM - 4));
  const bands = alerts.map((alert) => {
    const from = x(Date.parse(alert.opened));
    const width = Math.max(2, short(x(Date.parse(alert.last_suspect)) - from));
    const text = escaped(`${alert.opened}: ${alert.summary}`);
    return `<rect class="alert" x="${from}" y="4" width="${width}" height="${HEIGHT - BOTTOM - 4}"><title>${text}</title></rect>`;
  });
  const line = (points: readonly Point[]) =>
    points.map(({ timeMs, score }, index) => `${index === 0 ? 'M' : 'L'}${x(timeMs)} ${y(score)}`).join('');
  const strange = baseline.map(({ timeMs, score }) => ({ timeMs, score: Math.min(1, score / 2) }));
  const lines = [
    ...(strange.length > 0 ? [`<path class="nats" d="${line(strange)}"/>`] : []),
    `<path class="score" d="${line(forest)}"/>`,
  ].join('');
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
  return `<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${escaped(title)}">${bands.join('')}${level}${lines}${marks.join('')}${times.join('')}</svg>`;
}
