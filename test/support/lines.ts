/** Canonical log lines for tail tests: one record a second per device, each with an event time of its own. */
import { seededRandom } from './random.js';

export interface LineOptions {
  devices: readonly string[];
  startMs: number;
  seed: number;
}

/** Lines for `seconds` seconds, in time order, ending with a newline each. */
export function recordLines({ devices, startMs, seed }: LineOptions, seconds: number): string[] {
  const random = seededRandom(seed);
  return Array.from({ length: seconds }, (_, second) =>
    devices
      .map((device) =>
        JSON.stringify({
          timestamp: new Date(startMs + second * 1000).toISOString(),
          device_id: device,
          latency_ms: Number((20 + 10 * random()).toFixed(3)),
          packet_loss_pct: Number((0.3 * random()).toFixed(4)),
          retry_count: random() < 0.1 ? 1 : 0,
          error_code: 0,
          traffic_volume_mb: Number((1 + random()).toFixed(4)),
          connection_resets: 0,
        }),
      )
      .map((line) => `${line}\n`),
  ).flat();
}
