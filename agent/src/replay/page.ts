/**
 * A replay's result as one HTML page that needs nothing else: no script, no network. The devices with the most
 * alerts get a chart, at most 60; all alerts are listed, at most 5,000.
 */

import { thresholdText } from '../score/forest-threshold.js';
import { chartSvg, escaped } from './chart.js';
import type { ReplayAlert, ReplayResult, ReplayVariant } from './result.js';
import { shared } from './result.js';
import type { Variant } from './variant.js';

const MAX_CHARTS = 60;
const MAX_ROWS = 5_000;

const STYLE = `
:root { color-scheme: light dark; --ink: #1b2430; --soft: #5b6877; --paper: #fff; --line: #d8dee6; --score: #1f6feb; --nats: #1a7f37; --alert: #d1242f; --mark: #9a6700 }
@media (prefers-color-scheme: dark) { :root { --ink: #e6edf3; --soft: #9aa7b4; --paper: #11161d; --line: #2d3643; --score: #58a6ff; --nats: #3fb950; --alert: #ff7b72; --mark: #d29922 } }
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); max-width: 68rem; margin: 2rem auto; padding: 0 1rem }
h1 { font-size: 1.4rem } h2 { font-size: 1.15rem; margin-top: 2.5rem } h3 { font-size: 1rem; margin: 1.2rem 0 0.2rem }
p.note, figcaption { color: var(--soft) } figure { margin: 0 0 1rem }
svg { width: 100%; height: auto } svg text { font-size: 10px; fill: var(--soft) }
.score, .nats { fill: none; stroke: var(--score); stroke-width: 1.2 } .nats { stroke: var(--nats) } b.nats { color: var(--nats) } b.score { color: var(--score) } .threshold { stroke: var(--mark); stroke-dasharray: 5 4 }
.alert { fill: var(--alert); opacity: 0.28 }
.pair { display: grid; grid-template-columns: repeat(auto-fit, minmax(24rem, 1fr)); gap: 1rem }
table { border-collapse: collapse; width: 100% } th, td { text-align: left; padding: 0.3rem 0.6rem; border-bottom: 1px solid var(--line); vertical-align: top }
td.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap } .wide { overflow-x: auto }
`;

const time = (iso: string) => iso.slice(0, 19).replace('T', ' ');

function figures(variant: ReplayVariant): string {
  const rows: [string, string][] = [
    ['heard', variant.detector],
    ['false alerts allowed per device and day', String(variant.budget)],
    ...variant.models.map(({ scope, rows: windows, threshold, cannot_alert, origin }): [string, string] => [
      `${scope} forest`,
      `${origin === 'file' ? 'from a file' : 'trained here'}, ${windows} windows, ${thresholdText(threshold, cannot_alert)}`,
    ]),
    ['forest trained until', variant.trained_until ? time(variant.trained_until) : '–'],
    ['windows scored', String(variant.scored)],
    ['suspect', String(variant.suspect)],
    ['alerts', String(variant.alerts.length)],
    ['silences among them', String(variant.alerts.filter(({ kind }) => kind === 'silence').length)],
    ['episodes per device and day', variant.alerts_per_device_day?.toPrecision(3) ?? '–'],
  ];
  return `<table>${rows.map(([name, value]) => `<tr><th scope="row">${escaped(name)}</th><td>${escaped(value)}</td></tr>`).join('')}</table>`;
}

function alertRows(variant: ReplayVariant, also: Set<ReplayAlert> | null): string {
  const rows = variant.alerts
    .slice(0, MAX_ROWS)
    .map(
      (alert) =>
        `<tr><td class="number">${time(alert.opened)}</td><td>${escaped(alert.device)}</td><td class="number">${alert.duration_seconds.toFixed(0)} s</td><td class="number">${alert.peak_score?.toFixed(3) ?? '–'}</td><td class="number">${alert.peak_nats?.toFixed(1) ?? '–'}</td><td>${alert.kind === 'silence' ? 'silence' : alert.detectors.join('<br>')}</td>${also ? `<td>${also.has(alert) ? 'both' : 'only this'}</td>` : ''}<td>${escaped(alert.summary)}</td></tr>`,
    );
  const head = `<tr><th>time (UTC)</th><th>device</th><th>lasted</th><th>forest’s score</th><th>baseline’s nats</th><th>found by</th>${also ? '<th>said by</th>' : ''}<th>why</th></tr>`;
  const more = variant.alerts.length - rows.length;
  return `<div class="wide"><table>${head}${rows.join('')}</table></div>${more > 0 ? `<p class="note">and ${more} more</p>` : ''}`;
}

