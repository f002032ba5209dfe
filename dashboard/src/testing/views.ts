/** Views for tests: complete and valid by the feed's own schemas, changed by the fields that a test names. */
import type {
  Alert,
  FeedAgent,
  FeedLine,
  FeedModel,
  FeedStatus,
  MetricsView,
  ModelView,
  Quality,
  RecordView,
  SnapshotFrame,
  WindowView,
} from '@lineheron/models';

/** Start of every fixture's time, ms. */
export const T0 = Date.parse('2026-03-01T12:00:00.000Z');
export const at = (seconds: number) => new Date(T0 + seconds * 1000).toISOString();

export function window(second: number, fields: Partial<WindowView> = {}): WindowView {
  const { agent = 'gw-1', device = 'line-1' } = fields;
  return {
    id: `${agent}/b0a1c2d3e4f50617/${second + 1}/${device.length}`,
    agent,
    device,
    scope: 'device',
    end: at(second),
    received_at: at(second + 0.2),
    state: 'scored',
    records: 30,
    latency_ms: 20,
    packet_loss_pct: 0.1,
    traffic_volume_mb: 3,
    isolation_forest: { score: 0.4, threshold: 0.5, suspect: false },
    adaptive_baseline: { score: 1.5, threshold: 13, suspect: false },
    autoencoder: { score: 0.2, threshold: 1, suspect: false },
    anomalous: false,
    alert: null,
    reasons: [],
    is_anomaly: false,
    anomaly_type: null,
    ...fields,
  };
}

export function record(second: number, fields: Partial<RecordView> = {}): RecordView {
  return {
    agent: 'gw-1',
    device: 'line-1',
    timestamp: at(second),
    latency_ms: 20,
    packet_loss_pct: 0,
    retry_count: 0,
    error_code: null,
    traffic_volume_mb: 3,
    connection_resets: 0,
    window: null,
    anomalous: false,
    is_anomaly: false,
    anomaly_type: null,
    ...fields,
  };
}

export function alert(second: number, fields: Partial<Alert> = {}): Alert {
  return {
    id: `gw-1/b0a1c2d3e4f50617/${second + 1}/0`,
    agent: 'gw-1',
    device: 'line-1',
    scope: 'device',
    status: 'open',
    opened_by: 'edge',
    verdict: 'confirmed',
    severity: 'critical',
    active_model: 'ensemble',
    detectors: ['isolation_forest'],
    opened_at: at(second),
    last_suspect_at: at(second),
    closed_at: null,
    windows: 1,
    isolation_forest: { score: 0.7, threshold: 0.5 },
    autoencoder: null,
    reasons: [],
    summary: 'line-1: mean latency 180 ms (usual 20–30 ms).',
    truth: [],
    ...fields,
  };
}

export function status(fields: Partial<FeedStatus> = {}): FeedStatus {
  return {
    version: '0.1.0',
    started_at: at(0),
    detecting: true,
    active_model: 'ensemble',
    trained: { isolation_forest: true, adaptive_baseline: true, autoencoder: true, ensemble: true },
    training: null,
    broker: { url: 'mqtt://127.0.0.1:1883', connected: true, problems: [] },
    settings: {
      window_size_seconds: 30,
      contamination: 0.1,
      threshold_percentile: 95,
      epochs: 50,
      anomaly_probability: 0.05,
    },
    open_alerts: 0,
    watching: watching({}),
    store: { bytes: 0, max_bytes: 1e10, windows_hours: 168, windows_since: null },
    problems: [],
    ...fields,
  };
}

export function watching(fields: Partial<FeedStatus['watching']>): FeedStatus['watching'] {
  return {
    lines: 0,
    of: 0,
    states: {},
    missed: {},
    agents_detecting: 0,
    agents_online: 0,
    agents: 0,
    agents_with_problems: 0,
    ...fields,
  };
}

export function agent(id: string, online = true): FeedAgent {
  return {
    id,
    online,
    version: '0.1.0',
    boot: 'b0a1c2d3e4f50617',
    source: { type: 'generate', detail: '2 devices', phase: 'live' },
    fingerprint: '0123456789abcdef',
    last_seen: at(0),
    detecting: true,
    active_model: 'ensemble',
    problems: [],
  };
}

/** A line's row in a frame. */
export function line(
  number: number,
  key: string,
  state: FeedLine[3] = 'scored',
  alert: string | null = null,
): FeedLine {
  const [id, device] = key.split('/') as [string, string];
  return [number, id, device, state, state === 'scored', alert, T0, 0, 20, 0.1];
}

const QUALITY: Quality = {
  records: {
    true_positives: 8,
    false_positives: 2,
    false_negatives: 2,
    true_negatives: 88,
    ignored: 0,
    precision: 0.8,
    recall: 0.8,
    f1: 0.8,
  },
  episodes: {
    true_episodes: 5,
    found: 4,
    alerts: 5,
    false_alerts: 1,
    false_alerts_per_device_hour: 1.25,
    precision: 0.8,
    recall: 0.8,
    f1: 0.8,
    delay_p50_s: 2,
    delay_p99_s: 9,
  },
};

export function metrics(): MetricsView {
  return {
    totals: {
      batches: 10,
      windows: 1_234_567,
      records: 99_999,
      anomalous_windows: 12,
      alerts: 5,
      duplicates: 0,
      deferred: 0,
      thinned: 0,
      ahead: 0,
      refused: 0,
    },
    anomaly_rate: 0.0123,
    ingest_latency_ms: { p50: 38.2, p99: 121 },
    models: {
      isolation_forest: QUALITY,
      adaptive_baseline: QUALITY,
      autoencoder: QUALITY,
      ensemble: QUALITY,
    },
    since: at(0),
  };
}

type Instance = ModelView['instances'][number];

export function instance(agent: string | null, release: number, fields: Partial<Instance> = {}): Instance {
  return {
    kind: 'isolation_forest',
    scope: 'device',
    release,
    sha256: 'ab'.repeat(32),
    fingerprint: '0123456789abcdef',
    trained_at: at(release),
    rows: 1000,
    threshold: 0.5,
    size_bytes: 90_000,
    training_ms: 40,
    inference_us: 4 + release,
    agent,
    memory_bytes: null,
    ...fields,
  };
}

export function model(fields: Partial<FeedModel> = {}): FeedModel {
  return {
    name: 'isolation_forest',
    active: false,
    trained: true,
    description: '',
    place: 'edge',
    instances: {
      count: 0,
      agents: 0,
      release: null,
      trained_at: null,
      rows: 0,
      size_bytes: 0,
      inference_us: null,
      of_devices: { count: 0, threshold: null, cannot_alert: null },
    },
    in_use: [],
    ...fields,
  };
}

export function snapshot(fields: Partial<SnapshotFrame> = {}): SnapshotFrame {
  return {
    type: 'snapshot',
    v: 3,
    topics: ['fleet', 'list', 'alerts', 'records'],
    n: 7,
    now_ms: T0 + 10_000,
    status: status(),
    agents: [],
    lines: [],
    sparks: [],
    models: [],
    metrics: metrics(),
    records: [],
    alerts: [],
    ...fields,
  };
}
