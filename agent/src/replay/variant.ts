/**
 * One model over the lines: an engine and the agent's own pipeline around it, on event time. Until a forest is there
 * the windows are lessons. Memory: at most 100,000 alerts (a replay with more ends), one bounded series a device.
 */
import { anomalySentence, type ScoredWindow } from '@lineheron/models';
import type { Engine } from '@lineheron/native';
import { EXIT, ExitError } from '../exit-code.js';
import { Pipeline } from '../score/pipeline.js';
import { type Learned, Lessons, useLearned } from './learned.js';
import type { ReplayAlert, ReplayDevice, ReplayModel, ReplayVariant } from './result.js';
import { Series } from './series.js';

const MAX_ALERTS = 100_000;
/** Stands in ids, which a replay does not show. */
const BOOT = '0000000000000000';
const DAY_MS = 86_400_000;

export interface VariantOptions {
  name: string;
  engine: Engine;
  agent: string;
  /** When the lines had been received, epoch ms: what has no time of its own is placed there. */
  asOfMs: () => number;
  /** The engine's number of the lines' format. */
  format: number;
  seed: number;
  contamination: number;
  /** In place of the forests' own. */
  threshold: number | null;
}

interface Seen extends ReplayDevice {
  series: Series;
  /** First and last scored window, epoch ms. */
  fromMs: number;
  toMs: number;
}

export class Variant {
  private readonly lessons: Lessons;
  private readonly pipeline: Pipeline;
  private readonly devices = new Map<string, Seen>();
  private readonly alerts: ReplayAlert[] = [];
  private readonly open = new Map<string, ReplayAlert>();
  private models: ReplayModel[] = [];
  private trainedUntil: string | null = null;
  /** Event time of the first and of the newest window. */
  from: string | null = null;
  to: string | null = null;
  private learning = true;

  constructor(private readonly options: VariantOptions) {
    const { engine, agent, asOfMs, seed } = options;
    this.lessons = new Lessons(seed);
    this.pipeline = new Pipeline({
      engine,
      agent,
      boot: BOOT,
      nowMs: asOfMs,
      onWindow: (scope, _endMs, features) => this.learning && this.lessons.add(scope, features),
      onScored: (window) => this.see(window),
      onEngineError: (error) => {
        throw error;
      },
    });
  }

  get engine(): Engine {
    return this.options.engine;
  }

  /** Takes the forests into use: from here on windows are scored. */
  use(learned: readonly Learned[], origin: ReplayModel['origin']): void {
    const { engine, threshold, name } = this.options;
    useLearned(engine, learned, threshold, name);
    this.learning = false;
    this.models = learned.map(({ scope, release, rows, threshold: own }) => ({
      scope,
      origin,
      release,
      rows,
      threshold: threshold ?? own,
    }));
  }

  /** Fits forests on what was seen so far and takes them into use. */
  async train(): Promise<void> {
    this.use(await this.lessons.learn(this.options.engine, this.options.contamination), 'trained');
    this.trainedUntil = this.to;
  }

  push(bytes: Uint8Array): void {
    const { format } = this.options;
    this.pipeline.push({ bytes, emit: true, position: null, ...(format === 0 ? {} : { format }) });
    for (const { phase, episode, at } of this.pipeline.take().anomalies) {
      const alert = phase === 'closed' ? this.open.get(episode) : undefined;
      if (alert) alert.closed = at;
      if (phase === 'closed') this.open.delete(episode);
    }
  }

  /** Highest scores over time of one device. */
  points(device: string): { timeMs: number; score: number }[] {
    return this.devices.get(device)?.series.points() ?? [];
  }

  result(): ReplayVariant {
    const devices = [...this.devices.values()].sort((a, b) => (a.device < b.device ? -1 : 1));
    const sum = (key: 'windows' | 'scored' | 'suspect') =>
      devices.reduce((total, device) => total + device[key], 0);
    const single = devices.filter(({ device }) => device !== '*');
    const days = single.reduce((total, { fromMs, toMs }) => total + Math.max(0, toMs - fromMs), 0) / DAY_MS;
    const alerts = single.reduce((total, device) => total + device.alerts, 0);
    return {
      name: this.options.name,
      models: this.models,
      trained_until: this.trainedUntil,
      windows: sum('windows'),
      scored: sum('scored'),
      suspect: sum('suspect'),
      alerts: this.alerts,
      alerts_per_device_day: days > 0 ? Number((alerts / days).toPrecision(6)) : null,
      devices: devices.map(({ device, windows, scored, suspect, peak_score, alerts: count }) => ({
        device,
        windows,
        scored,
        suspect,
        peak_score,
        alerts: count,
      })),
    };
  }

  private see(window: ScoredWindow): void {
    const seen = this.deviceOf(window.device);
    const endMs = Date.parse(window.end);
    if (this.from === null || window.end < this.from) this.from = window.end;
    if (this.to === null || window.end > this.to) this.to = window.end;
    seen.windows += 1;
    if (window.score === null) return;
    seen.scored += 1;
    seen.fromMs = Math.min(seen.fromMs, endMs);
    seen.toMs = Math.max(seen.toMs, endMs);
    seen.peak_score = Math.max(seen.peak_score ?? 0, window.score);
    seen.series.add(endMs, window.score);
    if (!window.suspect) return;
    seen.suspect += 1;
    this.extend(window, endMs);
  }

  /** A suspect window that belongs to an episode opens an alert or makes it longer. */
  private extend(window: ScoredWindow, endMs: number): void {
    if (window.episode === null) return;
    const alert = this.open.get(window.episode) ?? this.alert(window, window.episode);
    alert.suspect_windows += 1;
    alert.peak_score = Math.max(alert.peak_score, window.score ?? 0);
    if (window.end <= alert.last_suspect) return;
    alert.last_suspect = window.end;
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
      alerts: 0,
      series: new Series(),
      fromMs: Number.POSITIVE_INFINITY,
      toMs: Number.NEGATIVE_INFINITY,
    };
    this.devices.set(device, seen);
    return seen;
  }

  private alert(window: ScoredWindow, episode: string): ReplayAlert {
    if (this.alerts.length >= MAX_ALERTS) {
      throw new ExitError(
        EXIT.data,
        `more than ${MAX_ALERTS} alerts: the threshold is too low for these lines`,
      );
    }
    const { device, scope, end, threshold, reasons } = window;
    const alert: ReplayAlert = {
      device,
      scope,
      opened: end,
      last_suspect: end,
      closed: null,
      duration_seconds: 0,
      peak_score: 0,
      threshold,
      suspect_windows: 0,
      reasons,
      summary: anomalySentence(device, reasons),
    };
    this.alerts.push(alert);
    this.open.set(episode, alert);
    this.deviceOf(device).alerts += 1;
    return alert;
  }
}
