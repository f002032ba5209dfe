/** What the HTTP routes may ask of the collector and order it to do, carried out on its parts. */
import {
  type ActiveModel,
  type AgentsPage,
  type AgentsPageQuery,
  type AgentView,
  DEFAULT_TRAINING_SECONDS,
  type Desired,
  type FeedStatus,
  type LinesEvent,
  type LinesPage,
  type LinesPageQuery,
  MAX_STATUS_AGENTS,
  MAX_STATUS_DEVICES,
  type MetricsView,
  type ModelView,
  type StatusView,
  type Training,
  type TrainRequest,
  topics,
  type Watching,
} from '@lineheron/models';
import type { EmbeddedBroker } from './broker/embedded-broker.js';
import type { Config } from './config.js';
import type { Candidates } from './detect/candidates.js';
import type { DriftMonitor } from './detect/drift-monitor.js';
import type { Reviewer } from './detect/reviewer.js';
import type { TrainingCoordinator } from './detect/training-coordinator.js';
import type { ForestCandidates } from './forest-candidates.js';
import type { Control } from './http/dependencies.js';
import { ProblemError } from './http/problem.js';
import type { Agent } from './hub/agent-view.js';
import type { Fleet } from './hub/fleet.js';
import { modelViews } from './hub/model-views.js';
import type { Pages } from './hub/pages.js';
import type { Standings } from './hub/standings.js';
import type { IncidentTracker } from './incident/incident-tracker.js';
import type { SilenceTracker } from './incident/silence-tracker.js';
import type { MqttLink } from './ingest/mqtt-link.js';
import type { LineRequests } from './line-requests.js';
import type { RecentValues } from './quality/percentile.js';
import type { QualityTracker } from './quality/quality-tracker.js';
import { answered } from './queries.js';
import type { Settings, Store } from './store/store.js';
import type { Totals } from './totals.js';

export interface ControlParts {
  config: Config;
  version: string;
  startedMs: number;
  now: () => number;
  store: Store;
  fleet: Fleet;
  standings: Standings;
  pages: Pages;
  reviewer: Reviewer;
  training: TrainingCoordinator;
  drift: DriftMonitor;
  candidates: Candidates;
  hosted: { broker: Pick<EmbeddedBroker, 'problems'> | null };
  forests: ForestCandidates;
  lines: LineRequests;
  incidents: IncidentTracker;
  silences: SilenceTracker;
  quality: QualityTracker;
  totals: Totals;
  latency: RecentValues;
  link: MqttLink;
  /** Something that the status shows has changed. */
  changed: () => void;
  exposition: Control['exposition'];
}

/** Agents named for each model, the farthest from its training first. */
const MAX_DRIFTS = 20;
/** How long a refusal of the embedded broker is shown. */
const BROKER_PROBLEM_MS = 600_000;
/** What the store holds is shown in such steps, so that not every commit is news for the feed. */
const STEP_BYTES = 1_000_000;

export class CollectorControl implements Control {
  private current: Settings = { detecting: false, active_model: 'ensemble' };

  private startedMs: number;

  constructor(private readonly parts: ControlParts) {
    this.startedMs = parts.startedMs;
  }

  /** The clock was set by so much. */
  clockMoved(byMs: number): void {
    this.startedMs += byMs;
  }

  get settings(): Settings {
    return this.current;
  }

  restore(settings: Partial<Settings>): void {
    this.current = { ...this.current, ...settings };
  }

  get uptimeSeconds(): number {
    return (this.parts.now() - this.startedMs) / 1000;
  }

  status(): StatusView {
    const { fleet } = this.parts;
    const summary = this.summary();
    const agents = this.worstAgents().map((agent) => this.withDevices(agent));
    const { agents: all } = summary.watching;
    const isAll =
      agents.length === all && agents.every(({ id, devices }) => devices.length === fleet.lineCountOf(id));
    return {
      ...summary,
      uptime_seconds: this.uptimeSeconds,
      agents,
      ...(isAll ? {} : { more: { agents: '/api/v1/agents', lines: '/api/v1/lines' } }),
    };
  }

  /** The same without agents and lines: of one size whatever the fleet's. */
  summary(): FeedStatus {
    const { config, version, training, incidents, silences, standings, link } = this.parts;
    standings.refresh();
    const { window_size_seconds, contamination, threshold_percentile, epochs, anomaly_probability } = config;
    return {
      version,
      started_at: new Date(this.startedMs).toISOString(),
      ...this.current,
      trained: this.trained(),
      training: shortTraining(training.current),
      broker: { url: withoutSecrets(link.url), connected: link.connected, problems: this.brokerProblems() },
      settings: { window_size_seconds, contamination, threshold_percentile, epochs, anomaly_probability },
      open_alerts: incidents.open + silences.open,
      watching: standings.watching,
      ...this.storage(),
    };
  }

