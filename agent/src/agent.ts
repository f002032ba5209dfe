/**
 * The agent: builds every part, connects them, starts them against the flow (publisher before source) and stops them
 * with it (source first). Stages know nothing of each other; here is the only place that knows all.
 */
import { join } from 'node:path';
import {
  type AgentEvent,
  type AgentInfo,
  FLEET,
  MAX_BATCH_BYTES,
  type Scope,
  span,
  topics,
  WallClock,
} from '@lineheron/models';
import { FolderLock, type Kept } from '@lineheron/models/persist';
import { answerFitting } from './answer-fitting.js';
import type { Clock } from './clock.js';
import { DesiredState } from './command/desired.js';
import { Inbox } from './command/inbox.js';
import type { Config } from './config.js';
import { type Changes, changes, withLiveKeys } from './config-reload.js';
import { sourceName } from './config-source.js';
import { Counters } from './counters.js';
import { noRecorder } from './flight-recorder/answer.js';
import type { FlightRecorder } from './flight-recorder/recorder.js';
import { infoMessage } from './info.js';
import { LateWatch } from './late-watch.js';
import { type Log, messageOf } from './log.js';
import { MetricsServer } from './metrics.js';
import {
  buildFlightRecorder,
  buildForestCandidates,
  buildForests,
  buildHistories,
  buildKept,
  buildRefusalWatch,
  buildSpool,
  detectionSettings,
  engineSettings,
  whenFull,
} from './parts.js';
import { DeviceStates } from './publish/device-states.js';
import { Drain } from './publish/drain.js';
import { Link } from './publish/link.js';
import { Refusals } from './publish/refusals.js';
import { Rivals } from './publish/rivals.js';
import { Reading } from './reading.js';
import type { RefusalWatch } from './refusal-watch.js';
import { arrivalClock } from './score/device-clock.js';
import type { ForestCandidates } from './score/forest-candidates.js';
import { ForestDrift } from './score/forest-drift.js';
import type { Forests } from './score/forests.js';
import type { History } from './score/history.js';
import type { Output } from './score/pipeline.js';
import { MAX_DEVICES, Scoring } from './score/scoring.js';
import { Training } from './score/training.js';
import { endsAgent } from './source/feeds.js';
import type { Phase } from './source/source.js';
import { Quarantine } from './spool/quarantine.js';
import type { Spool } from './spool/spool.js';

export interface AgentOptions {
  config: Config;
  version: string;
  /** 16 hexadecimal digits, random per process start. */
  boot: string;
  pid: number;
  clock: Clock;
  /** In [0, 1), for jitter and sampling. */
  random: () => number;
  log: Log;
  onPhase: (phase: Phase) => void;
  /** All that there was to read is read, and what came of it is with the collector. */
  onEnded: () => void;
}

const TICK_MS = 1_000;
const INFO_EVERY_TICKS = 30;
const LATE_EVERY_TICKS = 5;
/** How often, at most, it is told that a backlog is gone. */
const DRAINED_EVERY_TICKS = 5;
/** All that an end may cost once the source has stopped, and the part of it that may go by in waiting for answers. */
const GOODBYE_MS = 1_500;
const LAST_ACKS_MS = 800;

export class Agent {
  private readonly counters = new Counters();
  private readonly scoring: Scoring;
  private readonly lock: FolderLock;
  private readonly spool: Spool;
  private readonly refusals: Refusals;
  private readonly desired: DesiredState;
  private readonly forests: Forests;
  private readonly drift: ForestDrift;
  private readonly candidates: ForestCandidates;
  private readonly kept: readonly Kept[];
  private readonly histories: Record<Scope, History>;
  private readonly training: Training;
  private readonly inbox: Inbox;
  private link: Link;
  private readonly drain: Drain;
  private readonly recorder: FlightRecorder | null;
  private readonly states: DeviceStates;
  private readonly refusalWatch: RefusalWatch;
  private readonly lateWatch: LateWatch;
  private readonly metrics: MetricsServer;
  private readonly startedAt: string;
  /** What it was built with; a reload changes what can change while running. */
  private config: Config;
  private reading: Reading | null = null;
  private phase: Phase | null = null;
  private timer: NodeJS.Timeout | undefined;
  private readonly rivals: Rivals;
  private ticks = 0;
  private readonly wallClock: WallClock;
  private readonly ending = new AbortController();
  /** Waiting batches in the last info. */
  private toldBatches = 0;

