/**
 * One open alert as it grows: pure steps from (alert, window) to the next alert. Verdict and severity follow from who
 * opened it, which detectors found it, and whether the autoencoder looked.
 */
import {
  type ActiveModel,
  type Alert,
  alertSentence,
  DETECTORS,
  type DetectorName,
  EPISODE_QUIET_MS,
  type NormalIf,
  quietLimitMs,
  type Reason,
  type Scope,
} from '@lineheron/models';
import { autoencoderOpens } from './opinion.js';

/** What the incident stage reads of a window. */
export interface ReviewedWindow {
  id: string;
  agent: string;
  boot: string;
  device: string;
  scope: Scope;
  endMs: number;
  /** What the edge says by the detectors that it hears. */
  edge: { suspect: boolean; reasons: readonly Reason[]; normal_if?: readonly NormalIf[] | undefined };
  forest: { suspect: boolean; score: number | null; threshold: number | null };
  /** Null where the edge has none or it knew too little. */
  baseline: { suspect: boolean; score: number; threshold: number } | null;
  /** Null when no autoencoder reviewed it. */
  autoencoder: {
    suspect: boolean;
    /** As `suspect` when absent. */
    rare?: boolean;
    score: number;
    threshold: number;
    reasons: readonly Reason[];
  } | null;
  /** The episode that the edge has open on this device. */
  episode: string | null;
  /** Kind of ground truth, null where the line was healthy or nothing is known. */
  truth: string | null;
  /** It came late: newer ones were here before it. */
  historical: boolean;
  /** How often the line usually reports; null or absent while that is not known. */
  intervalMs?: number | null;
}

export interface OpenAlert {
  alert: Alert;
  /** The edge's episode that it belongs to, while that is open. */
  episode: string | null;
  boot: string;
  /** Event time of the last suspect that may hold it open, and the newest event time met. */
  lastSuspectMs: number;
  lastEndMs: number;
  /** Wall time of the last window of this device. */
  heardMs: number;
  /** How often the line usually reports: the time between its last two windows while that is not known. */
  intervalMs: number | null;
  /** Whether the autoencoder has looked at any window of it. */
  reviewed: boolean;
  /** How far over its threshold the strangest window was. */
  strangeness: number;
}

const MAX_TRUTHS = 8;
const MAX_SUMMARY = 1000;

/** The alert that this suspect window opens. */
export function openAlert(window: ReviewedWindow, model: ActiveModel, nowMs: number): OpenAlert {
  const at = new Date(window.endMs).toISOString();
  const byEdge = window.edge.suspect;
  const alert: Alert = {
    id: byEdge ? (window.episode ?? window.id) : window.id,
    agent: window.agent,
    device: window.device,
    scope: window.scope,
    status: 'open',
    opened_by: byEdge ? 'edge' : 'collector',
    verdict: 'unreviewed',
    severity: 'warning',
    active_model: model,
    detectors: [],
    opened_at: at,
    last_suspect_at: at,
    closed_at: null,
    windows: 1,
    isolation_forest: null,
    adaptive_baseline: null,
    autoencoder: null,
    reasons: [],
    normal_if: byEdge ? [...(window.edge.normal_if ?? [])] : [],
    summary: '',
    truth: [],
    ...(window.historical ? { historical: true } : {}),
  };
  const empty: OpenAlert = {
    alert,
    episode: window.episode,
    boot: window.boot,
    lastSuspectMs: window.endMs,
    lastEndMs: window.endMs,
    heardMs: nowMs,
    intervalMs: window.intervalMs ?? null,
    reviewed: false,
    strangeness: Number.NEGATIVE_INFINITY,
  };
  const grown = extendAlert(empty, window, model, nowMs);
  return { ...grown, alert: { ...grown.alert, windows: 1 } };
}

/** The alert after one more window of its device. */
export function extendAlert(
  open: OpenAlert,
  window: ReviewedWindow,
  model: ActiveModel,
  nowMs: number,
): OpenAlert {
  const edge = window.edge.suspect;
  const suspect = edge || window.autoencoder?.suspect === true;
  const holds = edge || autoencoderOpens(model, window.autoencoder);
  const next: OpenAlert = {
    ...open,
    lastEndMs: Math.max(open.lastEndMs, window.endMs),
    lastSuspectMs: holds ? Math.max(open.lastSuspectMs, window.endMs) : open.lastSuspectMs,
    heardMs: nowMs,
    intervalMs:
      window.intervalMs ?? (window.endMs > open.lastEndMs ? window.endMs - open.lastEndMs : open.intervalMs),
    reviewed: open.reviewed || window.autoencoder !== null,
  };
  const alert = suspect ? withSuspect(open, window) : open.alert;
  const strangeness = suspect ? Math.max(open.strangeness, strangenessOf(window)) : open.strangeness;
  return {
    ...next,
    strangeness,
    alert: { ...alert, ...judge(alert, next.reviewed), truth: truths(alert, window) },
  };
}

/** Closed at `atMs` of event time; `why` is said in the summary. */
export function closeAlert(open: OpenAlert, atMs: number, why?: string): Alert {
  const summary =
    why === undefined ? open.alert.summary : `${open.alert.summary} ${why}`.slice(0, MAX_SUMMARY);
  return { ...open.alert, status: 'closed', closed_at: new Date(atMs).toISOString(), summary };
}

