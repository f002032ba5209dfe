/**
 * One model over the lines: an engine and the agent's own pipeline around it, on event time. The adaptive baseline
 * judges from the first line on, as in the agent; until a forest is there the windows are its lessons. Memory: at most 100,000 alerts (a replay with more ends), one bounded series a device.
 */
import {
  type AnomalyMessage,
  alertSentence,
  type DetectorName,
  edgeDetectors,
  type ScoredWindow,
} from '@lineheron/models';
import type { Engine } from '@lineheron/native';
import { EXIT, ExitError } from '../exit-code.js';
import { EventClock } from '../score/device-clock.js';
import type { EdgeWindow } from '../score/edge-window.js';
import { MIN_TRAINING_ROWS } from '../score/fit.js';
import type { Maintenance } from '../score/only-normal.js';
import { type DetectionSettings, type EngineSettings, MAX_DEVICES, Scoring } from '../score/scoring.js';
import { isoTime } from '../score/wire.js';
import { type Learned, Lessons, useLearned } from './learned.js';
import type { ReplayAlert, ReplayDevice, ReplayModel, ReplayVariant } from './result.js';
import { Series } from './series.js';

const MAX_ALERTS = 100_000;
/** Stands in ids, which a replay does not show. */
const BOOT = '0000000000000000';
const DAY_MS = 86_400_000;

export interface VariantOptions {
  name: string;
  engine: EngineSettings;
  /** Gives the engine the lines' format and returns its number. */
  addFormat: (engine: Engine) => number;
  maintenance: readonly Maintenance[];
  agent: string;
  /** When the lines had been received, epoch ms: what has no time of its own is placed there. */
  asOfMs: () => number;
  /** The device of lines that name none. */
  device?: string | undefined;
  seed: number;
  contamination: number;
  detection: DetectionSettings;
}

interface Seen extends ReplayDevice {
  /** The forest's scores. */
  series: Series;
  /** The baseline's nats as parts of its threshold. */
  strangeness: Series;
  /** First and last scored window, epoch ms. */
  fromMs: number;
  toMs: number;
}

export class Variant {
  private readonly lessons: Lessons;
  private readonly clock = new EventClock(MAX_DEVICES);
  private readonly scoring: Scoring;
  private readonly format: number;
  private readonly devices = new Map<string, Seen>();
  private readonly alerts: ReplayAlert[] = [];
  private readonly open = new Map<string, ReplayAlert>();
  private models: ReplayModel[] = [];
  private trainedUntil: string | null = null;
  private fromMs = Number.POSITIVE_INFINITY;
  private toMs = Number.NEGATIVE_INFINITY;
  private learning = true;

  constructor(private readonly options: VariantOptions) {
    const { engine, agent, asOfMs, seed, detection, maintenance } = options;
    this.lessons = new Lessons(seed);
    this.scoring = new Scoring({
      ...{ engine, detection, agent },
      boot: BOOT,
      maintenance: () => maintenance,
      clock: this.clock,
      nowMs: asOfMs,
      onWindow: (scope, _endMs, features) => this.learning && this.lessons.add(scope, features),
      publishes: false,
      onScored: (window) => this.see(window),
      onAnomaly: (anomaly) => this.take(anomaly),
      onEngineError: (error) => {
        throw error;
      },
    });
    this.format = options.addFormat(this.engine);
  }

  get engine(): Engine {
    return this.scoring.engine;
  }

  /** Event time of the first window; null before it. */
  get from(): string | null {
    return Number.isFinite(this.fromMs) ? isoTime(this.fromMs) : null;
  }

  /** Event time of the newest window; null before the first. */
  get to(): string | null {
    return Number.isFinite(this.toMs) ? isoTime(this.toMs) : null;
  }

  /** Whether something was heard of this device. */
  knows(device: string): boolean {
    return this.devices.has(device);
  }