  constructor(private readonly options: AgentOptions) {
    const { config, clock, log, random } = options;
    const { counters } = this;
    this.config = config;
    const file = (...names: string[]) => join(config.data_dir, ...names);
    this.wallClock = new WallClock(
      (byMs) => this.clockMoved(byMs),
      () => clock.nowMs(),
      () => clock.monotonicMs(),
    );
    this.startedAt = new Date(clock.nowMs()).toISOString();
    this.lock = new FolderLock(config.data_dir, 'agent', options.pid);
    this.spool = buildSpool(config, log, counters);
    this.refusals = new Refusals({
      spool: this.spool,
      quarantine: new Quarantine(config.data_dir),
      ...{ clock, log, counters },
      onSettled: (gone) => this.drain.settled(gone),
    });
    this.desired = new DesiredState({ path: file('desired.json'), log, onChange: () => this.applyDesired() });
    this.scoring = this.buildScoring();
    const { engine } = this.scoring;
    this.forests = buildForests(config, this.scoring, clock, log);
    this.histories = buildHistories(config, engine);
    this.training = new Training({
      forests: this.forests,
      histories: this.histories,
      clock,
      random,
      onEvent: (event) => this.tellEvent(event),
      onTrained: () => this.publishInfo(),
    });
    this.drift = new ForestDrift(
      config.agent_id,
      engine.features.map(({ name }) => name),
      (scope) => this.forests.profileOf(scope),
    );
    this.kept = buildKept(config.data_dir, { engine, drift: this.drift }, { clock, log, counters });
    this.candidates = buildForestCandidates(config, log, {
      forests: this.forests,
      histories: this.histories,
      fingerprint: engine.fingerprint,
      lasting: () => this.drift.lasting,
      isTraining: () => this.training.running !== null,
      monotonicMs: () => clock.monotonicMs(),
      onChange: () => this.publishInfo(),
    });
    this.recorder = buildFlightRecorder(config, clock, log, counters);
    this.refusalWatch = buildRefusalWatch(config, engine, {
      ...{ clock, log },
      onChange: () => this.publishInfo(),
    });
    this.lateWatch = new LateWatch({
      counters: () => engine.counters(),
      samples: () => engine.lateSample(),
      ...{ clock, log },
    });
    this.inbox = this.buildInbox();
    this.link = this.buildLink();
    this.rivals = new Rivals(options.boot, (seen) => this.link.setRival(seen));
    this.drain = new Drain({
      waiting: this.spool,
      send: (bytes) => this.link.publish(topics.score(config.agent_id), bytes),
      sizes: () => this.link.sizes,
      tooLarge: (batch, bytes) => this.refusals.tooLarge(batch, bytes),
      clock,
      log,
    });
    this.states = new DeviceStates({
      agent: config.agent_id,
      featureNames: engine.features.map(({ name }) => name),
      maxDevices: MAX_DEVICES,
      publish: (topic, payload) => this.link.settled && this.link.publish(topic, payload, true),
      monotonicMs: () => clock.monotonicMs(),
    });
    this.metrics = new MetricsServer(() => this.metricsState(), log);
  }

  /** What the collector has not acknowledged yet. */
  get waitingBatches(): number {
    return this.spool.batches;
  }

  async start(): Promise<void> {
    await this.lock.acquire();
    await this.spool.start();
    await this.desired.start();
    await this.forests.start();
    await this.candidates.start();
    for (const kept of this.kept) await kept.start();
    await this.histories.device.start();
    await this.histories.gateway.start();
    await this.recorder?.start();
    this.useDesired();
    void this.connectSoon();
    this.reading = this.buildReading();
    this.checkPhase();
    this.reading.start();
    await this.metrics.start(this.config.metrics.port);
    this.timer = setInterval(() => this.tick(), TICK_MS);
  }

