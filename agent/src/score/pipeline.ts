/**
 * From chunks of lines to batches: one call into the engine a chunk, then episodes, ids and wire form. What comes out
 * waits here, in memory and uncounted, until it is taken; the source's position is taken with it, so nothing is
 * lost when the process ends in between.
 */
import {
  type ActiveModel,
  type AnomalyMessage,
  alertSentence,
  type EpisodeEnd,
  edgeDetectors,
  GATEWAY_DEVICE,
  type NormalIf,
  type Scope,
  type ScoredWindow,
} from '@lineheron/models';
import type { ChannelDefinition, Engine, PushResult, RecordResult, WindowResult } from '@lineheron/native';
import { type LineChunk, pushLines, type Reordered } from '../engine-lines.js';
import { BatchBuilder, type BatchSink, type BuiltBatch } from './batch.js';
import type { DeviceClock } from './device-clock.js';
import { EdgeWindow } from './edge-window.js';
import { type Episode, Episodes } from './episodes.js';
import { type Maintenance, OnlyNormal } from './only-normal.js';
import { silenceMessage } from './silence-message.js';
import { type Silence, Silences } from './silences.js';
import { Unpublished } from './unpublished.js';
import { isoTime, mostBytesOf, thresholdRatioOf, wireNormalIf, wireRecord } from './wire.js';

/** A chunk of whole lines, and where its source stands behind it. */
export interface PipelineChunk extends LineChunk {
  position: ((newestMs: number | null) => unknown) | null;
}

/** Everything that is ready to become durable together. */
export interface Output {
  /** Undefined when the source has none to give. */
  position: unknown;
  batches: BuiltBatch[];
  anomalies: AnomalyMessage[];
  /** Newest window of every device that said something. */
  latest: Map<string, ScoredWindow>;
}

/** Hears of every window that a forest may learn from, whose it is, and the score of the forest in use. */
export type WindowSink = (
  scope: Scope,
  endMs: number,
  features: readonly (number | null)[],
  judged: { device: string; score: number | null },
) => void;

export interface PipelineOptions {
  engine: Pick<Engine, 'push' | 'fingerprint' | 'channels' | 'counters' | 'smallestChange'>;
  windowSeconds: number;
  /** Planned work, as it is known now. */
  maintenance: () => readonly Maintenance[];
  /** The detector that alarms. */
  active: () => ActiveModel;
  agent: string;
  boot: string;
  /** When lines arrive, epoch ms. */
  nowMs: () => number;
  /** By which devices are silent. */
  clock: DeviceClock;
  maxDevices: number;
  onWindow: WindowSink;
  /** False where only the callbacks count: no batch is built. Default true. */
  publishes?: boolean;
  /** Of a batch, as it is known now; what every broker takes when absent. */
  maxBatchBytes?: () => number;
  /** Every window, once its episode is known. */
  onScored?: (window: EdgeWindow) => void;
  /** Hears of every anomaly as it comes about, before the window that it came with. */
  onAnomaly?: (anomaly: AnomalyMessage) => void;
  /** A chunk was lost to a fault of the engine. */
  onEngineError: (error: unknown) => void;
  /** The first lines of a file were not in the order of their times, and were read in it. */
  onReordered?: (how: Reordered) => void;
}

const ENDED: Readonly<Record<EpisodeEnd, string>> = {
  quiet: 'is as before',
  silent: 'has fallen silent',
  resumed: 'reports again',
  level_shift: 'has kept its new level for so long that it counts as normal from now on',
};

type EngineResult = Pick<PushResult, 'windows' | 'records' | 'newestMs'>;

export class Pipeline {
  private readonly batches: BatchSink;
  private readonly publishes: boolean;
  private readonly episodes = new Episodes();
  private readonly onlyNormal: OnlyNormal;
  private readonly silences: Silences;
  private readonly channels: readonly ChannelDefinition[];
  private anomalies: AnomalyMessage[] = [];
  private latest = new Map<string, ScoredWindow>();
  private position: unknown;
  windows = 0;

