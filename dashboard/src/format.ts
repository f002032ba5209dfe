/** Numbers, times and names as people read them. Pure; a value that is not known is a dash. */
import type { ActiveModel, TrainedModel } from '@lineheron/models';

export const UNKNOWN = '–';

const MODEL_NAMES: Readonly<Record<ActiveModel, string>> = {
  isolation_forest: 'Isolation forest',
  adaptive_baseline: 'Adaptive baseline',
  autoencoder: 'Autoencoder',
  ensemble: 'Ensemble',
};

export function modelName(model: ActiveModel | TrainedModel): string {
  return MODEL_NAMES[model];
}

export function count(value: number | null): string {
  if (value === null) return UNKNOWN;
  return Math.round(value).toLocaleString('en-US');
}

/** Whole up to 99,999, then `123k`, `4.56M`: a tile never outgrows its place. */
export function compactCount(value: number | null): string {
  if (value === null) return UNKNOWN;
  if (value < 100_000) return count(value);
  if (value < 1_000_000) return `${Math.floor(value / 1000)}k`;
  return `${(value / 1_000_000).toFixed(value < 10_000_000 ? 2 : 1)}M`;
}

/** Three significant digits at most, no exponent: `1,240`, `31.4`, `0.05`, `0.0001`. */
export function figure(value: number | null): string {
  if (value === null || !Number.isFinite(value)) return UNKNOWN;
  const size = Math.abs(value);
  // A small threshold must not read as 0.
  if (size >= 1e-6 && size < 0.005) return value.toLocaleString('en-US', { maximumSignificantDigits: 2 });
  const digits = size >= 100 ? 0 : size >= 10 ? 1 : 2;
  return value.toLocaleString('en-US', { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

export function withUnit(value: number | null, unit: string): string {
  const text = figure(value);
  return unit === '' || text === UNKNOWN ? text : `${text}\u00a0${unit}`;
}

/** A share 0–1 as percent. */
export function percent(share: number | null): string {
  if (share === null) return UNKNOWN;
  const value = share * 100;
  return `${value.toFixed(value >= 10 || value === 0 ? 0 : value >= 1 ? 1 : 2)}\u00a0%`;
}

/** A ratio 0–1 with two decimals, as precision and recall are told. */
export function ratio(value: number | null): string {
  return value === null ? UNKNOWN : value.toFixed(2);
}

export function bytes(value: number | null): string {
  if (value === null) return UNKNOWN;
  if (value < 1000) return `${value}\u00a0B`;
  if (value < 1_000_000) return `${figure(value / 1000)}\u00a0kB`;
  return `${figure(value / 1_000_000)}\u00a0MB`;
}

export function microseconds(value: number | null): string {
  if (value === null) return UNKNOWN;
  return value < 1000 ? withUnit(value, 'µs') : withUnit(value / 1000, 'ms');
}

/** `34 s`, `2 min 5 s`, `3 h 12 min`, `4 d 2 h`. Negative counts as nothing. */
export function duration(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  if (seconds < 60) return `${seconds}\u00a0s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes}\u00a0min ${seconds % 60}\u00a0s`;
  const hours = Math.floor(minutes / 60);
  if (hours < 24) return `${hours}\u00a0h ${minutes % 60}\u00a0min`;
  return `${Math.floor(hours / 24)}\u00a0d ${hours % 24}\u00a0h`;
}

/** As people say it: `40 s`, `12 min`, `3 h`, `4 d`. Negative counts as nothing. */
export function roughly(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 60) return `${seconds}\u00a0s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 60) return `${minutes}\u00a0min`;
  return minutes < 48 * 60 ? `${Math.round(minutes / 60)}\u00a0h` : `${Math.round(minutes / 1440)}\u00a0d`;
}

const two = (value: number) => String(value).padStart(2, '0');

/** Local time of day, with seconds. */
export function clock(time: string | number): string {
  const date = new Date(time);
  if (Number.isNaN(date.getTime())) return UNKNOWN;
  return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
}

/** The time of day, and the date before it when that is not `now`'s. */
export function dateClock(time: string, nowMs: number): string {
  const date = new Date(time);
  if (Number.isNaN(date.getTime())) return UNKNOWN;
  if (date.toDateString() === new Date(nowMs).toDateString()) return clock(time);
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())} ${clock(time)}`;
}

/** Hours and minutes, and the date before them when it is not `now`'s. */
export function minuteClock(timeMs: number, nowMs: number): string {
  if (!Number.isFinite(timeMs)) return UNKNOWN;
  return dateClock(new Date(timeMs).toISOString(), nowMs).slice(0, -3);
}

export function plural(amount: number, one: string, many = `${one}s`): string {
  return `${count(amount)} ${amount === 1 ? one : many}`;
}

/** `latency_spike` → `latency spike`. */
export function words(name: string): string {
  return name.replaceAll('_', ' ');
}

/** How rare a normal record as strange as this is, from −ln of its probability: `1 in 440,000`; beyond a billion nobody counts. */
export function odds(nats: number | null): string {
  if (nats === null || !Number.isFinite(nats)) return UNKNOWN;
  const times = Math.exp(Math.max(0, nats));
  if (times > 1e9) return 'less than 1 in a billion';
  if (times >= 1e6) return `1 in ${rounded(times / 1e6)} million`;
  return `1 in ${count(rounded(times))}`;
}

/** Two significant digits: more would claim more than such a figure knows. */
function rounded(value: number): number {
  return Number(value.toPrecision(2));
}