  /** Takes the forests into use: from here on they score, too. */
  use(learned: readonly Learned[], origin: ReplayModel['origin']): void {
    useLearned(this.scoring, learned, this.options.name);
    this.learning = false;
    this.models = learned.map((forest) => ({
      ...{ scope: forest.scope, origin, release: forest.release, rows: forest.rows },
      threshold: this.scoring.thresholdOf(forest),
      cannot_alert: this.scoring.whyCannotAlert(forest),
    }));
  }

  /**
   * Fits forests on what was seen so far and takes them into use. With too few windows the baseline goes on alone;
   * throws ExitError when nobody but the forest is heard.
   */
  async train(): Promise<void> {
    const { contamination, detection } = this.options;
    const { engine, windowSeconds } = this.scoring;
    const { tooFew } = this.lessons;
    if (tooFew !== null && detection.activeModel === 'isolation_forest') {
      throw new ExitError(
        EXIT.data,
        `only ${tooFew} windows to train on, ${MIN_TRAINING_ROWS} are needed: raise --train-fraction or give --model`,
      );
    }
    this.use(await this.lessons.learn(engine, contamination, windowSeconds), 'trained');
    if (tooFew === null) this.trainedUntil = this.to;
  }

  /** A file begins; what a survey found in it. */
  begin(dateOrder: string | null, oldestMs: number | null): void {
    this.engine.expect(this.options.asOfMs(), dateOrder, oldestMs, this.format);
  }

  push(bytes: Uint8Array): void {
    const { pipeline } = this.scoring;
    const { device } = this.options;
    pipeline.push({ bytes, emit: true, position: null, format: this.format, device });
    pipeline.take();
  }

  /** Over time, the highest of one device: the forest's scores, and the baseline's nats as parts of its threshold. */
  points(device: string): Record<'forest' | 'baseline', { timeMs: number; score: number }[]> {
    const seen = this.devices.get(device);
    return { forest: seen?.series.points() ?? [], baseline: seen?.strangeness.points() ?? [] };
  }

  /** What was found once all lines have been pushed. */
  result(): ReplayVariant {
    this.scoring.pipeline.sweep();
    for (const alert of this.open.values())
      if (alert.kind === 'silence') this.lastTo(alert, this.clock.of(alert.device));
    const devices = [...this.devices.values()].sort((a, b) => (a.device < b.device ? -1 : 1));
    const sum = (key: 'windows' | 'scored' | 'suspect') =>
      devices.reduce((total, device) => total + device[key], 0);
    const single = devices.filter(({ device }) => device !== '*');
    const days = single.reduce((total, { fromMs, toMs }) => total + Math.max(0, toMs - fromMs), 0) / DAY_MS;
    const alerts = single.reduce((total, device) => total + device.alerts, 0);
    const episodes = alerts - this.alerts.filter(({ kind }) => kind === 'silence').length;
    return {
      name: this.options.name,
      detector: this.options.detection.activeModel,
      budget: this.options.detection.budget,
      models: this.models,
      trained_until: this.trainedUntil,
      windows: sum('windows'),
      scored: sum('scored'),
      suspect: sum('suspect'),
      // A silence is known some time after its begin.
      alerts: [...this.alerts].sort((a, b) => (a.opened < b.opened ? -1 : a.opened > b.opened ? 1 : 0)),
      alerts_per_device_day: days > 0 ? Number((episodes / days).toPrecision(6)) : null,
      devices: devices.map(({ device, windows, scored, suspect, peak_score, peak_nats, alerts: count }) => ({
        device,
        windows,
        scored,
        suspect,
        peak_score,
        peak_nats,
        alerts: count,
      })),
    };
  }

