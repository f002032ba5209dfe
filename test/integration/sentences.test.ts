/**
 * What alerts of every kind say: lines through the agent's scoring, its windows through the collector's alerts, and every
 * sentence on the way is read by the rules.
 */
import {
  type Alert,
  alertSentence,
  anomalySentence,
  DEFAULT_FEATURES,
  edgeDetectors,
  type NormalIf,
  type Reason,
  type ScoredWindow,
} from '@lineheron/models';
import { fitForest } from '@lineheron/native';
import { describe, expect, it } from 'vitest';
import { testScoring } from '../../agent/src/test-scoring.js';
import {
  extendAlert,
  type OpenAlert,
  openAlert,
  type ReviewedWindow,
} from '../../collector/src/incident/alert-state.js';
import { sentenceFaults } from '../support/sentence-rules.js';

const START_MS = Date.UTC(2026, 0, 5);

type Fields = Record<string, unknown>;
type Channels = { name: string; unit: string; kind: 'gauge' | 'count' }[];

const calm = (second: number): Fields => ({
  latency_ms: 20 + ((second * 13) % 17) / 3,
  packet_loss_pct: ((second * 3) % 7) / 10,
  retry_count: second % 4 === 0 ? 1 : 0,
  traffic_volume_mb: 2 + ((second * 7) % 5) / 9,
  connection_resets: 0,
});

interface Story {
  usual?: (second: number) => Fields;
  fault: (second: number) => Fields;
  channels?: Channels;
  /** Who is heard; default the adaptive baseline. */
  heard?: 'adaptive_baseline' | 'isolation_forest' | 'ensemble';
  /** Whose forest is trained. */
  scope?: 'device' | 'gateway';
  stepS?: number;
  /** Records at fault; default thirty. */
  length?: number;
}

interface Told {
  anomalies: string[];
  windows: ScoredWindow[];
  sentences: string[];
}

/** Four hundred usual records, then those at fault. */
async function told(story: Story) {
  const { usual = calm, fault, channels = [], heard = 'adaptive_baseline' } = story;
  const { scope: trained = 'device', stepS = 1, length = 30 } = story;
  const windows: ScoredWindow[] = [];
  const rows: (readonly (number | null)[])[] = [];
  const { engine, pipeline } = testScoring({
    engine: { channels, publishRecords: 'none' },
    detection: { detecting: true, activeModel: heard },
    nowMs: () => START_MS + 86_400_000,
    onScored: ({ wire }) => windows.push(wire),
    onWindow: (scope, _endMs, features) => scope === trained && rows.push(features),
  });
  const push = (second: number, fields: Fields) => {
    const { channels: declared, ...rest } = fields;
    const line = {
      timestamp: START_MS + second * stepS * 1000,
      device_id: 'modem',
      ...rest,
      ...(declared as object),
    };
    pipeline.push({ bytes: Buffer.from(`${JSON.stringify(line)}\n`), emit: true, position: null });
  };
  for (let second = 0; second < 400; second++) push(second, usual(second));
  if (heard !== 'adaptive_baseline') {
    const values = Float64Array.from(rows.flat(), (value) => value ?? Number.NaN);
    const { fingerprint, features } = engine;
    const fitted = await fitForest(values, { fingerprint, features, contamination: 0.01 });
    engine.setForest(trained, fitted.bytes);
    engine.setThreshold(trained, fitted.threshold);
  }
  pipeline.take();
  windows.length = 0;
  for (let second = 400; second < 400 + length; second++) push(second, fault(second));
  const anomalies = pipeline.take().anomalies.map(({ summary }) => summary);
  const suspects = windows.filter(({ suspect }) => suspect);
  const sentences = [
    ...anomalies,
    ...suspects.map(({ device, reasons, normal_if }) => alertSentence(device, reasons, normal_if)),
    ...alerts(windows.filter(({ scope }) => scope === trained)).map(({ summary }) => summary),
  ];
  return { anomalies, windows: suspects, sentences } satisfies Told;
}

function reviewed(window: ScoredWindow, index: number): ReviewedWindow {
  const { device, scope, score, threshold, suspect, reasons, normal_if, episode, baseline } = window;
  const found = edgeDetectors(window);
  return {
    ...{ id: `gw/0123456789abcdef/1/${index}`, agent: 'gw', boot: '0123456789abcdef', device, scope },
    endMs: Date.parse(window.end),
    edge: { suspect, reasons, normal_if },
    forest: { suspect: found.includes('isolation_forest'), score, threshold },
    baseline: baseline
      ? { suspect: found.includes('adaptive_baseline'), score: baseline.nats, threshold: baseline.threshold }
      : null,
    ...{ autoencoder: null, episode, truth: null, historical: false },
  };
}

