/** Figures in Prometheus' text forms. Two registries, one a form, since a registry writes only one. */
import {
  COLLECTOR_PROBLEMS,
  LINE_STATES,
  type MetricsView,
  type ModelView,
  type Watching,
} from '@lineheron/models';
import { Counter, Gauge, Registry } from 'prom-client';
import type { EmbeddedBroker } from '../broker/embedded-broker.js';
import type { StoreState } from '../store/store.js';
import type { Exposition } from './accept.js';

export interface Figures {
  metrics: MetricsView;
  watching: Watching;
  detecting: boolean;
  connected: boolean;
  openAlerts: number;
  uptimeSeconds: number;
  /** Of agents that do not do their work; of very many some. */
  problems: ReadonlyArray<{ agent: string; problem: string }>;
  store: StoreState;
  models: readonly ModelView[];
  /** Messages that were refused, by reason. */
  refused: ReadonlyMap<string, number>;
  /** Batches that wait to be dealt with. */
  waiting: number;
  /** Messages to agents that found no connection. */
  unsent: number;
  /** The embedded broker, if there is one. */
  broker: Pick<EmbeddedBroker, 'refused' | 'held'> | null;
  feedClients: number;
  /** Clients of the feed that were cut off because they took nothing. */
  feedFrozen: number;
}

type TextForm = Exclude<Exposition, 'json'>;

interface Written {
  registry: Registry;
  update: (figures: Figures) => void;
}

export class ExpositionWriter {
  private readonly forms: Record<TextForm, Written> = {
    prometheus: build(new Registry()),
    openmetrics: build(openMetricsRegistry()),
  };

  constructor(private readonly figures: () => Figures) {}

  async write(form: TextForm): Promise<string> {
    const { registry, update } = this.forms[form];
    update(this.figures());
    return registry.metrics();
  }
}

function openMetricsRegistry(): Registry {
  const registry = new Registry();
  // The types know only the registry's default form.
  (registry as unknown as { setContentType(type: string): void }).setContentType(
    Registry.OPENMETRICS_CONTENT_TYPE,
  );
  return registry;
}

const TOTALS = {
  batches: 'Score batches stored',
  windows: 'Windows stored',
  records: 'Records stored',
  anomalous_windows: 'Windows that the active model found anomalous',
  alerts: 'Alerts opened',
  duplicates: 'Batches that came again: stored already and acknowledged, or waiting to be stored',
  refused: 'Messages refused, and claims of messages that no agent could make',
  deferred: 'Batches that came when there was no room, so that their agents send them again later',
  thinned: 'Batches that agents say their full spools thinned away, so that they never come',
  ahead: 'Windows stamped by their arrival because their own time was more than five minutes ahead of it',
} as const satisfies Record<keyof MetricsView['totals'], string>;

