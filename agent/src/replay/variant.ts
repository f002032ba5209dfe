/**
 * One model over the lines: an engine and the agent's own pipeline around it, on event time. The adaptive baseline
 * judges from the first line on, as in the agent; until a forest is there the windows are its lessons. Memory: at most 100,000 alerts (a replay with more ends), one bounded series a device.
 */
import { alertSentence, type DetectorName, edgeDetectors, type ScoredWindow } from '@lineheron/models';
import type { Engine } from '@lineheron/native';
import { EXIT, ExitError } from '../exit-code.js';
import { MIN_TRAINING_ROWS } from '../score/fit.js';
import { NEVER } from '../score/forests.js';
import { Pipeline } from '../score/pipeline.js';
import { silenceMessage } from '../score/silence-message.js';
import type { Silence } from '../score/silences.js';
import { isoTime } from '../score/wire.js';
import { type Hearing, hear, type Learned, Lessons, useLearned } from './learned.js';
import type { ReplayAlert, ReplayDevice, ReplayModel, ReplayVariant } from './result.js';
import { Series } from './series.js';
import { EventSilences } from './silences.js';

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
  /** The device of lines that name none. */
  device?: string | undefined;
  windowSeconds: number;
  seed: number;
  contamination: number;
  hearing: Hearing;
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
  private readonly pipeline: Pipeline;
  private readonly devices = new Map<string, Seen>();
  private readonly alerts: ReplayAlert[] = [];
  private readonly open = new Map<string, ReplayAlert>();
  private readonly silences = new EventSilences();
  private models: ReplayModel[] = [];
  private trainedUntil: string | null = null;
  /** Event time of the first and of the newest window. */
  from: string | null = null;
  to: string | null = null;
  private learning = true;

  constructor(private readonly options: VariantOptions) {
    const { engine, agent, asOfMs, seed, windowSeconds, hearing } = options;
    hear(engine, hearing);
    this.lessons = new Lessons(seed);
    this.pipeline = new Pipeline({
      engine,
      agent,
      boot: BOOT,
      windowSeconds,
      active: () => hearing.active,
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

  /** Whether something was heard of this device. */
  knows(device: string): boolean {
    return this.devices.has(device);
  }

  /** Takes the forests into use: from here on they score, too. */
  use(learned: readonly Learned[], origin: ReplayModel['origin']): void {
    const { engine, hearing, name } = this.options;
    const thresholds = useLearned(engine, learned, hearing, name);
    this.learning = false;
    this.models = learned.map(({ scope, release, rows }, index) => ({
      scope,
      origin,
      release,
      rows,
      threshold: reachable(thresholds[index]!),
    }));
  }

  /**
   * Fits forests on what was seen so far and takes them into use. With too few windows the baseline goes on alone;
   * throws ExitError when nobody but the forest is heard.
   */
  async train(): Promise<void> {
    const { engine, contamination, windowSeconds, hearing } = this.options;
    const { tooFew } = this.lessons;
    if (tooFew !== null && hearing.active === 'isolation_forest') {
      throw new ExitError(
        EXIT.data,
        `only ${tooFew} windows to train on, ${MIN_TRAINING_ROWS} are needed: raise --train-fraction or give --model`,
      );
    }
    this.use(await this.lessons.learn(engine, contamination, windowSeconds), 'trained');
    if (tooFew === null) this.trainedUntil = this.to;
  }

  push(bytes: Uint8Array): void {
    const { format, device } = this.options;
    this.pipeline.push({ bytes, emit: true, position: null, format, device });
    for (const { phase, episode, at } of this.pipeline.take().anomalies) {
      const alert = phase === 'closed' ? this.open.get(episode) : undefined;
      if (alert) alert.closed = at;
      if (phase === 'closed') this.open.delete(episode);
    }
  }

  /** Over time, the highest of one device: the forest's scores, and the baseline's nats as parts of its threshold. */
  points(device: string): Record<'forest' | 'baseline', { timeMs: number; score: number }[]> {
    const seen = this.devices.get(device);
    return { forest: seen?.series.points() ?? [], baseline: seen?.strangeness.points() ?? [] };
  }

  /** What was found once all lines have been pushed. */
  result(): ReplayVariant {
    for (const silence of this.silences.atEnd()) this.addSilence(silence, null);
    const devices = [...this.devices.values()].sort((a, b) => (a.device < b.device ? -1 : 1));
    const sum = (key: 'windows' | 'scored' | 'suspect') =>
      devices.reduce((total, device) => total + device[key], 0);
    const single = devices.filter(({ device }) => device !== '*');
    const days = single.reduce((total, { fromMs, toMs }) => total + Math.max(0, toMs - fromMs), 0) / DAY_MS;
    const alerts = single.reduce((total, device) => total + device.alerts, 0);
    const episodes = alerts - this.alerts.filter(({ kind }) => kind === 'silence').length;
    return {
      name: this.options.name,
      detector: this.options.hearing.active,
      budget: this.options.hearing.budget,
      models: this.models,
      trained_until: this.trainedUntil,
      windows: sum('windows'),
      scored: sum('scored'),
      suspect: sum('suspect'),
      // A silence is known when it is over only.
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

  private see(window: ScoredWindow): void {
    const seen = this.deviceOf(window.device);
    const endMs = Date.parse(window.end);
    const silence = this.silences.see(window.device, endMs);
    if (silence) this.addSilence(silence, window.end);
    if (this.from === null || window.end < this.from) this.from = window.end;
    if (this.to === null || window.end > this.to) this.to = window.end;
    seen.windows += 1;
    const { baseline } = window;
    if (window.score !== null || baseline) {
      seen.scored += 1;
      seen.fromMs = Math.min(seen.fromMs, endMs);
      seen.toMs = Math.max(seen.toMs, endMs);
    }
    if (window.score !== null) {
      seen.peak_score = highest(seen.peak_score, window.score);
      seen.series.add(endMs, window.score);
    }
    if (baseline) {
      seen.peak_nats = highest(seen.peak_nats, baseline.nats);
      seen.strangeness.add(endMs, baseline.nats / baseline.threshold);
    }
    if (!window.suspect) return;
    seen.suspect += 1;
    this.extend(window, endMs);
  }

  /** A suspect window that belongs to an episode opens an alert or makes it longer. */
  private extend(window: ScoredWindow, endMs: number): void {
    if (window.episode === null) return;
    const alert = this.open.get(window.episode) ?? this.alert(window, window.episode);
    this.tell(alert, window);
    alert.suspect_windows += 1;
    alert.peak_score = highest(alert.peak_score, window.score);
    alert.peak_nats = highest(alert.peak_nats, window.baseline?.nats ?? null);
    for (const name of edgeDetectors(window)) {
      if (!alert.detectors.includes(name)) alert.detectors.push(name);
    }
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

  private alert(window: ScoredWindow, episode: string): ReplayAlert {
    const { device, scope, end, threshold } = window;
    const alert = this.add({
      ...{ ...nothingScored(), kind: 'episode', device, scope, opened: end, last_suspect: end },
      threshold: threshold === null ? null : reachable(threshold),
      reasons: [],
      summary: '',
    });
    this.open.set(episode, alert);
    return alert;
  }

  /** A window that is much stranger speaks for the alert from then on, as in the collector. */
  private tell(alert: ReplayAlert, { device, reasons, normal_if }: ScoredWindow): void {
    if (normal_if === undefined) return;
    alert.reasons = reasons;
    alert.normal_if = normal_if;
    alert.summary = alertSentence(device, reasons, normal_if);
  }

  /** `resumed`: when it spoke again. An episode of the device ends with its last suspect window, as in the agent. */
  private addSilence(silence: Silence, resumed: string | null): void {
    const { device, endMs, silentMs } = silence;
    for (const [episode, alert] of this.open) {
      if (alert.device !== device) continue;
      alert.closed = alert.last_suspect;
      this.open.delete(episode);
    }
    const { scope, at, reasons, summary } = silenceMessage(this.options.agent, silence);
    this.add({
      ...{ ...nothingScored(), kind: 'silence', device, scope, opened: at, closed: resumed },
      last_suspect: resumed ?? isoTime(endMs + silentMs),
      duration_seconds: silentMs / 1000,
      reasons,
      summary,
    });
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

/** Of an alert before any of its windows was looked at. */
const nothingScored = () => ({
  closed: null,
  duration_seconds: 0,
  detectors: [] as DetectorName[],
  peak_score: null,
  threshold: null,
  peak_nats: null,
  suspect_windows: 0,
  normal_if: [],
});

const highest = (a: number | null, b: number | null) =>
  a === null || b === null ? (a ?? b) : Math.max(a, b);

/** Null for a threshold that no score reaches. */
const reachable = (threshold: number) => (threshold < NEVER ? threshold : null);