/** The collector's alert after each window. */
function alerts(windows: readonly ScoredWindow[]): Alert[] {
  let open: OpenAlert | null = null;
  return windows.flatMap((window, index) => {
    if (open === null && !window.suspect) return [];
    const next = reviewed(window, index);
    if (open === null) open = openAlert(next, 'ensemble', 0);
    else extendAlert(open, next, 'ensemble', 0);
    return [{ ...open.alert }];
  });
}

const gauge = (name: string, unit: string): Channels => [{ name, unit, kind: 'gauge' }];
const declared =
  (name: string, value: (second: number) => number) =>
  (second: number): Fields => ({
    ...calm(second),
    channels: { [name]: value(second) },
  });
const many: Channels = Array.from({ length: 64 }, (_, at) => ({
  name: `channel_${at}`,
  unit: ['dB', 'dBm', '°C', 'rpm', 'm/s²', ''][at % 6]!,
  kind: at % 5 === 0 ? 'count' : 'gauge',
}));
const ofMany =
  (shift: number) =>
  (second: number): Fields => ({
    ...calm(second),
    channels: Object.fromEntries(
      many.map(({ name, kind }, at) => [
        name,
        kind === 'count' ? (second + at) % 3 : 40 + ((second * (at + 3)) % 11) + (at === 7 ? shift : 0),
      ]),
    ),
  });