  /** Source, then spool, then a short chance for what is on the way, then goodbye. */
  async stop(): Promise<void> {
    this.ending.abort();
    clearInterval(this.timer);
    if (this.training.running) this.training.cancel(this.training.running);
    await this.reading?.stop();
    await this.recorder?.stop();
    await this.flushHistories();
    for (const kept of this.kept) await kept.keep();
    await this.desired.flush();
    const { clock } = this.options;
    const startMs = clock.monotonicMs();
    await this.drain.finish(startMs + LAST_ACKS_MS, () => this.link.connected);
    this.publishInfo();
    await this.link.stop(startMs + GOODBYE_MS - clock.monotonicMs());
    await this.metrics.stop();
    await this.spool.close();
    await this.lock.release();
  }

  /**
   * Takes over what can change while running and says what cannot. Nothing that is measured or waits is touched: a
   * new connection sends again what the old one had no answer for. Throws ConfigError when the engine refuses a
   * source's format; then nothing has changed.
   */
  async reload(next: Config): Promise<Changes> {
    const found = changes(this.config, next);
    const config = withLiveKeys(this.config, next);
    if (found.live.some((path) => path.startsWith('sources.'))) await this.reading?.change(config);
    this.config = config;
    this.refusalWatch.retain(config.sources.map(sourceName));
    this.spool.setWhenFull(whenFull(config));
    this.forests.retune(this.config);
    this.useDesired();
    const keys = found.live.map((path) => path.split('.')[0]);
    if (keys.includes('mqtt') || keys.includes('tls')) await this.relink();
    else if (found.live.length > 0) this.publishInfo();
    if (keys.includes('metrics')) {
      await this.metrics.stop();
      await this.metrics.start(this.config.metrics.port);
    }
    return found;
  }

  /** Measuring begins at once; only the connection waits its random part, after a power cut that met all. */
  private async connectSoon(): Promise<void> {
    const { clock, random } = this.options;
    const { link } = this;
    await clock.sleep(random() * this.config.start_delay_max_seconds * 1000, this.ending.signal);
    if (!this.ending.signal.aborted && link === this.link) link.start();
  }

  private clockMoved(byMs: number): void {
    const seconds = Math.round(Math.abs(byMs) / 1000);
    const way = byMs > 0 ? 'forward' : 'back';
    this.counters.add('clock_jumps');
    this.options.log.warn(
      { seconds },
      `the clock of this machine was set ${way} by ${span(seconds)}: records that are stamped here have the new time`,
    );
  }

  private metricsState() {
    const info = this.currentInfo();
    return info && { info, connected: this.link.connected, residentBytes: process.memoryUsage.rss() };
  }

  private async relink(): Promise<void> {
    await this.link.stop(GOODBYE_MS);
    if (this.ending.signal.aborted) return;
    this.link = this.buildLink();
    this.link.start();
  }

  private tick(): void {
    this.ticks += 1;
    // The log and the counter of clock jumps need it; no timer depends on it.
    this.wallClock.now();
    void this.drain.resendDue();
    this.link.tick();
    this.recorder?.tick();
    this.states.repeatDue();
    void this.flushHistories();
    for (const kept of this.kept) kept.keepDue();
    this.candidates.lookDue();
    this.checkPhase();
    this.checkEnd();
    const drained =
      this.toldBatches > 0 && this.spool.batches === 0 && this.ticks % DRAINED_EVERY_TICKS === 0;
    if (drained || this.ticks % INFO_EVERY_TICKS === 0) this.publishInfo();
    this.refusalWatch.tick();
    if (this.ticks % INFO_EVERY_TICKS === 0) this.refusalWatch.tellSamples();
    if (this.ticks % LATE_EVERY_TICKS === 0) this.lateWatch.tick();
  }

  private checkPhase(): void {
    const phase = this.reading?.feeds.phase ?? null;
    if (phase === null || phase === this.phase) return;
    this.phase = phase;
    this.options.onPhase(phase);
    this.publishInfo();
  }

