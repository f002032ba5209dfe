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
  TELLING_TIMES,
  thresholdRatio,
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
  /** The autoencoder was neither trained on the line nor on lines like it. */
  unknownLine?: boolean;
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
  /** The window that speaks for it: reasons and what would have been normal are of one window. */
  told: Told | null;
}

interface Told {
  window: string;
  /** Whose reasons they are. */
  by: 'edge' | 'autoencoder';
  /** How far over its threshold that is. */
  ratio: number;
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
    normal_if: [],
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
    told: null,
  };
  extendAlert(empty, window, model, nowMs);
  alert.windows = 1;
  return empty;
}

/**
 * Takes in one more window of its device; tells whether that changes anything in the alert. Both are changed in place:
 * in an outage every window is suspect, and a copy of the alert for each cost more than all else of it.
 */
export function extendAlert(
  open: OpenAlert,
  window: ReviewedWindow,
  model: ActiveModel,
  nowMs: number,
): boolean {
  const { alert } = open;
  const edge = window.edge.suspect;
  const suspect = edge || window.autoencoder?.suspect === true;
  const holds = edge || autoencoderOpens(model, window.autoencoder);
  const isNewer = window.endMs > open.lastEndMs;
  open.intervalMs = window.intervalMs ?? (isNewer ? window.endMs - open.lastEndMs : open.intervalMs);
  open.lastEndMs = Math.max(open.lastEndMs, window.endMs);
  if (holds) open.lastSuspectMs = Math.max(open.lastSuspectMs, window.endMs);
  open.heardMs = nowMs;
  open.reviewed ||= window.autoencoder !== null;
  const told = suspect ? tellingOf(open.told, window) : null;
  if (suspect) addSuspect(alert, window, told);
  open.told = told ?? open.told;
  return judgeAgain(alert, window, open.reviewed) || suspect;
}

/** Verdict, severity and kinds of truth as they are now; tells whether any has changed. */
function judgeAgain(alert: Alert, window: ReviewedWindow, reviewed: boolean): boolean {
  const { verdict, severity } = judge(alert, reviewed);
  const truth = truths(alert, window);
  const isUnknown = window.unknownLine === true && !reviewed && alert.unreviewed_because === undefined;
  const same = verdict === alert.verdict && severity === alert.severity && truth === alert.truth;
  if (isUnknown) alert.unreviewed_because = 'unknown_line';
  Object.assign(alert, { verdict, severity, truth });
  return isUnknown || !same;
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
  // A time that is still to come was taken from a wrong clock, and would hold it open until then.
  const lastMs = Math.min(Date.parse(alert.last_suspect_at), nowMs);
  const over = (score: Highest | undefined) => (score ? thresholdRatio(score.score, score.threshold) : 0);
  const byEdge = Math.max(over(alert.isolation_forest), over(alert.adaptive_baseline));
  const edgeTold = alert.detectors.some((name) => name !== 'autoencoder');
  return {
    alert,
    episode: alert.opened_by === 'edge' ? alert.id : null,
    boot,
    lastSuspectMs: lastMs,
    lastEndMs: lastMs,
    heardMs: nowMs,
    intervalMs: null,
    reviewed: alert.verdict !== 'unreviewed',
    told: {
      window: '',
      by: edgeTold ? 'edge' : 'autoencoder',
      ratio: edgeTold ? byEdge : over(alert.autoencoder),
    },
  };
}

function addSuspect(alert: Alert, window: ReviewedWindow, told: Told | null): void {
  const found = DETECTORS.filter(
    (name) => opinionOf(window, name)?.suspect && !alert.detectors.includes(name),
  );
  if (found.length > 0) alert.detectors = [...alert.detectors, ...found];
  alert.windows++;
  if (window.historical && window.endMs < Date.parse(alert.opened_at)) alert.opened_at = timeOf(window);
  if (window.endMs > Date.parse(alert.last_suspect_at)) alert.last_suspect_at = timeOf(window);
  alert.isolation_forest = highest(alert.isolation_forest, window.forest);
  alert.adaptive_baseline = highest(alert.adaptive_baseline ?? null, window.baseline);
  alert.autoencoder = highest(alert.autoencoder, window.autoencoder);
  if (told !== null) Object.assign(alert, tellingParts(alert, window, told));
}

const timeOf = ({ endMs }: ReviewedWindow) => new Date(endMs).toISOString();

/** With what would have made the window normal that speaks for it, to one more detector. */
export function withNormalIf(alert: Alert, change: NormalIf): Alert {
  const told = { ...alert, normal_if: [...(alert.normal_if ?? []), change] };
  return { ...told, summary: summaryOf(told) };
}

function summaryOf({ device, reasons, normal_if }: Pick<Alert, 'device' | 'reasons' | 'normal_if'>): string {
  return alertSentence(device, reasons, normal_if).slice(0, MAX_SUMMARY);
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

/**
 * The window's part if it speaks for the alert from now on. The edge's reasons know what is usual there, so they go
 * before the autoencoder's; among one's own a window must be much stranger.
 */
function tellingOf(told: Told | null, window: ReviewedWindow): Told | null {
  const { edge, autoencoder } = window;
  const by = edge.suspect && (edge.reasons.length > 0 || !autoencoder?.suspect) ? 'edge' : 'autoencoder';
  const detectors = DETECTORS.filter((name) => (name === 'autoencoder') === (by === 'autoencoder'));
  const opinions = detectors.map((name) => opinionOf(window, name)).filter((opinion) => opinion?.suspect);
  const ratios = opinions.map((opinion) => thresholdRatio(opinion!.score, opinion!.threshold));
  const next: Told = { window: window.id, by, ratio: Math.max(0, ...ratios) };
  if (told === null || (by === 'edge' && told.by !== 'edge')) return next;
  return by === told.by && next.ratio > TELLING_TIMES * told.ratio ? next : null;
}

/** What the window says in place of the one before it. Text is written here only: in an outage every window is suspect. */
function tellingParts({ device }: Alert, { edge, autoencoder }: ReviewedWindow, { by }: Told) {
  const reasons = [...(by === 'edge' ? edge.reasons : (autoencoder?.reasons ?? []))];
  const normal_if = by === 'edge' ? [...(edge.normal_if ?? [])] : [];
  return { reasons, normal_if, summary: summaryOf({ device, reasons, normal_if }) };
}

function opinionOf({ forest, baseline, autoencoder }: ReviewedWindow, name: DetectorName) {
  if (name === 'isolation_forest') return forest;
  return name === 'adaptive_baseline' ? baseline : autoencoder;
}

type Highest = { score: number; threshold: number } | null;

function highest(known: Highest, found: { score: number | null; threshold: number | null } | null): Highest {
  if (found === null || found.score === null || found.threshold === null) return known;
  if (known !== null && known.score >= found.score) return known;
  return { score: found.score, threshold: found.threshold };
}