const STORIES: Record<string, [story: Story, opens: RegExp, closes?: RegExp]> = {
  'a latency that is high': [
    { fault: (second) => ({ ...calm(second), latency_ms: 181 }) },
    /^modem: latency 181 ms \(usually 20–25 ms\)\. Alerts above \d\d ms\.$/,
  ],
  'a latency that is low': [
    {
      usual: (second) => ({ ...calm(second), latency_ms: 180 + (second % 7) }),
      fault: (second) => ({ ...calm(second), latency_ms: 3 }),
    },
    /^modem: latency 3 ms \(usually 180–186 ms\)\. Alerts below 1\d\d ms\.$/,
  ],
  'packet loss': [
    { fault: (second) => ({ ...calm(second), packet_loss_pct: 14 }) },
    /^modem: packet loss 14 % \(usually below 0\.6 %\)/,
  ],
  retries: [
    { fault: (second) => ({ ...calm(second), retry_count: 9 }) },
    /^modem: 9 retries in a record \(usually at most 1\)/,
  ],
  'connection resets': [
    { fault: (second) => ({ ...calm(second), connection_resets: 7 }) },
    /^modem: 7 connection resets in a record \(usually 0\)/,
  ],
  'no traffic': [
    {
      usual: (second) => ({ ...calm(second), traffic_volume_mb: 20 + (second % 5) }),
      fault: (second) => ({ ...calm(second), traffic_volume_mb: 0 }),
    },
    /^modem: traffic 0 MB \(usually 20–24 MB\)/,
  ],
  'an error by its name': [
    { fault: (second) => ({ ...calm(second), error_code: 'T3-timeout' }) },
    /^modem: T3-timeout(, \d times in \d+ s)? \(none in the last 7 min\)/,
  ],
  'a code that is a number': [
    { fault: (second) => ({ ...calm(second), error_code: 503 }) },
    /^modem: error 503(, \d times in \d+ s)? \(none in the last 7 min\)/,
  ],
  'several channels at once': [
    {
      fault: (second) => ({
        ...calm(second),
        latency_ms: 90,
        packet_loss_pct: 30,
        error_code: 500,
        retry_count: 5,
      }),
    },
    /^modem: /,
  ],
  'a value of nothing but one before': [
    {
      usual: (second) => ({ ...calm(second), packet_loss_pct: 0 }),
      fault: (second) => ({ ...calm(second), packet_loss_pct: 2.5 }),
    },
    /^modem: packet loss 2\.5 % \(usually 0 %\)/,
  ],
  'a value that hardly varied': [
    {
      usual: (second) => ({ ...calm(second), latency_ms: 21 + (second % 3) / 1000 }),
      fault: (second) => ({ ...calm(second), latency_ms: 60 }),
    },
    /^modem: latency 60 ms \(usually about 21 ms\)/,
  ],
  'a value beyond all bounds': [
    { fault: (second) => ({ ...calm(second), latency_ms: 1e12 }) },
    /^modem: latency 1,000,000,000,000 ms \(usually 20–25 ms\)/,
  ],
  'a value that is tiny': [
    {
      usual: (second) => ({ ...calm(second), traffic_volume_mb: 1e-7 * (5 + (second % 3)) }),
      fault: (second) => ({ ...calm(second), traffic_volume_mb: 1e-5 }),
    },
    /^modem: traffic 0\.00001 MB \(usually /,
  ],
  'a level below zero': [
    {
      channels: gauge('signal', 'dBm'),
      usual: declared('signal', (second) => -60 - (second % 5)),
      fault: declared('signal', () => -101),
    },
    /^modem: signal −101 dBm \(usually −64 to −60 dBm\)\. Alerts below −\d\d(\.\d)? dBm\.$/,
  ],
  'a declared rate with an odd unit': [
    {
      channels: gauge('bit_rate', 'Mbit/s'),
      usual: declared('bit_rate', (second) => 40 + (second % 9)),
      fault: declared('bit_rate', () => 2),
    },
    /^modem: bit rate 2 Mbit\/s \(usually 40–48 Mbit\/s\)/,
  ],
  'one of sixty-four declared channels': [
    { channels: many, usual: ofMany(0), fault: ofMany(300) },
    /^modem: channel 7 3\d\d /,
  ],
  'a line that reports every five minutes': [
    { stepS: 300, fault: (second) => ({ ...calm(second), latency_ms: 181 }) },
    /^modem: latency 181 ms \(usually 20–25 ms\)/,
  ],
  'what the forest alone finds': [
    {
      heard: 'isolation_forest',
      fault: (second) => ({ ...calm(second), latency_ms: 20 + (second % 2) * 60, retry_count: 3 }),
    },
    /^modem: /,
  ],
  'the gateway as a whole': [
    {
      ...{ heard: 'isolation_forest', scope: 'gateway' },
      fault: (second) => ({ ...calm(second), latency_ms: 20 + (second % 2) * 60, retry_count: 3 }),
    },
    /^The gateway as a whole: latency swings by ±[\d.]+ ms \(usually 1\.6–1\.7 ms\)/,
  ],
  'a new level that lasts': [
    { fault: (second) => ({ ...calm(second), latency_ms: 120 + (second % 7) }), length: 1000 },
    /^modem: latency 12\d ms \(usually 20–25 ms\)\. Alerts above \d\d ms\.$/,
    /^modem has kept its new level for so long that it counts as normal from now on\.$/,
  ],
  'what both find': [
    { heard: 'ensemble', fault: (second) => ({ ...calm(second), latency_ms: 181, packet_loss_pct: 9 }) },
    /^modem: /,
  ],
  'records that hold nothing but the forest': [
    { heard: 'ensemble', usual: () => ({ latency_ms: 20 }), fault: () => ({ latency_ms: 90 }) },
    /^modem: /,
  ],
};

describe('what an alert says of', () => {
  it.each(Object.entries(STORIES))('%s', async (_name, [story, opens, closes]) => {
    const { anomalies, sentences } = await told(story);
    expect(anomalies[0]).toMatch(opens);
    if (closes) expect(anomalies.slice(1)).toEqual([expect.stringMatching(closes)]);
    const faults = [...new Set(sentences)].flatMap((sentence) =>
      sentenceFaults(sentence).map((fault) => `${sentence} ${fault}`),
    );
    expect(faults).toEqual([]);
  });
});

describe('an alert of the collector', () => {
  const of = (feature: string, unit: string, [observed, p5, p95]: [number, number, number]): Reason => ({
    ...{ feature, unit, observed, median: (p5 + p95) / 2, p5, p95, share: 0.5 },
  });
  const loss = of('packet_loss_variance', '%²', [42.25, 0, 0.01]);
  const steady = of('log_frequency', '1/s', [1.03, 1, 1.05]);
  const latency = of('latency_ms', 'ms', [181, 20, 25]);
  const limit = {
    feature: 'latency_ms',
    unit: 'ms',
    value: 84,
    side: 'below',
    detector: 'adaptive_baseline',
  } as const;
  const window = (
    end: number,
    edge: { reasons: Reason[]; ratio: number; normal_if?: NormalIf[] } | null,
    autoencoder: { reasons: Reason[]; ratio: number } | null,
    device = 'modem',
  ): ReviewedWindow => ({
    ...{
      id: `gw/0123456789abcdef/1/${end}`,
      agent: 'gw',
      boot: '0123456789abcdef',
      device,
      endMs: end * 1000,
    },
    scope: device === '*' ? 'gateway' : 'device',
    edge: { suspect: edge !== null, reasons: edge?.reasons ?? [], normal_if: edge?.normal_if },
    forest: { suspect: false, score: null, threshold: null },
    baseline: edge && { suspect: true, score: 13 * edge.ratio, threshold: 13 },
    autoencoder: autoencoder && {
      suspect: true,
      score: autoencoder.ratio,
      threshold: 1,
      reasons: autoencoder.reasons,
    },
    ...{ episode: null, truth: null, historical: false },
  });
  const grown = (first: ReviewedWindow, ...windows: ReviewedWindow[]) => {
    const open = openAlert(first, 'ensemble', 0);
    for (const next of windows) extendAlert(open, next, 'ensemble', 0);
    return open.alert;
  };
  const edge = { reasons: [latency], ratio: 2, normal_if: [limit] };

  it.each([
    [
      'of the autoencoder alone leaves out what is usual',
      grown(window(1, null, { reasons: [steady, loss], ratio: 2 })),
      'modem: packet loss swings by ±6.5 % (usually below 0.1 %).',
    ],
    [
      'of nothing but what is usual says that the combination is not',
      grown(window(1, null, { reasons: [steady], ratio: 2 }, '*')),
      'The gateway as a whole: an unusual combination: 1.03 records per second (usually 1–1.05).',
    ],
    [
      'of a detector that gives no reasons says so',
      grown(window(1, null, { reasons: [], ratio: 2 })),
      'modem behaves unlike what was seen in training.',
    ],
    [
      'that the edge opened keeps its reasons, however strange the autoencoder finds it',
      grown(window(1, edge, null), window(2, null, { reasons: [loss], ratio: 90 })),
      'modem: latency 181 ms (usually 20–25 ms). Alerts above 84 ms.',
    ],
    [
      'takes the edge’s reasons and limit in place of the autoencoder’s, together',
      grown(window(1, null, { reasons: [loss], ratio: 90 }), window(2, edge, null)),
      'modem: latency 181 ms (usually 20–25 ms). Alerts above 84 ms.',
    ],
    [
      'goes by the window that is much stranger, without the limit of another',
      grown(
        window(1, edge, null),
        window(2, { reasons: [of('latency_ms', 'ms', [900, 20, 25])], ratio: 9 }, null),
      ),
      'modem: latency 900 ms (usually 20–25 ms).',
    ],
    [
      'stays with what it said when another window is little stranger',
      grown(window(1, edge, null), window(2, { reasons: [loss], ratio: 2.2 }, null)),
      'modem: latency 181 ms (usually 20–25 ms). Alerts above 84 ms.',
    ],
  ])('%s', (_name, { summary }, text) => {
    expect(summary).toBe(text);
    expect(sentenceFaults(summary)).toEqual([]);
  });
});

describe('any reasons at all', () => {
  /** Seeded: the same on every machine. */
  function random() {
    let state = 12_345;
    return () => {
      state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
      return state / 2_147_483_648;
    };
  }

  it('are said without a fault, whatever feature, size, sign and range they have', () => {
    const next = random();
    const pick = <T>(of: readonly T[]) => of[Math.floor(next() * of.length)]!;
    const value = (scale: number) => (next() < 0.15 ? 0 : scale * (next() - 0.2));
    const features = [
      ...DEFAULT_FEATURES,
      { name: 'latency_ms', unit: 'ms' },
      { name: 'errors', unit: '' },
      { name: 'signal_variance', unit: 'dBm²' },
      { name: 'attach_rate', unit: '' },
      { name: 'signal', unit: 'dBm' },
    ];
    const faults = new Set<string>();
    for (let round = 0; round < 20_000; round++) {
      const reasons = Array.from({ length: Math.floor(next() * 4) }, (): Reason => {
        const scale = 10 ** Math.floor(next() * 16 - 6);
        const [p5, p95] = [value(scale), value(scale)].sort((a, b) => a - b) as [number, number];
        const observed = next() < 0.05 ? null : value(scale * 10 ** Math.floor(next() * 4 - 1));
        const known = next() < 0.9;
        const { name, unit } = pick(features);
        const usual = known ? { median: (p5 + p95) / 2, p5, p95 } : { median: null, p5: null, p95: null };
        return { feature: name, unit, observed, ...usual, share: 0.5 };
      });
      const normalIf = reasons.slice(0, 1).map(
        ({ feature, unit }): NormalIf => ({
          ...{ detector: 'adaptive_baseline', feature, unit },
          ...{ value: value(10 ** Math.floor(next() * 8 - 2)), side: pick(['below', 'above'] as const) },
        }),
      );
      for (const sentence of [alertSentence('modem', reasons, normalIf), anomalySentence('*', reasons)]) {
        for (const fault of sentenceFaults(sentence)) faults.add(`${sentence} ${fault}`);
      }
    }
    expect([...faults].slice(0, 10)).toEqual([]);
  });
});