/** Whether no suspect has held it open for long enough, at `endMs` of event time, when the next window ends. */
export function isQuiet(open: OpenAlert, endMs: number): boolean {
  const intervalMs = Math.max(open.intervalMs ?? 0, endMs - open.lastEndMs);
  return endMs - open.lastSuspectMs >= quietLimitMs(EPISODE_QUIET_MS, intervalMs);
}

/** An open alert as the store gave it back after a restart. */
export function restoreAlert(alert: Alert, boot: string, nowMs: number): OpenAlert {
  const lastMs = Date.parse(alert.last_suspect_at);
  const over = (score: Highest | undefined) =>
    score ? ratio(score.score, score.threshold) : Number.NEGATIVE_INFINITY;
  return {
    alert,
    episode: alert.opened_by === 'edge' ? alert.id : null,
    boot,
    lastSuspectMs: lastMs,
    lastEndMs: lastMs,
    heardMs: nowMs,
    intervalMs: null,
    reviewed: alert.verdict !== 'unreviewed',
    strangeness: Math.max(
      over(alert.isolation_forest),
      over(alert.adaptive_baseline),
      over(alert.autoencoder),
    ),
  };
}

function withSuspect(open: OpenAlert, window: ReviewedWindow): Alert {
  const { alert } = open;
  const found: DetectorName[] = [...alert.detectors];
  const opinions = DETECTORS.map((name) => [name, opinionOf(window, name)] as const);
  for (const [name, opinion] of opinions) if (opinion?.suspect && !found.includes(name)) found.push(name);
  const stranger = strangenessOf(window) > open.strangeness;
  const reasons = stranger ? reasonsOf(window) : alert.reasons;
  const newer = window.endMs > Date.parse(alert.last_suspect_at);
  const older = window.historical && window.endMs < Date.parse(alert.opened_at);
  const openedAt = older ? new Date(window.endMs).toISOString() : alert.opened_at;
  return {
    ...alert,
    detectors: found,
    windows: alert.windows + 1,
    opened_at: openedAt,
    last_suspect_at: newer ? new Date(window.endMs).toISOString() : alert.last_suspect_at,
    isolation_forest: highest(alert.isolation_forest, window.forest),
    adaptive_baseline: highest(alert.adaptive_baseline ?? null, window.baseline),
    autoencoder: highest(alert.autoencoder, window.autoencoder),
    reasons: [...reasons],
    summary: summaryOf({ ...alert, reasons: [...reasons], detectors: found, opened_at: openedAt }),
  };
}

/** With what would have made its first window normal to one more detector. */
export function withNormalIf(alert: Alert, change: NormalIf): Alert {
  const told = { ...alert, normal_if: [...(alert.normal_if ?? []), change] };
  return { ...told, summary: summaryOf(told) };
}

function summaryOf({ device, reasons, detectors, opened_at, normal_if }: Alert): string {
  return alertSentence(device, reasons, detectors, opened_at, normal_if).slice(0, MAX_SUMMARY);
}

function judge({ detectors, opened_by }: Alert, reviewed: boolean): Pick<Alert, 'verdict' | 'severity'> {
  const edge = detectors.filter((name) => name !== 'autoencoder').length;
  if (edge > 0 && detectors.includes('autoencoder')) return { verdict: 'confirmed', severity: 'critical' };
  if (opened_by === 'collector') return { verdict: 'confirmed', severity: 'warning' };
  return reviewed
    ? { verdict: 'disputed', severity: edge > 1 ? 'warning' : 'info' }
    : { verdict: 'unreviewed', severity: 'warning' };
}

function truths(alert: Alert, window: ReviewedWindow): string[] {
  const { truth } = window;
  const known = truth === null || alert.truth.includes(truth) || alert.truth.length >= MAX_TRUTHS;
  return known ? alert.truth : [...alert.truth, truth];
}

/** The edge's reasons know what is usual there, so they go first where the edge has any. */
function reasonsOf(window: ReviewedWindow): readonly Reason[] {
  return window.edge.suspect && window.edge.reasons.length > 0
    ? window.edge.reasons
    : (window.autoencoder?.reasons ?? []);
}

function strangenessOf(window: ReviewedWindow): number {
  const found = DETECTORS.flatMap((name) => {
    const opinion = opinionOf(window, name);
    return opinion?.suspect ? [ratio(opinion.score, opinion.threshold)] : [];
  });
  return Math.max(Number.NEGATIVE_INFINITY, ...found);
}

function opinionOf({ forest, baseline, autoencoder }: ReviewedWindow, name: DetectorName) {
  if (name === 'isolation_forest') return forest;
  return name === 'adaptive_baseline' ? baseline : autoencoder;
}

function ratio(score: number | null, threshold: number | null): number {
  return score === null || threshold === null || threshold <= 0 ? 0 : score / threshold;
}

type Highest = { score: number; threshold: number } | null;

function highest(known: Highest, found: { score: number | null; threshold: number | null } | null): Highest {
  if (found === null || found.score === null || found.threshold === null) return known;
  if (known !== null && known.score >= found.score) return known;
  return { score: found.score, threshold: found.threshold };
}
