/** A replay's result for people, as plain text. Pure. */
import type { DetectorName } from '@lineheron/models';
import { lateReason } from '../late-reasons.js';
import { thresholdText } from '../score/forest-threshold.js';
import type { ReplayAlert, ReplayResult, ReplayVariant } from './result.js';
import { shared } from './result.js';

const MAX_DEVICES = 20;

const count = (number: number, one: string, many = `${one}s`) =>
  `${number.toLocaleString('en-US')} ${number === 1 ? one : many}`;

const clock = (iso: string) => iso.replace('T', ' ').replace(/(\.\d+)?Z$/, '');

function duration(seconds: number): string {
  if (seconds < 90) return `${Math.round(seconds)} s`;
  return seconds < 5400 ? `${Math.round(seconds / 60)} min` : `${(seconds / 3600).toFixed(1)} h`;
}

type Peaks = Pick<ReplayAlert, 'peak_score' | 'peak_nats'>;

/** What each detector said at most, where it said anything. */
const PEAKS: Partial<Record<DetectorName, (peaks: Peaks) => string | null>> = {
  isolation_forest: ({ peak_score }) => (peak_score === null ? null : `score ${peak_score.toFixed(3)}`),
  adaptive_baseline: ({ peak_nats }) => (peak_nats === null ? null : `${peak_nats.toFixed(1)} nats`),
};

function peaks(peak: Peaks): string {
  return Object.values(PEAKS)
    .flatMap((text) => text(peak) ?? [])
    .join(', ');
}

function foundBy(alert: ReplayAlert): string {
  return alert.detectors.map((name) => `${name} (${PEAKS[name]?.(alert) ?? ''})`).join(' and ');
}

function alertLine(alert: ReplayAlert, mark: string): string {
  const end = alert.closed === null ? ', still open at the end' : '';
  const what = alert.kind === 'silence' ? 'silence' : `by ${foundBy(alert)}`;
  return `${mark} ${clock(alert.opened)}  ${duration(alert.duration_seconds)}${end}, ${what}\n     ${alert.summary}`;
}

function lateNotes({ late, late_kinds }: ReplayResult['input']): string[] {
  if (late === 0) return [];
  const kinds = Object.entries(late_kinds).map(([kind, number]) => {
    const { what, todo } = lateReason(kind);
    return `${number}: ${what} → ${todo}`;
  });
  return [`${late} too late for their window (${kinds.join('; ')})`];
}

const ORDERS: Record<string, string> = {
  turned_round: 'goes back in time (newest first): read turned round',
  sorted: 'is in no order of time: read in the order of its times',
  too_large_to_turn: 'goes back in time and is too large to be put in order here: turn it round (tac)',
};

function orderNotes({ orders, files_reordered, clock_resets }: ReplayResult['input']): string[] {
  return [
    ...Object.entries(orders).map(([file, order]) => `${file} ${ORDERS[order]}`),
    ...(files_reordered ? ['the files were named newest first: read oldest first'] : []),
    ...(clock_resets > 0
      ? [`${count(clock_resets, 'time')} the clock of a device was set back and its window began anew`]
      : []),
  ];
}

function inputLines({ input, window_size_seconds }: ReplayResult): string[] {
  const notes = [
    ...Object.entries(input.refused).map(([reason, number]) => `${number} refused: ${reason}`),
    ...(input.too_long > 0 ? [`${input.too_long} too long`] : []),
    ...lateNotes(input),
    ...(input.ahead > 0 ? [`${input.ahead} further ahead than the file was written (--as-of helps)`] : []),
  ];
  return [
    `${input.files.join(', ')}: ${count(input.lines, 'line')}, ${count(input.records, 'record')} of ${count(input.devices, 'device')}, windows of ${window_size_seconds} s`,
    ...(input.from && input.to ? [`from ${clock(input.from)} to ${clock(input.to)} UTC`] : []),
    ...orderNotes(input),
    ...(notes.length > 0 ? [`not counted in: ${notes.join(', ')}`] : []),
  ];
}

function variantLines(variant: ReplayVariant, marks: (alert: ReplayAlert) => string): string[] {
  const models = variant.models.map(
    ({ scope, rows, threshold, cannot_alert, release }) =>
      `${scope} forest of ${count(rows, 'window')}, ${thresholdText(threshold, cannot_alert)}${release === null ? '' : `, release ${release}`}`,
  );
  const rate = variant.alerts_per_device_day;
  const silences = variant.alerts.filter(({ kind }) => kind === 'silence').length;
  const devices = variant.devices.filter(({ alerts }) => alerts > 0).sort((a, b) => b.alerts - a.alerts);
  return [
    '',
    `== ${variant.name}`,
    `${variant.detector} is heard, ${count(variant.budget, 'false alert')} allowed a device and day`,
    ...(models.length > 0 ? models : ['no forest: too few windows to train on, the adaptive baseline alone']),
    ...(variant.trained_until ? [`trained on what was before ${clock(variant.trained_until)} UTC`] : []),
    `${count(variant.scored, 'window')} scored, ${count(variant.suspect, 'suspect')}, ${count(variant.alerts.length - silences, 'alert')}${silences > 0 ? ` and ${count(silences, 'silence')}` : ''}${rate === null ? '' : ` (${rate.toPrecision(3)} per device and day)`}`,
    ...(devices.length > 1
      ? devices
          .slice(0, MAX_DEVICES)
          .map(
            ({ device, alerts, ...peak }) =>
              `  ${device}: ${count(alerts, 'alert')}${peaks(peak) === '' ? '' : `, at most ${peaks(peak)}`}`,
          )
      : []),
    ...(devices.length > MAX_DEVICES ? [`  and ${count(devices.length - MAX_DEVICES, 'device')} more`] : []),
    '',
    ...variant.alerts.map((alert) => alertLine(alert, marks(alert))),
  ];
}

/** What would have alerted. With two variants `=` marks what both say, `*` what one says alone. */
export function replayText(result: ReplayResult): string {
  const [a, b] = result.variants;
  const both = a && b ? [shared(a.alerts, b.alerts), shared(b.alerts, a.alerts)] : null;
  const lines = [
    ...inputLines(result),
    ...result.variants.flatMap((variant, index) =>
      variantLines(variant, (alert) => (both ? (both[index]!.has(alert) ? '=' : '*') : '!')),
    ),
  ];
  if (result.comparison && a && b) {
    const { both: same, only } = result.comparison;
    lines.push('', `both: ${same}, only ${a.name}: ${only[0]}, only ${b.name}: ${only[1]}`);
  }
  return `${lines.join('\n')}\n`;
}