  /** Only where the input is the agent's own: a service whose file is read stays. */
  private checkEnd(): void {
    if (this.reading?.ended && this.spool.batches === 0 && endsAgent(this.config.sources)) {
      this.options.onEnded();
    }
  }

  private durable(output: Output): void {
    const topic = topics.anomaly(this.config.agent_id);
    for (const anomaly of output.anomalies) {
      this.link.publish(topic, JSON.stringify(anomaly));
      if (anomaly.phase === 'opened') void this.recorder?.freeze(anomaly.episode);
    }
    this.states.update(output.latest);
    for (const { phase, device, episode, state, summary } of output.anomalies) {
      if (state === 'stale') this.states.stale(device, summary);
      if (phase === 'closed') this.states.close(device, episode);
    }
    this.drain.offer(output.batches);
  }

  private useDesired(): void {
    this.scoring.setDetection(detectionSettings(this.config, this.desired.settled));
  }

  private applyDesired(): void {
    const { detecting, active_model } = this.desired.settled;
    this.useDesired();
    this.options.log.info({ detecting, active_model }, 'what is desired has changed');
    this.publishInfo();
  }

  private tellEvent(event: AgentEvent): void {
    this.link.publish(topics.event(this.config.agent_id), JSON.stringify(event));
    if (event.type === 'training' && event.phase !== 'collecting') {
      const { request_id, phase, rows, message } = event;
      this.options.log.info({ request_id, phase, rows, message }, 'training');
    }
  }

  private async sendLines(requestId: string, alert: string): Promise<void> {
    await answerFitting({
      answer: async (maxBytes) =>
        (await this.recorder?.answer(requestId, alert, maxBytes)) ?? noRecorder(requestId, alert),
      deliver: (event) => this.link.deliver(topics.event(this.config.agent_id), JSON.stringify(event)),
      refusedBytes: () => this.link.sizes.refusedBytes,
      connected: () => this.link.settled,
      clock: this.options.clock,
      signal: this.ending.signal,
      log: this.options.log,
    });
  }

  private async useCandidate(requestId: string, sha256: string): Promise<void> {
    const event = await this.candidates.accept(requestId, sha256);
    const { accepted, scope, message } = event;
    this.options.log.info(
      { request_id: requestId, accepted, scope, message },
      'a retrained forest was asked for',
    );
    this.tellEvent(event);
  }

  private publishInfo(): void {
    const info = this.currentInfo();
    if (!info) return;
    this.toldBatches = info.spool.batches;
    this.link.publish(topics.info(info.agent), JSON.stringify(info), true);
  }

  private currentInfo(): AgentInfo | null {
    const { config, reading, scoring, desired, spool } = this;
    const { boot, version } = this.options;
    if (!reading) return null;
    return infoMessage({
      config,
      boot,
      version,
      startedAt: this.startedAt,
      source: reading.feeds,
      refused: this.refusalWatch.view(),
      engine: scoring.engine,
      models: this.forests.models,
      drift: this.drift.view(),
      candidates: this.candidates.view(),
      settled: desired.settled,
      spool,
      counters: { ...this.counters.snapshot(), windows: scoring.pipeline.windows },
    });
  }

  private connected(): void {
    this.rivals.connected();
    this.publishInfo();
  }

  private subscribed(): void {
    this.states.republish();
    this.drain.reconnected();
  }

  private received(topic: string, payload: Buffer, retained: boolean): void {
    this.inbox.receive(topic, payload);
    if (topic === topics.info(this.config.agent_id)) this.checkRival(payload, retained);
    // A collector says what is desired when it begins to listen: what went out before may have met nobody.
    if (topic === topics.desired(FLEET) && !retained) this.drain.reconnected();
  }

  private checkRival(payload: Buffer, retained: boolean): void {
    const boot = /"boot":"([0-9a-f]{16})"/.exec(payload.toString('latin1'))?.[1];
    if (boot !== undefined) this.rivals.hear(boot, retained);
  }

  private async flushHistories(): Promise<void> {
    for (const history of Object.values(this.histories)) {
      await history.flush().catch((error) => {
        this.counters.add('history_write_errors');
        this.options.log.warn({ error: messageOf(error) }, 'cannot write the history');
      });
    }
  }