  constructor(private readonly options: PipelineOptions) {
    const { agent, boot, engine, nowMs } = options;
    const origin = { agent, boot, fingerprint: engine.fingerprint };
    this.publishes = options.publishes ?? true;
    this.batches = this.publishes
      ? new BatchBuilder(origin, nowMs, options.maxBatchBytes)
      : new Unpublished(origin);
    this.onlyNormal = new OnlyNormal(options.windowSeconds * 1000, options.maintenance);
    this.silences = new Silences(options.maxDevices);
    this.channels = engine.channels;
  }

  get pendingBytes(): number {
    return this.batches.pendingBytes;
  }

  /** Returns whether something in it is urgent: an episode opened. */
  push(chunk: PipelineChunk): boolean {
    const nowMs = this.options.nowMs();
    const result = this.runEngine(chunk, nowMs);
    const before = this.anomalies.length;
    if (chunk.emit) this.addLines(result);
    if (chunk.position) this.position = chunk.position(result.newestMs ?? null);
    return this.anomalies.length > before;
  }

  /** A chunk that the engine cannot digest is told and left out: tried again, it would stop us for ever. */
  private runEngine(chunk: PipelineChunk, nowMs: number): EngineResult {
    const nothing = { windows: [], records: [], newestMs: null };
    if (chunk.bytes.length === 0) return nothing;
    try {
      const { engine } = this.options;
      const result = pushLines(engine, chunk, nowMs);
      if (result.reordered) this.options.onReordered?.(result.reordered);
      this.onlyNormal.unsynchronised(engine.counters().unsynchronised);
      return result;
    } catch (error) {
      this.options.onEngineError(error);
      return nothing;
    }
  }

  /** Ends the episodes of devices that fell silent and reports their silence. */
  sweep(): void {
    const { clock } = this.options;
    this.endSilentEpisodes();
    const nowOf = (device: string) => clock.of(device);
    if (!clock.live) this.silences.excuse(nowOf);
    else for (const silence of this.silences.overdue(nowOf)) this.report(silence);
  }

  private endSilentEpisodes(): void {
    const { clock } = this.options;
    for (const episode of this.episodes.closeSilent((device) => clock.of(device))) this.endSilent(episode);
  }

  private endSilent(episode: Episode): void {
    // A page of nothing but errors that adds none is good news.
    const why = episode.holdMs > 0 ? 'quiet' : 'silent';
    this.announce(this.anomaly(episode, episode.id, null, episode.lastSuspectMs, why));
  }

  private report(silence: Silence): void {
    this.announce(silenceMessage(this.options.agent, silence));
  }

  /** Other sources: a device that is read no more has not fallen silent. */
  sourcesChanged(): void {
    this.silences.relearn();
  }

  take(): Output {
    const output = {
      position: this.position,
      batches: this.batches.take(),
      anomalies: this.anomalies,
      latest: this.latest,
    };
    this.anomalies = [];
    this.latest = new Map();
    return output;
  }

  /** Windows and records come in the order of their lines; what one line gave stays together. */
  private addLines({ windows, records }: EngineResult): void {
    let nextWindow = 0;
    let nextRecord = 0;
    while (nextWindow < windows.length || nextRecord < records.length) {
      const lineEnd = Math.min(
        windows[nextWindow]?.lineEnd ?? Number.POSITIVE_INFINITY,
        records[nextRecord]?.lineEnd ?? Number.POSITIVE_INFINITY,
      );
      const record = records[nextRecord]?.lineEnd === lineEnd ? records[nextRecord++]! : null;
      const own: WindowResult[] = [];
      while (windows[nextWindow]?.lineEnd === lineEnd) own.push(windows[nextWindow++]!);
      this.addLine(record, own);
    }
  }

  private addLine(record: RecordResult | null, windows: readonly WindowResult[]): void {
    const { batches, publishes } = this;
    const place = publishes
      ? batches.reserve(record && wireRecord(record, this.channels), windows.length, mostBytesOf(windows))
      : undefined;
    for (const result of windows) {
      const window = new EdgeWindow(result, result.record === null ? undefined : place);
      this.finish(window, batches.nextId());
      batches.append(window);
    }
  }

