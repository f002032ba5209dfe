/** Records as production judges them: what is learnt, which alarms a line's own thresholds leave, and its episodes. */
import { describe, expect, it } from 'vitest';
import { Generator } from '../source/generator.js';
import { figuresOf } from './figures.js';
import { DEFAULT_GATEWAY, Gateway, type GatewaySettings } from './gateway.js';
import { judgeRecords } from './records.js';

/** So many that scores reach the forest's threshold: one window in 86. */
const BUDGET = 10_000;
const SECONDS = 16_000;
/** From here on `rough` is slower and never steady. */
const ROUGH_FROM = SECONDS / 4;

function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1103515245 + 12345) & 0x7fffffff;
    return state / 0x7fffffff;
  };
}

const START_MS = Date.UTC(2026, 0, 1);

/** One device, a record a second; it is slow and loses packets where `isBad`. Nothing is labelled. */
function faulty(seconds: number, isBad: (second: number) => boolean): Buffer {
  const random = randomOf(9);
  const line = (second: number) => {
    const bad = isBad(second) ? 1 : 0;
    return JSON.stringify({
      timestamp: new Date(START_MS + second * 1000).toISOString(),
      device_id: 'm1',
      latency_ms: 20 + 5 * random() + 300 * bad,
      packet_loss_pct: 20 * bad,
      retry_count: random() < 0.1 ? 1 : 0,
      traffic_volume_mb: 1 + random(),
      connection_resets: 0,
      is_anomaly: false,
    });
  };
  return Buffer.from(Array.from({ length: seconds }, (_, second) => `${line(second)}\n`).join(''));
}

function lines(): Buffer {
  const random = randomOf(5);
  const line = (second: number, device: string) => {
    const rough = device === 'rough' && second >= ROUGH_FROM ? 1 : 0;
    return JSON.stringify({
      timestamp: new Date(START_MS + second * 1000).toISOString(),
      device_id: device,
      latency_ms: 20 + 5 * random() + rough * (20 + 40 * random()),
      packet_loss_pct: random() * (1 + 9 * rough),
      retry_count: random() < 0.1 + 0.5 * rough ? 1 : 0,
      traffic_volume_mb: 1 + random(),
      connection_resets: random() < 0.2 * rough ? 1 : 0,
      is_anomaly: false,
    });
  };
  const seconds = Array.from({ length: SECONDS }, (_, second) =>
    ['calm', 'rough'].map((device) => line(second, device)),
  );
  return Buffer.from(`${seconds.flat().join('\n')}\n`);
}

it("a device's own threshold ends the forest's alarms on one that is noisier by nature, as in production", async () => {
  const judged = await judgeRecords(
    { bytes: lines(), training: null },
    { trainFraction: 0.25, budget: BUDGET },
    1,
  );
  const { alarms } = judged.detected.find(({ method }) => method === 'isolation_forest')!;
  // Device after device: the second half are the windows of `rough`.
  const rough = Array.from(alarms).slice(alarms.length / 2);
  const share = (of: readonly boolean[]) => of.filter(Boolean).length / of.length;
  expect(share(rough.slice(0, 600))).toBeGreaterThan(0.6);
  expect(share(rough.slice(-4000))).toBeLessThan(0.2);
});

it('hears the autoencoder alone only where it is rare for the line itself, so that calm lines stay quiet', async () => {
  const generator = new Generator({
    ...{ devices: ['m1', 'm2'], seed: 3, anomalies: 'none', anomalyProbability: 0, strength: 1 },
  });
  const calm = Array.from({ length: 6 * 3600 }, (_, second) =>
    generator.at(START_MS + second * 1000).map((record) => JSON.stringify({ ...record, is_anomaly: false })),
  );
  const textOf = (seconds: string[][]) => Buffer.from(`${seconds.flat().join('\n')}\n`);
  // Ten minutes say too little of what is rare in hours.
  const job = { bytes: textOf(calm.slice(600)), training: textOf(calm.slice(0, 600)) };
  const { detected, timeline } = await judgeRecords(job, { trainFraction: 0, budget: 0.2 }, 1);
  const falseADay = (method: string) =>
    figuresOf(detected.find((verdict) => verdict.method === method)!, timeline, true).false_episodes_day;
  expect(falseADay('adaptive_baseline')).toBe(0);
  expect(falseADay('ensemble')).toBeLessThan(10);
});

describe('what is learnt of the training part', () => {
  const isFault = (second: number) => second >= 900 && second < 960;
  const slowest = (gateway: Gateway, bytes: Buffer) => {
    const at = gateway.engine.features.findIndex(({ name }) => name === 'latency_max');
    return Math.max(...gateway.push(bytes).lessons.map((features) => features[at] ?? 0));
  };

  it('is nothing of a fault that the baseline finds, nor of the window behind it', () => {
    const gateway = new Gateway(DEFAULT_GATEWAY, 0.2);
    expect(slowest(gateway, faulty(1800, isFault))).toBeLessThan(26);
  });

  it('is nothing of planned work, nor of the window behind it', () => {
    const atSecond = (second: number) => new Date(START_MS + second * 1000).toISOString();
    const maintenance = [{ from: atSecond(600), to: atSecond(660) }];
    const lessons = (settings: GatewaySettings) =>
      new Gateway(settings, 0.2).push(faulty(1800, () => false)).lessons.length;
    expect(lessons(DEFAULT_GATEWAY) - lessons({ ...DEFAULT_GATEWAY, maintenance })).toBe(60 + 30);
  });

  it('is too little where all of it is planned work, and that is said', async () => {
    const always = [{ from: '2025-01-01T00:00:00Z', to: '2027-01-01T00:00:00Z' }];
    const gateway = { ...DEFAULT_GATEWAY, maintenance: always };
    const job = { bytes: faulty(600, () => false), training: null };
    await expect(judgeRecords(job, { trainFraction: 0.5, budget: 0.2, gateway }, 1)).rejects.toThrow(
      /only 0 windows to learn from.* windows of alerts or planned work/,
    );
  });
});

it('takes a fault whose alarms come and go for one false episode, as production tells it', async () => {
  // Every fifth second for a minute: quiet seconds lie between its records.
  const isBad = (second: number) => second >= 3000 && second < 3060 && second % 5 === 0;
  const job = { bytes: faulty(3600, isBad), training: null };
  const { detected, timeline } = await judgeRecords(job, { trainFraction: 0.5, budget: 0.2 }, 1);
  const baseline = detected.find(({ method }) => method === 'adaptive_baseline')!;
  const begins = baseline.alarms.filter((alarm, at) => alarm && baseline.alarms[at - 1] !== true);
  expect(begins.length).toBeGreaterThan(5);
  const episodes = (figuresOf(baseline, timeline, true).false_episodes_day * timeline.labels.length) / 86_400;
  expect(episodes).toBeCloseTo(1);
});

it('says the same of the same lines whatever their labels are', async () => {
  const bytes = faulty(3600, (second) => second >= 2000 && second < 2030);
  // As long as before, so that the same line ends the training.
  const turned = Buffer.from(bytes.toString().replaceAll('"is_anomaly":false', '"is_anomaly": true'));
  const settings = { trainFraction: 0.3, budget: 0.2 };
  const [a, b] = [
    await judgeRecords({ bytes, training: null }, settings, 1),
    await judgeRecords({ bytes: turned, training: null }, settings, 1),
  ];
  expect(b.detected).toEqual(a.detected);
  expect(b.timeline.labels).not.toEqual(a.timeline.labels);
});