  private see(window: EdgeWindow): void {
    const { device, endMs, baseline, suspect, score = null } = window.result;
    const seen = this.deviceOf(device);
    this.fromMs = Math.min(this.fromMs, endMs);
    this.toMs = Math.max(this.toMs, endMs);
    seen.windows += 1;
    if (score !== null || baseline) {
      seen.scored += 1;
      seen.fromMs = Math.min(seen.fromMs, endMs);
      seen.toMs = Math.max(seen.toMs, endMs);
    }
    if (score !== null) {
      seen.peak_score = highest(seen.peak_score, score);
      seen.series.add(endMs, score);
    }
    if (baseline) {
      const nats = Math.max(0, baseline.nats);
      seen.peak_nats = highest(seen.peak_nats, nats);
      seen.strangeness.add(endMs, nats / baseline.threshold);
    }
    if (!suspect) return;
    seen.suspect += 1;
    this.extend(window.wire, endMs);
  }

  /** A suspect window makes the alert of its episode longer. */
  private extend(window: ScoredWindow, endMs: number): void {
    const alert = window.episode === null ? undefined : this.open.get(window.episode);
    if (!alert) return;
    this.tell(alert, window);
    alert.suspect_windows += 1;
    alert.peak_score = highest(alert.peak_score, window.score);
    alert.peak_nats = highest(alert.peak_nats, window.baseline?.nats ?? null);
    for (const name of edgeDetectors(window)) {
      if (!alert.detectors.includes(name)) alert.detectors.push(name);
    }
    this.lastTo(alert, endMs);
  }

  private lastTo(alert: ReplayAlert, endMs: number): void {
    if (endMs <= Date.parse(alert.last_suspect)) return;
    alert.last_suspect = isoTime(endMs);
    alert.duration_seconds = (endMs - Date.parse(alert.opened)) / 1000;
  }

  private deviceOf(device: string): Seen {
    const known = this.devices.get(device);
    if (known) return known;
    const seen: Seen = {
      device,
      windows: 0,
      scored: 0,
      suspect: 0,
      peak_score: null,
      peak_nats: null,
      alerts: 0,
      series: new Series(),
      strangeness: new Series(),
      fromMs: Number.POSITIVE_INFINITY,
      toMs: Number.NEGATIVE_INFINITY,
    };
    this.devices.set(device, seen);
    return seen;
  }

  /** A window that is much stranger speaks for the alert from then on, as in the collector. */
  private tell(alert: ReplayAlert, { device, reasons, normal_if }: ScoredWindow): void {
    if (normal_if === undefined) return;
    alert.reasons = reasons;
    alert.normal_if = normal_if;
    alert.summary = alertSentence(device, reasons, normal_if);
  }

  /** What the agent would have published opens and closes alerts. */
  private take(anomaly: AnomalyMessage): void {
    const { phase, episode, at } = anomaly;
    if (phase === 'opened') {
      this.open.set(episode, this.add(alertOf(anomaly)));
      return;
    }
    const alert = this.open.get(episode);
    this.open.delete(episode);
    if (!alert) return;
    alert.closed = at;
    if (alert.kind === 'silence') this.lastTo(alert, Date.parse(at));
  }

  private add(alert: ReplayAlert): ReplayAlert {
    if (this.alerts.length >= MAX_ALERTS) {
      throw new ExitError(
        EXIT.data,
        `more than ${MAX_ALERTS} alerts: the threshold is too low for these lines`,
      );
    }
    this.alerts.push(alert);
    this.deviceOf(alert.device).alerts += 1;
    return alert;
  }
}

/** An alert before any of its windows was looked at. */
function alertOf({ state, device, scope, at, threshold, reasons, normal_if = [], summary }: AnomalyMessage) {
  return {
    kind: state === 'stale' ? ('silence' as const) : ('episode' as const),
    ...{ device, scope, opened: at, last_suspect: at, closed: null },
    duration_seconds: 0,
    detectors: [] as DetectorName[],
    ...{ peak_score: null, threshold, peak_nats: null },
    suspect_windows: 0,
    ...{ reasons, normal_if, summary },
  };
}

const highest = (a: number | null, b: number | null) =>
  a === null || b === null ? (a ?? b) : Math.max(a, b);