/** Devices by alerts, then by the forest's highest score, over all variants. */
function ranked(result: ReplayResult): string[] {
  const places = new Map<string, { alerts: number; peak: number }>();
  for (const { device, alerts, peak_score } of result.variants.flatMap(({ devices }) => devices)) {
    const { alerts: before, peak } = places.get(device) ?? { alerts: 0, peak: 0 };
    places.set(device, { alerts: before + alerts, peak: Math.max(peak, peak_score ?? 0) });
  }
  return [...places]
    .sort(([a, x], [b, y]) => y.alerts - x.alerts || y.peak - x.peak || (a < b ? -1 : 1))
    .map(([device]) => device);
}

function charts(result: ReplayResult, variants: readonly Variant[]): string {
  const { from, to } = result.input;
  if (!from || !to) return '';
  const devices = ranked(result);
  const figures = devices.slice(0, MAX_CHARTS).map((device) => {
    const parts = result.variants.map((variant, index) => {
      const points = variants[index]!.points(device);
      const alerts = variant.alerts.filter((alert) => alert.device === device);
      const scope = device === '*' ? 'gateway' : 'device';
      const threshold = variant.models.find((model) => model.scope === scope)?.threshold ?? null;
      const title = `Scores of ${device} by ${variant.name}: ${alerts.length} alerts`;
      const svg = chartSvg({
        forest: points.forest,
        baseline: points.baseline,
        alerts,
        threshold,
        fromMs: Date.parse(from),
        toMs: Date.parse(to),
        title,
      });
      return `<figure>${svg}${result.variants.length > 1 ? `<figcaption>${escaped(variant.name)}</figcaption>` : ''}</figure>`;
    });
    return `<h3>${device === '*' ? 'The gateway as a whole' : escaped(device)}</h3><div class="pair">${parts.join('')}</div>`;
  });
  const more = devices.length - figures.length;
  return `${figures.join('')}${more > 0 ? `<p class="note">and ${more} more with fewer alerts</p>` : ''}`;
}

/** The page. `variants` give the lines of the charts, in the order of the result's. */
export function replayPage(result: ReplayResult, variants: readonly Variant[]): string {
  const { input, comparison } = result;
  const [a, b] = result.variants;
  const also = a && b ? [shared(a.alerts, b.alerts), shared(b.alerts, a.alerts)] : null;
  const refused = Object.entries(input.refused).map(([reason, count]) => `${count} ${reason}`);
  const summary = `${input.lines} lines, ${input.records} records, ${input.devices} devices${refused.length > 0 ? `; refused: ${refused.join(', ')}` : ''}; windows of ${result.window_size_seconds} s`;
  const sections = result.variants.map(
    (variant, index) =>
      `<section><h2>${escaped(variant.name)}</h2>${figures(variant)}<h3>Alerts</h3>${alertRows(variant, also?.[index] ?? null)}</section>`,
  );
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>What would have alerted: ${escaped(input.files.join(', '))}</title><style>${STYLE}</style></head>
<body><h1>What would have alerted</h1><p>${escaped(input.files.join(', '))}<br>
${input.from ? `${time(input.from)} to ${time(input.to ?? input.from)} UTC` : ''}</p><p class="note">${escaped(summary)}</p>
${comparison && a && b ? `<p>Both: ${comparison.both}. Only ${escaped(a.name)}: ${comparison.only[0]}. Only ${escaped(b.name)}: ${comparison.only[1]}.</p>` : ''}
${sections.join('\n')}
<h2>Scores over time</h2><p class="note"><b class="score">Isolation forest</b>: its score from 0 to 1, its threshold dashed. <b class="nats">Adaptive baseline</b>:
its nats, twice its threshold and more at the top; above half height a record is suspect.</p>${charts(result, variants)}
</body></html>
`;
}
