/** A device's own threshold of the forest: the engine's against the formula that the collector's autoencoder goes by. */
import { scoreTail, thresholdForBudget, thresholdForDevice } from '@lineheron/models';
import { Engine, type WindowResult } from '@lineheron/native';
import { beforeAll, describe, expect, it } from 'vitest';
import { type FittedScope, fitScope } from './fit.js';
import { fleetTail, forestThreshold } from './forest-threshold.js';

const WINDOW_SECONDS = 5;
const WINDOW_MS = WINDOW_SECONDS * 1000;
const START_MS = Date.UTC(2026, 0, 1);
/** So many that the threshold is one that scores reach: one window in 86. */
const BUDGET = 10_000;
/** The forest's. */
const PART = BUDGET / 10;
const CALM = ['a', 'b', 'c', 'd'];

function randomOf(seed: number) {
  let state = seed;
  return () => {
    state = (state * 1103515245 + 12345) & 0x7fffffff;
    return state / 0x7fffffff;
  };
}

/** One line a second of each device; `rough` is slower by nature, and never steady. */
function linesOf(devices: readonly string[], from: number, to: number): Buffer {
  const lines: string[] = [];
  const random = randomOf(from + 7);
  for (let second = from; second < to; second++) {
    for (const device of devices) {
      const rough = device === 'rough' ? 1 : 0;
      lines.push(
        JSON.stringify({
          timestamp: new Date(START_MS + second * 1000).toISOString(),
          device_id: device,
          latency_ms: 20 + 5 * random() + rough * (8 + 14 * random()),
          packet_loss_pct: random() * (1 + 2 * rough),
          retry_count: random() < 0.1 ? 1 : 0,
          traffic_volume_mb: 1 + random(),
          connection_resets: 0,
        }),
      );
    }
  }
  return Buffer.from(`${lines.join('\n')}\n`);
}

function newEngine(maxDevices = 100) {
  const plan = { windowSeconds: WINDOW_SECONDS, hopSeconds: 0, baseline: false, maxDevices };
  return new Engine({ ...plan, publishRecords: 'none' });
}

const deviceWindows = (windows: readonly WindowResult[]) => windows.filter(({ scope }) => scope === 'device');
const NOW_MS = START_MS + 86_400_000;

let fitted: FittedScope;
let other: FittedScope;
let metrics: Record<string, number>;

/** An engine with the forest of the calm devices in use. */
function trained(maxDevices?: number): Engine {
  const engine = newEngine(maxDevices);
  engine.setForest('device', fitted.bytes);
  engine.setThreshold('device', forestThreshold({ threshold: 0.5, metrics }, 'ensemble', BUDGET));
  engine.setFleetTail(fleetTail({ scope: 'device', metrics }, 'ensemble', BUDGET));
  engine.setDetecting(true);
  return engine;
}

beforeAll(async () => {
  const engine = newEngine();
  const { windows } = engine.push(linesOf(CALM, 0, 600), NOW_MS, true);
  const rows = deviceWindows(windows).filter(({ state }) => state === 'untrained');
  const fit = (seed: number) =>
    fitScope(
      rows.map(({ features }) => features),
      { engine, seed, contamination: 0.1, windowSeconds: WINDOW_SECONDS },
    );
  [fitted, other] = [await fit(1), await fit(2)];
  metrics = { ...fitted.tail };
});

/** What the engine keeps of a score. */
const kept = (score: number) => Math.round(score * 65_535) / 65_535;

