/**
 * Simulated lines, without pacing: (options, time) → records. Seeded: the same options and times give the same
 * bytes. Each record says by `is_anomaly` and `anomaly_type` what it is; no detector reads that.
 *
 * A normal line has log-normal latency, little loss, few retries and resets (Poisson) and traffic that follows the
 * day. At strength 1 a fault makes latency about six times as high, or loss about 15 %, or every record an error with
 * about eight retries, or traffic about ten times as high with about five resets.
 */
import { Random } from './random.js';

export const FAULT_TYPES = ['latency_spike', 'packet_loss', 'error_storm', 'traffic_anomaly'] as const;
export type FaultType = (typeof FAULT_TYPES)[number];

const MIN_FAULT_S = 5;
const MAX_FAULT_S = 60;

export interface Fault {
  type: FaultType;
  strength: number;
}

export interface ScheduledFault extends Fault {
  device: string;
  startMs: number;
  endMs: number;
}

export interface GeneratorOptions {
  devices: readonly string[];
  seed: number;
  anomalies: 'episodes' | 'independent' | 'none';
  /** Share of time (episodes) or of records (independent) that is anomalous. */
  anomalyProbability: number;
  strength: number;
  /** When given, no random faults happen. */
  faults?: readonly ScheduledFault[] | undefined;
}

/** What tells one line from another. */
interface Base {
  latencyMs: number;
  latencySigma: number;
  lossShare: number;
  trafficMb: number;
  retries: number;
  resets: number;
}

interface Device {
  name: string;
  random: Random;
  base: Base;
  /** The random episode that runs or comes next. */
  episode: { startMs: number; endMs: number; fault: Fault } | null;
}

export interface GeneratedRecord {
  timestamp: string;
  device_id: string;
  latency_ms: number;
  packet_loss_pct: number;
  retry_count: number;
  error_code: number;
  traffic_volume_mb: number;
  connection_resets: number;
  is_anomaly: boolean;
  anomaly_type?: FaultType;
}

export class Generator {
  private readonly devices: Device[];
  private readonly shared: Random;

  constructor(private readonly options: GeneratorOptions) {
    this.shared = new Random(options.seed, 0);
    this.devices = options.devices.map((name, index) => {
      const random = new Random(options.seed, index + 1);
      return { name, random, base: baseLevels(random), episode: null };
    });
  }

  /** The records of one moment: one of every device; with `independent` one of a device drawn at random. */
  at(timeMs: number): GeneratedRecord[] {
    if (this.options.anomalies !== 'independent') {
      return this.devices.map((device) => record(device, timeMs, this.faultOf(device, timeMs)));
    }
    const device = this.devices[this.shared.below(this.devices.length)]!;
    const anomalous = this.shared.uniform() < this.options.anomalyProbability;
    const scheduled = this.options.faults ? this.scheduled(device, timeMs) : null;
    const fault = this.options.faults
      ? scheduled
      : anomalous
        ? drawFault(this.shared, this.options.strength)
        : null;
    return [record(device, timeMs, fault)];
  }

  private faultOf(device: Device, timeMs: number): Fault | null {
    if (this.options.faults) return this.scheduled(device, timeMs);
    if (this.options.anomalies === 'none' || this.options.anomalyProbability === 0) return null;
    device.episode ??= this.nextEpisode(device, timeMs);
    while (timeMs >= device.episode.endMs) device.episode = this.nextEpisode(device, device.episode.endMs);
    return timeMs >= device.episode.startMs ? device.episode.fault : null;
  }

  private scheduled(device: Device, timeMs: number): Fault | null {
    const faults = this.options.faults ?? [];
    return (
      faults.find(
        (fault) => fault.device === device.name && timeMs >= fault.startMs && timeMs < fault.endMs,
      ) ?? null
    );
  }

  /** Quiet gaps are exponential, so faults come without a rhythm; their mean sets the share of faulty time. */
  private nextEpisode(device: Device, afterMs: number): NonNullable<Device['episode']> {
    const share = this.options.anomalyProbability;
    const meanGapS = (((MIN_FAULT_S + MAX_FAULT_S) / 2) * (1 - share)) / share;
    const startMs = afterMs + device.random.exponential(meanGapS) * 1000;
    const durationS = device.random.between(MIN_FAULT_S, MAX_FAULT_S);
    const strength = this.options.strength * device.random.between(0.8, 1.2);
    return { startMs, endMs: startMs + durationS * 1000, fault: drawFault(device.random, strength) };
  }
}

function drawFault(random: Random, strength: number): Fault {
  return { type: FAULT_TYPES[random.below(FAULT_TYPES.length)]!, strength };
}

function baseLevels(random: Random): Base {
  return {
    latencyMs: random.between(12, 45),
    latencySigma: random.between(0.08, 0.16),
    lossShare: random.between(0.03, 0.1),
    trafficMb: random.between(0.8, 4),
    retries: random.between(0.05, 0.2),
    resets: random.between(0.01, 0.04),
  };
}

/** 1 on average over a day: least at four in the morning, most at four in the afternoon (UTC). */
function dailyShape(timeMs: number): number {
  const hour = (timeMs / 3_600_000) % 24;
  return 1 + 0.45 * Math.sin(((hour - 10) / 24) * 2 * Math.PI);
}

/** Every draw happens whether there is a fault or not, so that a fault changes nothing after it. */
function record(device: Device, timeMs: number, fault: Fault | null): GeneratedRecord {
  const { random, base } = device;
  const daily = dailyShape(timeMs);
  const load = 1 + 0.1 * (daily - 1);
  let latencyMs = base.latencyMs * load * random.logNormal(base.latencySigma);
  let lossPct = random.uniform() < base.lossShare ? Math.min(3, random.exponential(0.4)) : 0;
  let retries = random.poisson(base.retries);
  let errorCode = ordinaryCode(random.uniform());
  let trafficMb = base.trafficMb * daily * random.logNormal(0.25);
  let resets = random.poisson(base.resets);
  const noise = random.logNormal(0.12);
  if (fault?.type === 'latency_spike') latencyMs *= 1 + 5 * fault.strength * noise;
  if (fault?.type === 'packet_loss') {
    lossPct = Math.min(100, lossPct + 15 * fault.strength * noise);
    retries += random.poisson(fault.strength);
  }
  if (fault?.type === 'error_storm') {
    errorCode = 500 + random.below(5);
    retries += random.poisson(8 * fault.strength);
  }
  if (fault?.type === 'traffic_anomaly') {
    trafficMb *= 1 + 9 * fault.strength * noise;
    resets += random.poisson(5 * fault.strength);
  }
  return {
    timestamp: new Date(timeMs).toISOString(),
    device_id: device.name,
    latency_ms: rounded(latencyMs, 100),
    packet_loss_pct: rounded(lossPct, 100),
    retry_count: retries,
    error_code: errorCode,
    traffic_volume_mb: rounded(trafficMb, 1000),
    connection_resets: resets,
    is_anomaly: fault !== null,
    ...(fault ? { anomaly_type: fault.type } : {}),
  };
}

function ordinaryCode(draw: number): number {
  if (draw < 0.001) return 503;
  return draw < 0.004 ? 404 : 200;
}

function rounded(value: number, steps: number): number {
  return Math.round(value * steps) / steps;
}
