/**
 * Builds every part of the collector and connects them. The stages know nothing of each other; what one needs of
 * another is handed over here. Nothing has an effect before it is started.
 */
import { randomBytes, randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { type Ack, type Command, DEFAULT_BUDGET, FLEET, span, topics } from '@lineheron/models';
import { Kept, type KeptOptions, type Manifest, ModelStore, ProfileFiles } from '@lineheron/models/persist';
import type { EmbeddedBroker } from './broker/embedded-broker.js';
import { type Config, storeLimits } from './config.js';
import { CollectorControl } from './control.js';
import { AutoencoderTrainer } from './detect/autoencoder-trainer.js';
import { Candidates } from './detect/candidates.js';
import { DeviceTails } from './detect/device-tails.js';
import { DriftMonitor } from './detect/drift-monitor.js';
import { QuantileFiles } from './detect/quantiles.js';
import { Reviewer } from './detect/reviewer.js';
import { TrainingCoordinator } from './detect/training-coordinator.js';
import { ForestCandidates } from './forest-candidates.js';
import { ExpositionWriter } from './http/exposition.js';
import { Feed } from './hub/feed.js';
import { Fleet } from './hub/fleet.js';
import { LiveState } from './hub/live-state.js';
import { Pages } from './hub/pages.js';
import { Standings } from './hub/standings.js';
import { IncidentTracker } from './incident/incident-tracker.js';
import { SilenceTracker } from './incident/silence-tracker.js';
import { BatchQueue } from './ingest/batch-queue.js';
import { Deferrals } from './ingest/deferrals.js';
import { Ledger } from './ingest/ledger.js';
import { MqttLink } from './ingest/mqtt-link.js';
import { LineRequests } from './line-requests.js';
import type { Logger } from './log.js';
import { Pipeline } from './pipeline.js';
import { RecentValues } from './quality/percentile.js';
import { QualityTracker } from './quality/quality-tracker.js';
import { Receiver } from './receiver.js';
import { RetentionTask } from './retention.js';
import { SqliteStore } from './store/sqlite-store.js';
import { Totals } from './totals.js';

export interface PartsOptions {
  config: Config;
  log: Logger;
  version: string;
  now: () => number;
  onFatal: (error: Error) => void;
}

const KEPT_LATENCIES = 2000;
/** Some megabytes for a thousand lines; what five minutes teach is soon learnt again. */
const KEEP_EVERY_MS = 300_000;
/** Agents that are named in the metrics as not doing their work. */
const MAX_PROBLEMS = 1000;

export type Parts = ReturnType<typeof buildParts>;

export function buildParts({ config, log, version, now, onFatal }: PartsOptions) {
  const onProblem = (message: string) => log.warn(message);
  const startedMs = now();
  const state = {
    ledger: new Ledger(),
    fleet: new Fleet(config.silence_seconds * 1000),
    incidents: new IncidentTracker(),
    silences: new SilenceTracker(randomBytes(8).toString('hex')),
    live: new LiveState(),
    totals: new Totals(),
    latency: new RecentValues(KEPT_LATENCIES),
    quality: new QualityTracker(startedMs),
  };
  const { fleet, live, totals, quality } = state;
  /** The broker that this collector runs itself, once it does. */
  const hosted: { broker: EmbeddedBroker | null } = { broker: null };
  const changed = () => feed.touch();
  const store = new SqliteStore({
    path: join(config.data_dir, 'lineheron.db'),
    limits: storeLimits(config.retention),
    now,
    onDeath: onFatal,
    onProblem,
  });
  const link = new MqttLink({
    clientId: `lineheron-collector-${randomBytes(4).toString('hex')}`,
    username: config.mqtt.username,
    password: config.mqtt.password,
    me: {
      instance: randomBytes(8).toString('hex'),
      host: hostname(),
      pid: process.pid,
      address: config.http.port === 0 ? '' : `http://${config.http.host}:${config.http.port}`,
      version,
      started_at: new Date(startedMs).toISOString(),
    },
    onMessage: (topic, payload) => receiver.receive(topic, payload),
    onConnect: () => {
      control.publishDesired();
      receiver.onConnected();
      changed();
    },
    onDisconnect: () => changed(),
    onStandby: (sentence) => {
      log.error(`${sentence}. Until that one ends, this one acknowledges nothing`);
      changed();
    },
    log,
  });

  const modelFolder = join(config.data_dir, 'models');
  const models = new ModelStore(modelFolder, onProblem);
  const quantiles = new QuantileFiles(modelFolder);
  const featuresOf = (agent: string) => fleet.features(agent);
  const profiles = new ProfileFiles(modelFolder);
  const tails = new DeviceTails((scope, fingerprint) => reviewer.modelOf(scope, fingerprint));
  const reviewer: Reviewer = new Reviewer({
    models,
    quantiles,
    profiles,
    featuresOf,
    budget: config.budget_per_device_per_day ?? DEFAULT_BUDGET,
    rareAbove: (line, manifest, budget) => tails.threshold(line, manifest, budget),
    isAlike: (line, manifest) => tails.isAlike(line, manifest),
    onProblem,
  });
  const drift = new DriftMonitor((scope, fingerprint) => reviewer.profileOf(scope, fingerprint), featuresOf);
  const learnt = (what: string, file: string, part: Pick<KeptOptions, 'save' | 'load'>) =>
    new Kept({
      what,
      path: join(config.data_dir, file),
      save: () => part.save(),
      load: (bytes) => part.load(bytes),
      everyMs: KEEP_EVERY_MS,
      monotonicMs: () => performance.now(),
      log,
    });
  const kept = [
    learnt("the lines' own thresholds", 'device-tails.json', tails),
    learnt('the drift meters', 'drift.json', drift),
  ];
  const fitting = {
    seed: config.seed,
    thresholdPercentile: config.threshold_percentile,
    windowSeconds: config.window_size_seconds,
    now,
  };
  const used = { models, quantiles, profiles };
  const use = (manifest: Manifest, payload: Uint8Array) => reviewer.use(manifest, payload);
  const trainer = new AutoencoderTrainer({ ...fitting, ...used, use });
  const training = new TrainingCoordinator({
    now,
    newId: randomUUID,
    seed: config.seed,
    onlineAgents: () => fleet.online,
    send: (agents: readonly string[] | null, command: Command) => {
      if (agents === null) link.publish(topics.command(FLEET), command);
      else for (const agent of agents) link.publish(topics.command(agent), command);
    },
    history: (query) => store.history(query),
    covered: (scope, fingerprint) => reviewer.agentsOf(scope, fingerprint),
    fit: (request) => trainer.fit(request),
    save: (record) => store.saveTraining(record),
    onChange: (record) => {
      if (record.state === 'done') quality.reset(now());
      changed();
    },
    onProblem,
  });

  const candidateFolder = join(modelFolder, 'candidates');
  const own = {
    models: new ModelStore(candidateFolder, onProblem),
    quantiles: new QuantileFiles(candidateFolder),
    profiles: new ProfileFiles(candidateFolder),
  };
  const candidates = new Candidates({
    own,
    used,
    trainer: new AutoencoderTrainer({ ...fitting, ...own, use: async () => {} }),
    epochs: config.epochs,
    now,
    history: (query) => store.history(query),
    covered: (scope, fingerprint) => reviewer.agentsOf(scope, fingerprint),
    inUse: () => reviewer.loaded.map(({ manifest }) => manifest),
    use,
    lasting: () => drift.lasting,
    isTraining: () => training.isRunning,
    onChange: () => changed(),
    onProblem,
  });

  const asking = {
    newId: randomUUID,
    isOnline: (agent: string) => fleet.get(agent)?.online === true && fleet.info(agent) !== null,
    publish: (topic: string, command: Command) => link.publish(topic, command),
    onAnswer: (agent: string, answered: boolean) => {
      fleet.setAnswered(agent, answered, now());
      changed();
    },
  };
  const { incidents, silences } = state;
  const standings = new Standings({
    now,
    fleet,
    alertOf: (agent, device) => incidents.openAlert(agent, device) ?? silences.openAlert(agent, device),
    connected: () => link.connected,
  });
  const pages = new Pages({ fleet, standings, board: live.board });
  const lines = new LineRequests(asking);
  const forests = new ForestCandidates(asking, () => fleet.infos);

  const writer = new ExpositionWriter(() => ({
    metrics: control.metrics(),
    watching: control.watching(),
    detecting: control.settings.detecting,
    connected: link.connected,
    openAlerts: incidents.open + silences.open,
    uptimeSeconds: control.uptimeSeconds,
    problems: standings.problems(MAX_PROBLEMS),
    store: store.state,
    models: control.models(),
    refused: receiver.refused,
    waiting: queue.waiting,
    unsent: link.unsent,
    broker: hosted.broker,
    feedClients: feed.clients,
    feedFrozen: feed.frozen,
  }));
  const shared = {
    ...state,
    now,
    log,
    store,
    link,
    reviewer,
    training,
    drift,
    tails,
    candidates,
    lines,
    forests,
    hosted,
    standings,
    pages,
  };
  const control = new CollectorControl({
    ...shared,
    config,
    version,
    startedMs,
    changed,
    exposition: (format) => writer.write(format),
  });
  const figures = {
    status: () => control.summary(),
    models: () => control.models(),
    metrics: () => control.metrics(),
  };
  const feed = new Feed({
    ...figures,
    now,
    recent: () => live.snapshot(),
    standings,
    board: live.board,
    maxClients: config.http.max_feed_clients,
  });
  const settings = () => control.settings;
  const pipeline = new Pipeline({ ...shared, feed, settings });
  const answer = (agent: string, ack: Ack) => link.publish(topics.ack(agent), ack);
  const queue: BatchQueue = new BatchQueue({
    handle: (group) => pipeline.handle(receiver.open(group)),
  });
  const deferrals = new Deferrals({ perSecond: () => queue.batchesPerSecond, answer });
  const receiver: Receiver = new Receiver({
    now,
    log,
    fleet,
    training,
    lines,
    forests,
    totals,
    queue,
    deferrals,
    answer,
    agentSpoke: () => void pipeline.closeEnded(),
    changed,
  });
  const retention = new RetentionTask(store, now, onProblem);
  /** Remembered times go with the clock when somebody sets it, so that what counts is how long ago they were. */
  const clockMoved = (byMs: number): void => {
    const seconds = Math.round(Math.abs(byMs) / 1000);
    const way = byMs > 0 ? 'forward' : 'back';
    log.warn(
      { seconds },
      `the clock of this machine was set ${way} by ${span(seconds)}: silences and time-outs count on as before`,
    );
    for (const part of [
      fleet,
      standings,
      state.silences,
      state.incidents,
      pipeline,
      feed,
      training,
      candidates,
      quality,
      control,
      retention,
    ])
      part.clockMoved(byMs);
    changed();
  };
  return { clockMoved, ...shared, control, feed, pipeline, queue, receiver, retention, kept };
}