  private finish(window: EdgeWindow, id: string): void {
    const { result } = window;
    const { device, endMs, suspect, baseline } = result;
    const levelShift = baseline?.levelShift ?? false;
    const holdMs = (baseline?.holdSeconds ?? 0) * 1000;
    const clockMs = this.options.clock.see(device, endMs);
    this.endBefore(device, clockMs);
    const intervalMs = this.silences.intervalMs(device);
    const thresholdRatio = suspect ? thresholdRatioOf(result) : 0;
    const sighting = { device, endMs, suspect, thresholdRatio, levelShift, intervalMs, holdMs };
    const seen = this.episodes.see(sighting, clockMs, id);
    window.episode = seen.episode?.id ?? null;
    if (seen.telling) window.normalIf = this.normalIf(result);
    this.endSilence(device, endMs, id, clockMs);
    if (seen.closed) this.announce(this.anomaly(seen.closed, id, window.wire, endMs, seen.why));
    if (seen.opened && seen.episode) this.announce(this.anomaly(seen.episode, id, window.wire, endMs, null));
    if (this.publishes) this.latest.set(device, window.wire);
    this.options.onScored?.(window);
    this.windows += 1;
    // A forest's own suspicion keeps nothing out: a bad one could never be replaced.
    const inEpisode = seen.episode !== null && this.options.active() !== 'isolation_forest';
    const normal = this.onlyNormal.see(result, inEpisode, levelShift);
    if (!normal || result.state === 'warming_up') return;
    const scope = result.scope === 'gateway' ? 'gateway' : 'device';
    this.options.onWindow(scope, endMs, result.features, { device, score: result.score ?? null });
  }

  /** Asked of the windows that speak for an episode only. */
  private normalIf({ scope, features, threshold, forestSuspect, baseline }: WindowResult): NormalIf[] {
    const { engine } = this.options;
    const forest = forestSuspect ? engine.smallestChange(scope, features, threshold) : null;
    return wireNormalIf(forest ?? null, baseline?.normalIf ?? null);
  }

  /** What the clock says that nobody has asked for since: a silence, and the end of an episode by it. */
  private endBefore(device: string, clockMs: number): void {
    if (device === GATEWAY_DEVICE) {
      this.endSilentEpisodes();
      return;
    }
    const episode = this.episodes.closeSilentOf(device, clockMs);
    if (episode) this.endSilent(episode);
    const silence = this.options.clock.live ? this.silences.overdueOf(device, clockMs) : null;
    if (silence) this.report(silence);
  }

  /** Ends the silence of a device that speaks again. */
  private endSilence(device: string, endMs: number, id: string, clockMs: number): void {
    const ended = this.silences.see(device, endMs, id, clockMs);
    if (ended === null) return;
    const times = { openedMs: endMs, lastSuspectMs: endMs, seenMs: endMs };
    const episode = { id: ended, device, ...times, intervalMs: null, thresholdRatio: 0, holdMs: 0 };
    this.announce(this.anomaly(episode, id, null, endMs, 'resumed'));
  }

  private announce(anomaly: AnomalyMessage): void {
    this.anomalies.push(anomaly);
    this.options.onAnomaly?.(anomaly);
  }

  /** `why` it ended; null when it opens. */
  private anomaly(
    episode: Episode,
    id: string,
    window: ScoredWindow | null,
    atMs: number,
    why: EpisodeEnd | null,
  ): AnomalyMessage {
    const { device } = episode;
    const subject = device === '*' ? 'The gateway as a whole' : device;
    return {
      v: 1,
      id,
      episode: episode.id,
      phase: why === null ? 'opened' : 'closed',
      agent: this.options.agent,
      device,
      scope: device === '*' ? 'gateway' : 'device',
      at: isoTime(atMs),
      score: window?.score ?? null,
      threshold: window?.threshold ?? null,
      baseline: window?.baseline ?? null,
      ...(why === null && window ? { detectors: [...edgeDetectors(window)] } : {}),
      ...(why === null ? {} : { why }),
      reasons: why === null ? (window?.reasons ?? []) : [],
      ...(why === null && window?.normal_if ? { normal_if: window.normal_if } : {}),
      summary:
        why === null
          ? alertSentence(device, window?.reasons ?? [], window?.normal_if)
          : `${subject} ${ENDED[why]}.`,
    };
  }
}
