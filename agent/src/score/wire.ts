/** The engine's results in the words of the wire: pure, one window or record at a time. */
import {
  DEFAULT_CHANNELS,
  type DetectorName,
  edgeThresholdRatio,
  type LineRecord,
  type NormalIf,
  type Reason,
  type ScoredWindow,
  type WindowState,
} from '@lineheron/models';
import type {
  NormalIf as Change,
  ChannelDefinition,
  Reason as EngineReason,
  RecordResult,
  WindowResult,
} from '@lineheron/native';

/** More digits than the models look at, and half the bytes. */
const SIGNIFICANT_DIGITS = 8;

/** 10⁰ to 10²²: the powers of ten that a double holds exactly. */
const POWERS_OF_TEN = Array.from({ length: 23 }, (_, exponent) => Number(`1e${exponent}`));

/**
 * Rounded to significant digits. Through a text (`toPrecision`) this was a sixth of the time that a line takes: as whole
 * number over an exact power of ten, the quotient is the double nearest to the decimal, as the text would have given.
 */
function shortened(value: number | null): number | null {
  if (value === null || !Number.isFinite(value)) return null;
  if (Number.isInteger(value)) return value;
  const power = POWERS_OF_TEN[SIGNIFICANT_DIGITS - 1 - Math.floor(Math.log10(Math.abs(value)))];
  if (power === undefined) return Number(value.toPrecision(SIGNIFICANT_DIGITS));
  return Math.round(value * power) / power;
}

function truth(isAnomaly: boolean | null | undefined, type: string | null | undefined) {
  return {
    ...(typeof isAnomaly === 'boolean' ? { is_anomaly: isAnomaly } : {}),
    ...(typeof type === 'string' ? { anomaly_type: type.slice(0, 64) } : {}),
  };
}

export function isoTime(ms: number): string {
  return new Date(ms).toISOString();
}

/** The edge's detectors that found the window suspect, heard or not. */
function detectorsOf({ forestSuspect, baseline }: WindowResult): DetectorName[] {
  const found: DetectorName[] = [];
  if (forestSuspect) found.push('isolation_forest');
  if (baseline?.suspect) found.push('adaptive_baseline');
  return found;
}

/** How far a suspect window is over its threshold, to the detector that finds it furthest over. */
export function thresholdRatioOf(window: WindowResult): number {
  const { score = null, threshold = null, suspect, baseline } = window;
  return edgeThresholdRatio({ detectors: detectorsOf(window), suspect, score, threshold, baseline });
}

function baselineOf(window: WindowResult): Pick<ScoredWindow, 'baseline' | 'detectors'> {
  const { baseline } = window;
  const strangeness = shortened(baseline?.strangeness ?? null);
  const told = baseline && {
    nats: shortened(Math.max(0, baseline.nats)) ?? 0,
    threshold: shortened(baseline.threshold) ?? 0,
    ...(strangeness === null ? {} : { strangeness }),
  };
  return { baseline: told, detectors: detectorsOf(window) };
}

/** What would have made a window normal, to each of the edge's detectors that found it. */
export function wireNormalIf(forest: Change | null, baseline: Change | null): NormalIf[] {
  const asked = [
    ['isolation_forest', forest],
    ['adaptive_baseline', baseline],
  ] as const;
  return asked.flatMap(([detector, change]) => {
    if (change === null) return [];
    const { feature, unit, value, below, seconds } = change;
    const side = below ? ('below' as const) : ('above' as const);
    return [{ detector, feature, unit, value, side, ...(seconds === null ? {} : { seconds }) }];
  });
}

function wireReason({ feature, unit, observed, median, p5, p95, share, event }: EngineReason): Reason {
  return {
    feature,
    unit,
    observed: shortened(observed),
    median: shortened(median),
    p5: shortened(p5),
    p95: shortened(p95),
    share: Math.max(-1, Math.min(1, share)),
    ...(event ? { event: wireEvent(event) } : {}),
  };
}

const wireEvent = ({ name, seconds, perDay, knownSeconds }: NonNullable<EngineReason['event']>) => ({
  name,
  seconds: shortened(seconds) ?? 0,
  per_day: shortened(perDay) ?? 0,
  known_seconds: shortened(knownSeconds) ?? 0,
});

/** Of a window as JSON: numbers have at most 24 characters, and a reason and what would be normal as many of them. */
const NUMBER_BYTES = 25;
const WINDOW_BYTES = 1_400;
const REASON_BYTES = 800;
const NORMAL_IF_BYTES = 300;

/** No wire form of these windows is larger, in bytes of JSON: names may hold characters of up to six bytes. */
export function mostBytesOf(windows: readonly WindowResult[]): number {
  let most = 0;
  for (const window of windows) most += mostBytesOfOne(window);
  return most;
}

function mostBytesOfOne({ device, features, reasons }: WindowResult): number {
  const names = reasons.reduce((sum, { feature, unit }) => sum + feature.length + unit.length, device.length);
  const telling = reasons.length * REASON_BYTES + 4 * NORMAL_IF_BYTES;
  return WINDOW_BYTES + features.length * NUMBER_BYTES + telling + 12 * names;
}

/** `record` is the index of its record in the batch, `normalIf` what would have made it normal, where that is told. */
export function wireWindow(
  window: WindowResult,
  record: number | undefined,
  episode: string | null,
  normalIf: NormalIf[] | undefined,
): ScoredWindow {
  return {
    scope: window.scope === 'gateway' ? 'gateway' : 'device',
    device: window.device,
    end: isoTime(window.endMs),
    records: window.records,
    state: window.state as WindowState,
    score: window.score ?? null,
    threshold: window.threshold ?? null,
    suspect: window.suspect,
    ...baselineOf(window),
    features: window.features.map(shortened),
    reasons: window.reasons.map(wireReason),
    episode,
    ...truth(window.isAnomaly, window.anomalyType),
    ...(record === undefined ? {} : { record }),
    ...(normalIf === undefined ? {} : { normal_if: normalIf }),
  };
}

type DefaultField = (typeof DEFAULT_CHANNELS)[number]['name'];

export function wireRecord(result: RecordResult, channels: readonly ChannelDefinition[]): LineRecord {
  const fields: Partial<Record<DefaultField, number>> = {};
  DEFAULT_CHANNELS.forEach(({ name }, index) => {
    const value = result.values[index];
    if (typeof value === 'number') fields[name] = value;
  });
  const declared = channels.slice(DEFAULT_CHANNELS.length).flatMap(({ name }, index) => {
    const value = result.values[DEFAULT_CHANNELS.length + index];
    return typeof value === 'number' ? [[name, value] as const] : [];
  });
  return {
    timestamp: isoTime(result.timestampMs),
    device_id: result.device,
    ...fields,
    ...(typeof result.errorCode === 'string' ? { error_code: result.errorCode } : {}),
    ...(declared.length > 0 ? { channels: Object.fromEntries(declared) } : {}),
    ...truth(result.isAnomaly, result.anomalyType),
    suspect: result.suspect,
  };
}
