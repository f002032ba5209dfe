/** Records as production judges them: what an alarm of a device that is noisier by nature comes to. */
import { expect, it } from 'vitest';
import { judgeRecords } from './records.js';

/** So many that scores reach the forest's threshold: one window in 86. */
const BUDGET = 10_000;
const SECONDS = 16_000;
/** From here on `rough` is slower and never steady. */
const ROUGH_FROM = SECONDS / 4;

function lines(): Buffer {
  let state = 5;
  const random = () => {
    state = (state * 1103515245 + 12345) & 0x7fffffff;
    return state / 0x7fffffff;
  };
  const line = (second: number, device: string) => {
    const rough = device === 'rough' && second >= ROUGH_FROM ? 1 : 0;
    return JSON.stringify({
      timestamp: new Date(Date.UTC(2026, 0, 1) + second * 1000).toISOString(),
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