  private buildScoring(): Scoring {
    const { config, boot, clock, log } = this.options;
    const windowMs = config.window_size_seconds * 1000;
    return new Scoring({
      engine: engineSettings(config),
      detection: detectionSettings(config, this.desired.settled),
      ...{ agent: config.agent_id, boot },
      maintenance: () => this.config.maintenance,
      clock: arrivalClock(
        () => clock.monotonicMs(),
        () => this.reading?.feeds.phase === 'live',
      ),
      nowMs: () => clock.nowMs(),
      // Records and windows around it differ: half of what was refused passes surely.
      maxBatchBytes: () => Math.min(MAX_BATCH_BYTES, this.link.sizes.refusedBytes / 2),
      onWindow: (scope, endMs, features, judged) => {
        this.histories[scope].add({ endMs, features });
        this.training.collect(scope, { endMs, features });
        this.drift.add(scope, { ...judged, endMs, features, windowMs });
      },
      onReordered: (how) => {
        this.counters.add('chunks_reordered');
        const what = how === 'newest_first' ? 'are newest first' : 'are in no order of time';
        log.warn(
          { remedy: 'let the file be written oldest first; larger ones are turned round by tac' },
          `the first lines of a file ${what}: they were read in the order of their times`,
        );
      },
      onEngineError: (error) => {
        this.counters.add('engine_errors');
        log.error({ error: messageOf(error) }, 'the engine failed: a chunk of lines is left out');
      },
    });
  }

  private buildInbox(): Inbox {
    const { config, log } = this.options;
    return new Inbox(
      config.agent_id,
      {
        ack: ({ ranges, refused, busy }) => {
          if (busy) this.drain.deferred(busy.ranges, busy.retry_ms);
          this.drain.settled(this.spool.acknowledge(ranges));
          for (const { boot, sequence, code } of refused)
            void this.refusals.refused({ boot, sequence }, code);
        },
        verdict: (verdict) => {
          this.states.review(verdict);
          // An alert may be the collector's own.
          if (verdict.status === 'open') void this.recorder?.freeze(verdict.alert);
        },
        desired: (whose, desired) => this.desired.set(whose, desired),
        command: (command) => {
          if (command.type === 'send_lines') {
            void this.sendLines(command.request_id, command.alert);
            return;
          }
          if (command.type === 'use_candidate') {
            void this.useCandidate(command.request_id, command.sha256);
            return;
          }
          if (command.type === 'cancel_training') {
            this.training.cancel(command.request_id);
            return;
          }
          const {
            request_id: requestId,
            duration_seconds: durationSeconds,
            use_history: useHistory,
          } = command;
          void this.training.start({ requestId, durationSeconds, useHistory });
        },
      },
      log,
      this.counters,
    );
  }

  private buildLink(): Link {
    const { clock, random, log } = this.options;
    const { config } = this;
    return new Link({
      ...config.mqtt,
      tls: config.tls,
      agent: config.agent_id,
      subscriptions: [...this.inbox.subscriptions, topics.info(this.config.agent_id)],
      clock,
      random,
      log,
      counters: this.counters,
      onConnect: () => this.connected(),
      onSubscribed: () => this.subscribed(),
      onMessage: (topic, payload, retained) => this.received(topic, payload, retained),
    });
  }

  private buildReading(): Reading {
    const { clock, random, log } = this.options;
    const { spool, counters } = this;
    const { engine, pipeline } = this.scoring;
    return Reading.of(this.config, {
      ...{ engine, pipeline, spool, clock, random, log, counters },
      trained: () => this.forests.has('device'),
      active: () => this.desired.settled.active_model,
      brokerRoundTrip: (timeoutMs) => this.link.roundTrip(timeoutMs),
      onLines: (source, bytes) => this.recorder?.record(source, bytes),
      onPushed: ({ options }, bytes) => this.refusalWatch.pushed(options, bytes),
      onDurable: (output) => this.durable(output),
    });
  }
}