describe("a device's own threshold", () => {
  it('is the formula of the collector, window by window, over two blocks of two hundred', () => {
    const ofFleet = thresholdForBudget(metrics, PART)!;
    const windows = deviceWindows(trained().push(linesOf(['rough'], 0, 2300), NOW_MS, true).windows);
    let [block, whole]: number[][] = [[], []];
    let lastMs = Number.NEGATIVE_INFINITY;
    let compared = 0;
    for (const { endMs, score, threshold } of windows) {
      if (score === null) continue;
      const own = whole!.length > 0 ? whole! : block!;
      const tail = { ...scoreTail(own, 0, 1), windows_per_day: metrics.windows_per_day! };
      const expected = own.length === 0 ? ofFleet : thresholdForDevice(tail, metrics, PART)!;
      expect(Math.abs(threshold! - expected)).toBeLessThan(1e-6);
      compared += expected === ofFleet ? 0 : 1;
      if (endMs - lastMs < WINDOW_MS) continue;
      lastMs = endMs;
      block = [...block!, kept(score)];
      if (block.length === 200) [block, whole] = [[], block];
    }
    expect(compared).toBeGreaterThan(2000);
    expect(whole).toHaveLength(200);
  });

  it('ends the alarms of a device that is noisier by nature, and leaves a new one to the threshold of the fleet', () => {
    const engine = trained();
    const ofFleet = thresholdForBudget(metrics, PART)!;
    const first = deviceWindows(engine.push(linesOf([...CALM, 'rough'], 600, 740), NOW_MS, true).windows);
    const rough = first.filter(({ device, score }) => device === 'rough' && score !== null);
    expect(rough.every(({ threshold }) => threshold === ofFleet)).toBe(true);
    const share = (of: readonly WindowResult[]) => of.filter(({ suspect }) => suspect).length / of.length;
    const early = share(rough);
    expect(early).toBeGreaterThan(0.5);
    engine.push(linesOf([...CALM, 'rough'], 740, 1700), NOW_MS, true);
    const late = deviceWindows(
      engine.push(linesOf([...CALM, 'rough', 'new'], 1700, 1800), NOW_MS, true).windows,
    );
    const of = (name: string) => late.filter(({ device, score }) => device === name && score !== null);
    expect(share(of('rough'))).toBeLessThan(0.05);
    expect(of('rough')[0]!.threshold).toBeGreaterThan(ofFleet);
    expect(of('new').every(({ threshold }) => threshold === ofFleet)).toBe(true);
    expect(of('a').every(({ threshold }) => threshold !== ofFleet)).toBe(true);
  });

  it('goes with a forest that is replaced and with a device that is forgotten', () => {
    const engine = trained(1);
    const ofFleet = thresholdForBudget(metrics, PART)!;
    const thresholdAt = (device: string, from: number) =>
      deviceWindows(engine.push(linesOf([device], from, from + 20), NOW_MS, true).windows).at(-1)!.threshold;
    engine.push(linesOf(['rough'], 0, 400), NOW_MS, true);
    expect(thresholdAt('rough', 400)).not.toBe(ofFleet);
    expect(thresholdAt('other', 420)).toBe(ofFleet);
    engine.push(linesOf(['other'], 440, 900), NOW_MS, true);
    expect(thresholdAt('other', 900)).not.toBe(ofFleet);
    engine.setForest('device', fitted.bytes);
    expect(thresholdAt('other', 920)).toBe(ofFleet);
  });

  it('is after a restart the one before, window by window', () => {
    const [lines, seconds] = [['rough', ...CALM, 'young'], 1300];
    const before = trained();
    before.push(linesOf(lines.slice(0, -1), 0, seconds - 100), NOW_MS, true);
    before.push(linesOf(lines, seconds - 100, seconds), NOW_MS, true);
    const [kept, baselines] = [before.saveOwnTails()!, before.saveBaselines()];
    // Another device came first, so that none stands in the slot where it stood.
    const after = trained();
    after.push(linesOf(['first'], 0, 1), NOW_MS, true);
    expect(after.loadOwnTails(kept)).toBe(6);
    after.loadBaselines(baselines);
    const last = linesOf(lines, seconds - 100, seconds);
    after.push(last, NOW_MS, false);
    const next = linesOf(lines, seconds, seconds + 700);
    const told = (engine: Engine) =>
      deviceWindows(engine.push(next, NOW_MS, true).windows).map(({ device, endMs, score, threshold }) =>
        [device, endMs, score, threshold].join(' '),
      );
    expect(told(after)).toEqual(told(before));
    expect(after.saveOwnTails()).toEqual(before.saveOwnTails());
  });

  it('is not taken from what another forest, none or a damaged file says', () => {
    const before = trained();
    before.push(linesOf(['rough'], 0, 900), NOW_MS, true);
    const kept = before.saveOwnTails()!;
    expect(newEngine().saveOwnTails()).toBeNull();
    expect(() => newEngine().loadOwnTails(kept)).toThrow('no forest');
    const engine = trained();
    engine.setForest('device', other.bytes);
    expect(() => engine.loadOwnTails(kept)).toThrow('another forest');
    engine.setForest('device', fitted.bytes);
    expect(() => engine.loadOwnTails(kept.subarray(1))).toThrow('checksum');
    const untouched = deviceWindows(engine.push(linesOf(['rough'], 900, 920), NOW_MS, true).windows);
    expect(untouched.at(-1)!.threshold).toBe(thresholdForBudget(metrics, PART));
  });

  it('goes with the device where more are kept than an engine follows', () => {
    const before = trained();
    before.push(linesOf(['rough', 'b'], 0, 1100), NOW_MS, true);
    const after = trained(1);
    after.loadOwnTails(before.saveOwnTails()!);
    after.loadBaselines(before.saveBaselines());
    const ofFleet = thresholdForBudget(metrics, PART)!;
    const thresholdAt = (engine: Engine, device: string, from: number) =>
      deviceWindows(engine.push(linesOf([device], from, from + 10), NOW_MS, true).windows).at(-1)!.threshold;
    expect(thresholdAt(after, 'b', 1100)).toBe(thresholdAt(before, 'b', 1100));
    expect(thresholdAt(after, 'rough', 1110)).toBe(ofFleet);
    expect(thresholdAt(before, 'rough', 1110)).toBeGreaterThan(ofFleet);
  });

  it('is none where the forest alone is heard: the threshold by contamination stays as it is set', () => {
    expect(fleetTail({ scope: 'device', metrics }, 'isolation_forest', BUDGET)).toBeNull();
    const engine = trained();
    engine.setThreshold('device', 0.5);
    engine.setFleetTail(null);
    const windows = deviceWindows(engine.push(linesOf(['rough'], 0, 900), NOW_MS, true).windows);
    expect(windows.every(({ threshold }) => threshold === 0.5)).toBe(true);
  });

  it('is the same however the lines are cut', () => {
    const bytes = linesOf([...CALM, 'rough'], 0, 700);
    const whole = trained().push(bytes, NOW_MS, true).windows;
    const engine = trained();
    const cut: WindowResult[] = [];
    let rest = Buffer.alloc(0);
    for (let at = 0; at < bytes.length; at += 997) {
      rest = Buffer.concat([rest, bytes.subarray(at, at + 997)]);
      const { windows, consumedBytes } = engine.push(rest, NOW_MS, true);
      cut.push(...windows);
      rest = rest.subarray(consumedBytes);
    }
    const told = ({ device, endMs, score, threshold, suspect }: WindowResult) =>
      [device, endMs, score, threshold, suspect].join(' ');
    expect(cut.map(told)).toEqual(whole.map(told));
  });
});
