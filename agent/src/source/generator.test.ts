/** The simulated lines: levels, share and length of faults, repeatability. */
import { describe, expect, it } from 'vitest';
import { type GeneratedRecord, Generator, type GeneratorOptions } from './generator.js';

const START_MS = Date.UTC(2026, 0, 5, 10);
const DEVICES = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'];

function run(seconds: number, options: Partial<GeneratorOptions> = {}): GeneratedRecord[] {
  const generator = new Generator({
    devices: DEVICES,
    seed: 7,
    anomalies: 'episodes',
    anomalyProbability: 0.05,
    strength: 1,
    ...options,
  });
  return Array.from({ length: seconds }, (_, second) => generator.at(START_MS + second * 1000)).flat();
}

const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

/** Lengths in seconds of consecutive anomalous records of one type on one device. */
function episodes(records: GeneratedRecord[]): number[] {
  const lengths: number[] = [];
  for (const device of DEVICES) {
    let current = 0;
    for (const record of records.filter(({ device_id }) => device_id === device)) {
      if (record.is_anomaly) current += 1;
      else if (current > 0) {
        lengths.push(current);
        current = 0;
      }
    }
  }
  return lengths;
}

describe('Generator', () => {
  it('gives the same records for the same seed, others for another', () => {
    expect(JSON.stringify(run(300))).toBe(JSON.stringify(run(300)));
    expect(JSON.stringify(run(300))).not.toBe(JSON.stringify(run(300, { seed: 8 })));
  });

  it('keeps normal lines at realistic levels', () => {
    const records = run(3600, { anomalies: 'none' });
    expect(records.every(({ is_anomaly }) => !is_anomaly)).toBe(true);
    const latency = mean(records.map(({ latency_ms }) => latency_ms));
    expect(latency).toBeGreaterThan(12);
    expect(latency).toBeLessThan(55);
    expect(mean(records.map(({ packet_loss_pct }) => packet_loss_pct))).toBeLessThan(0.1);
    const retries = mean(records.map(({ retry_count }) => retry_count));
    expect(retries).toBeGreaterThan(0.03);
    expect(retries).toBeLessThan(0.25);
    expect(mean(records.map(({ connection_resets }) => connection_resets))).toBeLessThan(0.06);
    expect(records.filter(({ error_code }) => error_code >= 500).length / records.length).toBeLessThan(0.003);
  });

  it('has more traffic in the afternoon than at night', () => {
    const traffic = (hour: number) => {
      const generator = new Generator({
        devices: DEVICES,
        seed: 1,
        anomalies: 'none',
        anomalyProbability: 0,
        strength: 1,
      });
      const startMs = Date.UTC(2026, 0, 5, hour);
      return mean(
        Array.from({ length: 600 }, (_, second) => generator.at(startMs + second * 1000))
          .flat()
          .map(({ traffic_volume_mb }) => traffic_volume_mb),
      );
    };
    expect(traffic(16) / traffic(4)).toBeGreaterThan(2);
  });

  it('is anomalous five percent of the time, in episodes of 5 to 60 s', () => {
    const records = run(12 * 3600);
    const share = records.filter(({ is_anomaly }) => is_anomaly).length / records.length;
    expect(share).toBeGreaterThan(0.04);
    expect(share).toBeLessThan(0.06);
    const lengths = episodes(records);
    expect(lengths.length).toBeGreaterThan(300);
    // Two that touch count as one here, so a few may be longer.
    expect(lengths.filter((length) => length < 5 || length > 60).length / lengths.length).toBeLessThan(0.07);
    expect(Math.min(...lengths)).toBeGreaterThanOrEqual(5);
    expect(mean(lengths)).toBeGreaterThan(28);
    expect(mean(lengths)).toBeLessThan(37);
  });

  it('makes each kind of fault as strong as promised', () => {
    const faulty = (type: GeneratedRecord['anomaly_type'], strength: number) => {
      const faults = [{ device: 'a', type: type!, strength, startMs: START_MS, endMs: START_MS + 3_600_000 }];
      const records = run(1800, { faults });
      expect(records.filter(({ device_id }) => device_id !== 'a').some(({ is_anomaly }) => is_anomaly)).toBe(
        false,
      );
      return records.filter(({ device_id }) => device_id === 'a');
    };
    const quiet = run(1800, { anomalies: 'none' }).filter(({ device_id }) => device_id === 'a');
    const of = (records: GeneratedRecord[], field: 'latency_ms' | 'traffic_volume_mb' | 'packet_loss_pct') =>
      mean(records.map((record) => record[field]));
    expect(of(faulty('latency_spike', 1), 'latency_ms') / of(quiet, 'latency_ms')).toBeCloseTo(6, 0);
    expect(of(faulty('latency_spike', 0.5), 'latency_ms') / of(quiet, 'latency_ms')).toBeCloseTo(3.5, 0);
    expect(Math.abs(of(faulty('packet_loss', 1), 'packet_loss_pct') - 15)).toBeLessThan(1.5);
    const storm = faulty('error_storm', 1);
    expect(storm.every(({ error_code }) => error_code >= 500)).toBe(true);
    expect(Math.abs(mean(storm.map(({ retry_count }) => retry_count)) - 8)).toBeLessThan(0.6);
    const traffic = faulty('traffic_anomaly', 1);
    expect(Math.abs(of(traffic, 'traffic_volume_mb') / of(quiet, 'traffic_volume_mb') - 10)).toBeLessThan(
      1.5,
    );
    expect(Math.abs(mean(traffic.map(({ connection_resets }) => connection_resets)) - 5)).toBeLessThan(0.5);
  });

  it('has only the scheduled faults, at their times, when there are any', () => {
    const faults = [
      {
        device: 'b',
        type: 'packet_loss' as const,
        strength: 1,
        startMs: START_MS + 60_000,
        endMs: START_MS + 90_000,
      },
    ];
    const anomalous = run(600, { faults }).filter(({ is_anomaly }) => is_anomaly);
    expect(anomalous.length).toBe(30);
    expect(anomalous[0]).toMatchObject({ device_id: 'b', anomaly_type: 'packet_loss' });
    expect(Date.parse(anomalous[0]!.timestamp)).toBe(START_MS + 60_000);
  });

  it('with independent anomalies writes one record a moment, each anomalous by itself', () => {
    const records = run(20_000, { anomalies: 'independent' });
    expect(records.length).toBe(20_000);
    expect(new Set(records.map(({ device_id }) => device_id)).size).toBe(DEVICES.length);
    const anomalous = records.map(({ is_anomaly }) => (is_anomaly ? 1 : 0) as number);
    expect(Math.abs(mean(anomalous) - 0.05)).toBeLessThan(0.008);
    const pairs = anomalous.filter((value, index) => value === 1 && anomalous[index + 1] === 1).length;
    expect(pairs / records.length).toBeLessThan(0.006);
  });
});
