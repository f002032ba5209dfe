/**
 * How well one model finds true episodes, counted from device windows with ground truth. Pure and incremental: a
 * few numbers per device. A healthy window within one window length after a true episode counts neither way, because
 * the window still holds the episode's records.
 */
import { EPISODE_QUIET_MS, type Quality } from '@lineheron/models';
import { RecentValues } from './percentile.js';

export interface TruthWindow {
  endMs: number;
  /** Ground truth of the window's last record. */
  truth: boolean;
  /** Start of the true episode that is under way, or of the last one; null before the first. */
  episodeStartMs: number | null;
  /** Last anomalous window of that episode. */
  episodeEndMs: number | null;
  windowMs: number;
}

interface DeviceQuality {
  lastEndMs: number | null;
  /** A true episode that the model was there to find, until it is found or given up. */
  sought: { startMs: number; endMs: number } | null;
  /** Start of the last true episode dealt with, so that none counts twice. */
  doneStartMs: number | null;
  alert: { lastSuspectMs: number; overlaps: boolean } | null;
}

/** A gap between windows longer than this is not judged time. */
const MAX_GAP_MS = 10_000;
const KEPT_DELAYS = 1000;
const MAX_DEVICES = 10_000;

export class ModelQuality {
  private readonly counts = { tp: 0, fp: 0, fn: 0, tn: 0, ignored: 0 };
  private readonly episodes = { truth: 0, found: 0, alerts: 0, falseAlerts: 0 };
  private readonly delaysMs = new RecentValues(KEPT_DELAYS);
  private readonly devices = new Map<string, DeviceQuality>();
  private judgedMs = 0;

  /** One window that this model scored. Windows older than the device's newest are passed over. */
  add(device: string, window: TruthWindow, suspect: boolean): void {
    const state = this.device(device);
    if (state.lastEndMs !== null && window.endMs <= state.lastEndMs) return;
    if (state.lastEndMs !== null && window.endMs - state.lastEndMs <= MAX_GAP_MS) {
      this.judgedMs += window.endMs - state.lastEndMs;
    }
    state.lastEndMs = window.endMs;
    this.countRecord(window, suspect);
    this.seek(state, window, suspect);
    this.followAlert(state, window, suspect);
  }

  view(): Quality {
    const { tp, fp, fn, tn, ignored } = this.counts;
    const { truth, found, alerts, falseAlerts } = this.episodes;
    const hours = this.judgedMs / 3_600_000;
    return {
      records: {
        true_positives: tp,
        false_positives: fp,
        false_negatives: fn,
        true_negatives: tn,
        ignored,
        ...rates(ratio(tp, tp + fp), ratio(tp, tp + fn)),
      },
      episodes: {
        true_episodes: truth,
        found,
        alerts,
        false_alerts: falseAlerts,
        false_alerts_per_device_hour: hours > 0 ? falseAlerts / hours : null,
        ...rates(ratio(alerts - falseAlerts, alerts), ratio(found, truth)),
        delay_p50_s: seconds(this.delaysMs.percentile(0.5)),
        delay_p99_s: seconds(this.delaysMs.percentile(0.99)),
      },
    };
  }

  private countRecord(window: TruthWindow, suspect: boolean): void {
    if (window.truth) this.counts[suspect ? 'tp' : 'fn']++;
    else if (isAftermath(window)) this.counts.ignored++;
    else this.counts[suspect ? 'fp' : 'tn']++;
  }

  /** Found when a suspect window comes between the episode's start and ten seconds after its end. */
  private seek(state: DeviceQuality, window: TruthWindow, suspect: boolean): void {
    const { episodeStartMs, episodeEndMs, endMs } = window;
    if (state.sought && endMs > state.sought.endMs + EPISODE_QUIET_MS) this.giveUp(state);
    if (window.truth && episodeStartMs !== state.doneStartMs && episodeStartMs !== state.sought?.startMs) {
      if (state.sought) this.giveUp(state);
      // An episode whose beginning this model did not score is not held against it.
      if (endMs === episodeStartMs) state.sought = { startMs: episodeStartMs, endMs };
      else state.doneStartMs = episodeStartMs;
    }
    if (!state.sought) return;
    if (episodeStartMs === state.sought.startMs) state.sought.endMs = episodeEndMs!;
    if (!suspect) return;
    this.episodes.truth++;
    this.episodes.found++;
    this.delaysMs.add(endMs - state.sought.startMs);
    state.doneStartMs = state.sought.startMs;
    state.sought = null;
  }

  private giveUp(state: DeviceQuality): void {
    this.episodes.truth++;
    state.doneStartMs = state.sought!.startMs;
    state.sought = null;
  }

  /** The model's own episodes; one is false when none of its suspects lies in a true episode or its aftermath. */
  private followAlert(state: DeviceQuality, window: TruthWindow, suspect: boolean): void {
    const { endMs } = window;
    if (state.alert && endMs - state.alert.lastSuspectMs >= EPISODE_QUIET_MS) {
      this.episodes.alerts++;
      if (!state.alert.overlaps) this.episodes.falseAlerts++;
      state.alert = null;
    }
    if (!suspect) return;
    const overlaps = window.truth || isAftermath(window) || state.alert?.overlaps === true;
    state.alert = { lastSuspectMs: endMs, overlaps };
  }

  private device(name: string): DeviceQuality {
    const known = this.devices.get(name);
    if (known) return known;
    const fresh: DeviceQuality = { lastEndMs: null, sought: null, doneStartMs: null, alert: null };
    this.devices.set(name, fresh);
    if (this.devices.size > MAX_DEVICES) this.devices.delete(this.devices.keys().next().value!);
    return fresh;
  }
}

function isAftermath({ truth, endMs, episodeEndMs, windowMs }: TruthWindow): boolean {
  return !truth && episodeEndMs !== null && endMs <= episodeEndMs + windowMs;
}

function ratio(part: number, whole: number): number | null {
  return whole > 0 ? part / whole : null;
}

function rates(precision: number | null, recall: number | null) {
  const sum = (precision ?? 0) + (recall ?? 0);
  const known = precision !== null && recall !== null;
  const f1 = !known ? null : sum === 0 ? 0 : (2 * precision * recall) / sum;
  return { precision, recall, f1 };
}

function seconds(ms: number | null): number | null {
  return ms === null ? null : ms / 1000;
}