  watching(): Watching {
    this.parts.standings.refresh();
    return this.parts.standings.watching;
  }

  currentTraining(): Training | null {
    return this.parts.training.current;
  }

  agentsPage(query: AgentsPageQuery): AgentsPage {
    return this.parts.pages.agents(query);
  }

  linesPage(query: LinesPageQuery): LinesPage {
    return this.parts.pages.lines(query);
  }

  private worstAgents(): Agent[] {
    const worst = this.parts.standings.agentsByRank.flatMap((agents) => firstOf(agents, MAX_STATUS_AGENTS));
    return worst.slice(0, MAX_STATUS_AGENTS).sort((a, b) => (a.id < b.id ? -1 : 1));
  }

  private withDevices(agent: Agent): AgentView {
    const { standings } = this.parts;
    const devices = firstOf(agent.lines.values(), MAX_STATUS_DEVICES).sort((a, b) =>
      a.device < b.device ? -1 : 1,
    );
    return { ...standings.agent(agent), devices: devices.map((line) => standings.line(line)) };
  }

  private brokerProblems(): StatusView['broker']['problems'] {
    const problems = this.parts.hosted.broker?.problems(BROKER_PROBLEM_MS) ?? [];
    return problems.map(({ lastMs, ...problem }) => ({
      ...problem,
      last_at: new Date(lastMs).toISOString(),
    }));
  }

  models(): ModelView[] {
    const { config, fleet, reviewer, drift, candidates, forests } = this.parts;
    const { loaded } = reviewer;
    const manifests = loaded.map(({ manifest }) => manifest);
    const drifts = manifests.flatMap(({ scope, fingerprint }) =>
      drift
        .view(scope, fingerprint)
        .slice(0, MAX_DRIFTS)
        .map((one) => ({ ...one, scope })),
    );
    const news = {
      autoencoder: { drift: drifts, candidates: candidates.view() },
      isolation_forest: { drift: forests.drift().slice(0, MAX_DRIFTS), candidates: forests.view() },
    };
    const { active_model } = this.current;
    const budget = config.budget_per_device_per_day;
    return modelViews(active_model, fleet.infos, loaded, fleet.baselineReady, news, budget);
  }

  metrics(): MetricsView {
    const { totals, quality, latency } = this.parts;
    return {
      totals: totals.view,
      anomaly_rate: quality.anomalyRate,
      ingest_latency_ms: { p50: latency.percentile(0.5), p99: latency.percentile(0.99) },
      models: quality.view(),
      since: quality.since,
    };
  }

  exposition(format: 'prometheus' | 'openmetrics'): Promise<string> {
    return this.parts.exposition(format);
  }

  async train(request: TrainRequest): Promise<Training> {
    const { config, training, fleet } = this.parts;
    const durationSeconds = request.duration_seconds ?? DEFAULT_TRAINING_SECONDS;
    const useHistory = request.use_history ?? false;
    if (durationSeconds === 0 && !useHistory) {
      const message = 'must be more than 0 unless `use_history` is true';
      throw new ProblemError('invalid_request', `duration_seconds: ${message}`, [
        { path: 'duration_seconds', message },
      ]);
    }
    if (training.isRunning)
      throw new ProblemError('training_in_progress', `Training ${training.current?.id} is running.`);
    checkAgents(request.agents ?? null, fleet);
    return answered(
      training.start({
        durationSeconds,
        useHistory,
        epochs: request.epochs ?? config.epochs,
        agents: request.agents ?? null,
      }),
    );
  }

  trainingEnd(id: string): Promise<Training> | null {
    return this.parts.training.ended(id);
  }

  cancelTraining(id: string): Promise<boolean> {
    return this.parts.training.cancel(id);
  }

  lines(agent: string, alert: string): Promise<LinesEvent> {
    return this.parts.lines.ask(agent, alert);
  }

  setDetecting(detecting: boolean): Promise<void> {
    return this.change({ detecting });
  }