function build(registry: Registry): Written {
  const registers = [registry];
  const counter = <L extends string>(name: string, help: string, labelNames: L[] = []) =>
    new Counter({ name: `lineheron_${name}_total`, help, labelNames, registers });
  const gauge = <L extends string>(name: string, help: string, labelNames: L[] = []) =>
    new Gauge({ name: `lineheron_${name}`, help, labelNames, registers });
  const totals = Object.entries(TOTALS).map(([name, help]) => ({
    name: name as keyof typeof TOTALS,
    counter: counter(name, help),
  }));
  const reasons = counter('messages_refused', 'Messages refused since start, by reason', ['reason']);
  const brokerRefused = counter('broker_refused', 'What the embedded broker refused since start, by reason', [
    'reason',
  ]);
  const brokerHeld = gauge('broker_held', 'What the embedded broker holds for its clients', ['what']);
  const waiting = gauge('batches_waiting', 'Batches that have come and are not dealt with yet');
  const unsent = counter('messages_unsent', 'Messages to agents lost since start for want of a connection');
  const detecting = gauge(
    'detecting',
    '1 while detection is desired; lines_watched says what is really watched',
  );
  const watched = gauge('lines_watched', 'Lines that report and that something judges which may alert');
  const lines = gauge('lines', 'Known lines by how they stand', ['state']);
  const agentsDetecting = gauge('agents_detecting', 'Agents that are online and say that they detect');
  const problems = gauge('agent_problem', '1 while an agent that is online does not do its work', [
    'agent',
    'problem',
  ]);
  const ownProblems = gauge('problem', '1 while something keeps the collector itself from its work', [
    'problem',
  ]);
  const storeBytes = gauge('store_bytes', 'Size of the store on disk');
  const storeMax = gauge('store_max_bytes', 'Size that the store may have (retention.max_store_gb)');
  const storeSince = gauge('store_oldest_window_timestamp_seconds', 'When the oldest stored window arrived');
  const connected = gauge('broker_connected', '1 while the broker is connected');
  const openAlerts = gauge('open_alerts', 'Alerts that are open');
  const agents = gauge('agents', 'Known agents by state', ['state']);
  const uptime = gauge('uptime_seconds', 'Time since start');
  const clients = gauge('feed_clients', 'Clients that follow the live feed');
  const frozen = counter(
    'feed_clients_frozen',
    'Clients of the feed cut off since start because they took nothing',
  );
  const rate = gauge('anomaly_ratio', 'Share of scored device windows that the active model finds anomalous');
  const latency = gauge('ingest_latency_seconds', 'From spool to commit, by percentile', ['percentile']);
  const quality = gauge('quality_ratio', 'Precision, recall and F1 against ground truth', [
    'model',
    'level',
    'measure',
  ]);
  const delay = gauge('detection_delay_seconds', 'From a true episode’s start to its first suspect', [
    'model',
    'percentile',
  ]);

  const drift = gauge('drift_psi', 'Population stability index of the feature that drifted the farthest', [
    'agent',
    'scope',
    'model',
  ]);
  const driftBound = gauge('drift_psi_bound', 'What that index must exceed to be drift', [
    'agent',
    'scope',
    'model',
  ]);
  const candidates = gauge('model_candidates', 'Retrained models that wait to be accepted');

  const update = ({ metrics, watching, store, models, refused, broker, ...more }: Figures) => {
    for (const total of totals) {
      total.counter.reset();
      total.counter.inc(metrics.totals[total.name]);
    }
    reasons.reset();
    for (const [reason, count] of refused) reasons.inc({ reason }, count);
    brokerRefused.reset();
    for (const [reason, count] of broker?.refused ?? []) brokerRefused.inc({ reason }, count);
    for (const [what, amount] of Object.entries(broker?.held ?? {})) brokerHeld.set({ what }, amount);
    waiting.set(more.waiting);
    unsent.reset();
    unsent.inc(more.unsent);
    detecting.set(Number(more.detecting));
    connected.set(Number(more.connected));
    openAlerts.set(more.openAlerts);
    agents.set({ state: 'online' }, watching.agents_online);
    agents.set({ state: 'offline' }, watching.agents - watching.agents_online);
    agentsDetecting.set(watching.agents_detecting);
    watched.set(watching.lines);
    for (const state of LINE_STATES) lines.set({ state }, watching.states[state] ?? 0);
    problems.reset();
    for (const labels of more.problems) problems.set(labels, 1);
    ownProblems.reset();
    for (const code of COLLECTOR_PROBLEMS) ownProblems.set({ problem: code }, 0);
    for (const { code } of store.problems) ownProblems.set({ problem: code }, 1);
    storeBytes.set(store.bytes);
    storeMax.set(store.maxBytes);
    storeSince.reset();
    if (store.windowsSinceMs !== null) storeSince.set(store.windowsSinceMs / 1000);
    uptime.set(more.uptimeSeconds);
    clients.set(more.feedClients);
    frozen.reset();
    frozen.inc(more.feedFrozen);
    for (const measured of [rate, latency, quality, delay, drift, driftBound]) measured.reset();
    const drifts = models.flatMap((model) =>
      (model.drift ?? []).map((one) => ({ ...one, model: model.name })),
    );
    for (const { agent, scope, model, psi, bound } of drifts) {
      if (psi !== null) drift.set({ agent, scope, model }, psi);
      if (bound !== null) driftBound.set({ agent, scope, model }, bound);
    }
    candidates.set(models.flatMap((model) => model.candidates ?? []).length);
    if (metrics.anomaly_rate !== null) rate.set(metrics.anomaly_rate);
    const { p50, p99 } = metrics.ingest_latency_ms;
    if (p50 !== null) latency.set({ percentile: '50' }, p50 / 1000);
    if (p99 !== null) latency.set({ percentile: '99' }, p99 / 1000);
    for (const [model, { records, episodes }] of Object.entries(metrics.models)) {
      for (const [level, found] of Object.entries({ records, episodes })) {
        for (const measure of ['precision', 'recall', 'f1'] as const) {
          if (found[measure] !== null) quality.set({ model, level, measure }, found[measure]);
        }
      }
      if (episodes.delay_p50_s !== null) delay.set({ model, percentile: '50' }, episodes.delay_p50_s);
      if (episodes.delay_p99_s !== null) delay.set({ model, percentile: '99' }, episodes.delay_p99_s);
    }
  };
  return { registry, update };
}
