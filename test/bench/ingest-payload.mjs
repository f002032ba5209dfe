/**
 * Score batches in the agent's own wire form, cheap to make by the thousand: bodies are encoded once, and only the
 * head, the times and the episodes are written anew for each batch.
 */
import { DEFAULT_FEATURES } from '@lineheron/models';

export const FINGERPRINT = '0123456789abcdef';
export const WINDOWS = 50;
/** Bodies of a kind, so that no two batches in a row are equal. */
const VARIANTS = 8;
const TIME = '2026-01-01T00:00:00.000Z';
const PLACE = 'gw-000/0000000000000000';
/** So long ago is what waited in a spool, ms. */
const BACKLOG_AGE_MS = 3_600_000;

/** A plausible line: level and spread of each default feature. */
const LEVELS = [22, 4, 31, 28, 0.2, 1, 0.05, 0.1, 1, 0.08, 0.01, 0.005, 3, 0.4, 2, 0.02, 0.5, 1, null];

/** Seeded, so that every run measures the same bytes. */
function generator(seed) {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

const digits = (value) => Number(value.toPrecision(8));

function featuresOf(random) {
  const load = 0.9 + 0.2 * random();
  return LEVELS.map((level) => (level === null ? null : digits(level * load * (0.95 + 0.1 * random()))));
}

function reasonOf({ name, unit }, level, share) {
  const [p5, p95] = [digits(level * 0.81234567), digits(level * 1.2345678)];
  return { feature: name, unit, observed: digits(level * 4.3219876), median: level, p5, p95, share };
}

const REASONS = [0, 4, 13].map((at) => reasonOf(DEFAULT_FEATURES[at], LEVELS[at], 0.31415926));

function windowOf(at, devices, { suspect, recorded }, random) {
  const strangeness = digits(2 * random());
  return {
    scope: 'device',
    device: `line-${String(at % devices).padStart(2, '0')}`,
    end: TIME,
    records: 30,
    state: 'scored',
    score: digits(suspect ? 0.71 + 0.05 * random() : 0.4 + 0.1 * random()),
    threshold: 0.61234567,
    suspect,
    baseline: { nats: digits(suspect ? 21 : 3 * random()), threshold: 13.123456, strangeness },
    detectors: suspect ? ['isolation_forest', 'adaptive_baseline'] : [],
    features: featuresOf(random),
    reasons: suspect ? REASONS : [],
    episode: suspect ? `${PLACE}/1/${at % devices}` : null,
    ...(recorded ? { record: at } : {}),
  };
}

const recordOf = ({ device }, random) => ({
  timestamp: TIME,
  device_id: device,
  latency_ms: digits(90 + 10 * random()),
  packet_loss_pct: digits(2 * random()),
  retry_count: 0,
  traffic_volume_mb: digits(3 * random()),
  connection_resets: 0,
  suspect: true,
});

function placesOf(bytes, text) {
  const places = [];
  for (let at = bytes.indexOf(text); at >= 0; at = bytes.indexOf(text, at + 1)) places.push(at);
  return places;
}

function bodyOf(devices, kind, seed) {
  const random = generator(seed);
  const windows = Array.from({ length: WINDOWS }, (_, at) => windowOf(at, devices, kind, random));
  const records = kind.recorded ? windows.map((window) => recordOf(window, random)) : [];
  const json = JSON.stringify({ fingerprint: FINGERPRINT, windows, records });
  const bytes = Buffer.from(`,${json.slice(1)}`, 'latin1');
  return { bytes, times: placesOf(bytes, TIME), episodes: placesOf(bytes, PLACE) };
}

/** Makes the batches of a fleet whose gateways have so many devices each. */
export class Payloads {
  turn = 0;

  constructor(devices) {
    const variants = (kind) => Array.from({ length: VARIANTS }, (_, seed) => bodyOf(devices, kind, seed + 1));
    this.bodies = {
      calm: variants({ suspect: false, recorded: false }),
      suspect: variants({ suspect: true, recorded: false }),
      // As agents publish what they suspect by default: each window with its record.
      recorded: variants({ suspect: true, recorded: true }),
    };
  }

  /** `agent` has the form `gw-000`. */
  batch(kind, { agent, boot, sequence, createdMs, historical = false }) {
    const { bytes, times, episodes } = this.bodies[kind][this.turn++ % VARIANTS];
    const late = historical ? '"historical":true,' : '';
    const created = new Date(createdMs).toISOString();
    const head = `{${late}"v":1,"agent":"${agent}","boot":"${boot}","sequence":${sequence},"created_at":"${created}"`;
    const batch = Buffer.allocUnsafe(head.length + bytes.length);
    batch.latin1Write(head, 0);
    bytes.copy(batch, head.length);
    const end = historical ? new Date(createdMs - BACKLOG_AGE_MS).toISOString() : created;
    for (const at of times) batch.latin1Write(end, head.length + at);
    for (const at of episodes) batch.latin1Write(`${agent}/${boot}`, head.length + at);
    return batch;
  }
}

/** What a gateway says of itself, retained. */
export const infoOf = (agent, boot) => ({
  v: 1,
  agent,
  boot,
  version: '0.1.0',
  started_at: new Date().toISOString(),
  source: { type: 'tail', detail: '/var/log/modem.log', phase: 'live' },
  window_seconds: 30,
  fingerprint: FINGERPRINT,
  features: DEFAULT_FEATURES,
  models: [],
  detecting: true,
  active_model: 'ensemble',
  labels: {},
  spool: { batches: 0, bytes: 0 },
  counters: {},
});