  /** With the checksum of a candidate that goes to work first. While detecting, only a trained model may take over: another would find nothing, and say nothing of it. */
  async setModel(active_model: ActiveModel, candidate?: string): Promise<void> {
    const { candidates, forests } = this.parts;
    if (
      candidate !== undefined &&
      !((await candidates.accept(candidate)) || (await forests.accept(candidate)))
    ) {
      throw new ProblemError(
        'not_found',
        'No candidate has that checksum: another model may have taken its place.',
      );
    }
    if (this.current.detecting && !this.canDetect(active_model)) {
      const detail = `${active_model} is not trained yet: call POST /train first, or POST /stop to choose it.`;
      throw new ProblemError('not_trained', detail);
    }
    await this.change({ active_model });
  }

  /** The adaptive baseline learns as it goes; the others need something that is trained, or a baseline that is ready. */
  canDetect(model: ActiveModel): boolean {
    return model === 'adaptive_baseline' || this.trained()[model];
  }

  notReady(): string | null {
    if (!this.parts.store.isOpen) return 'The store is not open.';
    const { failing } = this.parts.store.state;
    if (failing !== null) return `Nothing can be stored: ${failing}.`;
    const { link } = this.parts;
    if (link.standby !== null) return `Not serving: ${link.standby}.`;
    return link.connected ? null : 'The broker is not connected.';
  }

  private storage(): Pick<StatusView, 'store' | 'problems'> {
    const { bytes, maxBytes, windowsSinceMs, problems } = this.parts.store.state;
    return {
      store: {
        bytes: Math.round(bytes / STEP_BYTES) * STEP_BYTES,
        max_bytes: maxBytes,
        windows_hours: this.parts.config.retention.windows_hours,
        windows_since: windowsSinceMs === null ? null : new Date(windowsSinceMs).toISOString(),
      },
      problems: problems.map(({ code, sinceMs, message }) => ({
        ...{ code, message },
        since: new Date(sinceMs).toISOString(),
      })),
    };
  }

  /** Tells the fleet, retained, what is desired: the broker may have forgotten it. */
  publishDesired(): void {
    const { budget_per_device_per_day: budget } = this.parts.config;
    const desired: Desired = { v: 1, ...this.current, ...(budget === undefined ? {} : { budget }) };
    this.parts.link.publish(topics.desired('fleet'), desired, true);
    this.parts.fleet.desire(this.current, this.parts.now());
  }

  private async change(settings: Partial<Settings>): Promise<void> {
    await answered(this.parts.store.saveSettings(settings));
    this.current = { ...this.current, ...settings };
    this.publishDesired();
    this.parts.changed();
  }

  private trained(): StatusView['trained'] {
    const { fleet, reviewer } = this.parts;
    const found = {
      isolation_forest: fleet.hasForest,
      adaptive_baseline: fleet.baselineReady,
      autoencoder: reviewer.loaded.length > 0,
    };
    return { ...found, ensemble: Object.values(found).some(Boolean) };
  }
}

function firstOf<T>(items: Iterable<T>, most: number): T[] {
  const first: T[] = [];
  for (const item of items) {
    if (first.length === most) break;
    first.push(item);
  }
  return first;
}

/** Of many agents in training some. */
function shortTraining(training: Training | null): Training | null {
  if (training === null || training.agents.length <= MAX_STATUS_AGENTS) return training;
  const others = training.agents.slice(MAX_STATUS_AGENTS);
  const done = others.filter(({ state }) => state === 'done');
  const rows = done.reduce((sum, { rows: { device, gateway } }) => sum + device + gateway, 0);
  const left_out = { agents: others.length, done: done.length, rows };
  return { ...training, agents: training.agents.slice(0, MAX_STATUS_AGENTS), left_out };
}

const MAX_NAMED = 10;

function named(ids: readonly string[]): string {
  const more = ids.length > MAX_NAMED ? ` and ${ids.length - MAX_NAMED} more` : '';
  return ids.slice(0, MAX_NAMED).join(', ') + more;
}

/** Throws unless every agent that is to be trained is known and one of them is online; null: all that are online. */
function checkAgents(wanted: readonly string[] | null, fleet: Fleet): void {
  const online = fleet.online.map(({ id }) => id);
  const present = online.length === 0 ? 'No agent is online.' : `Online: ${named(online)}.`;
  const unknown = (wanted ?? []).filter((id) => !fleet.knows(id));
  if (unknown.length > 0) throw new ProblemError('unknown_agents', `Unknown: ${named(unknown)}. ${present}`);
  if ((wanted ?? online).some((id) => online.includes(id))) return;
  throw new ProblemError('no_agents', wanted ? `Not online: ${named(wanted)}. ${present}` : present);
}

function withoutSecrets(url: string): string {
  try {
    const parsed = new URL(url);
    parsed.username = '';
    parsed.password = '';
    return parsed.href;
  } catch {
    return '';
  }
}
