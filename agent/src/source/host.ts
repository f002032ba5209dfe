/**
 * The source `host`: once an interval this machine's own counters and one round trip, as a record. Needs no root.
 * Where there is no `/proc` only the round trip is known and the other fields are absent.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../clock.js';
import type { HostConfig } from '../config-source.js';
import { type HostCounters, lineFields, parseInterfaces, parseTcp } from './host-counters.js';
import type { Chunk, Source } from './source.js';

/** Time of one round trip in ms, null when it failed or took longer than `timeoutMs`. Never rejects. */
export type RoundTrip = (timeoutMs: number) => Promise<number | null>;

export interface HostOptions {
  config: HostConfig;
  device: string;
  roundTrip: RoundTrip;
  clock: Clock;
  /** Where the round trip goes, in words. */
  target: string;
}

const MAX_ROUND_TRIP_MS = 5_000;

export class HostSource implements Source {
  readonly type = 'host';
  readonly canWait = false;
  readonly phase = 'live';

  constructor(private readonly options: HostOptions) {}

  get detail(): string {
    const { interfaces } = this.options.config;
    return `${interfaces ? interfaces.join(', ') : 'all interfaces'}, round trip to ${this.options.target}`;
  }

  async *chunks(signal: AbortSignal): AsyncGenerator<Chunk> {
    const { clock, config } = this.options;
    const intervalMs = config.interval_seconds * 1000;
    let before = await this.counters();
    for (let dueMs = clock.monotonicMs() + intervalMs; !signal.aborted; dueMs += intervalMs) {
      dueMs = Math.max(dueMs, clock.monotonicMs());
      await clock.sleep(dueMs - clock.monotonicMs(), signal);
      if (signal.aborted) return;
      const timeMs = clock.nowMs();
      const now = await this.counters();
      const timeoutMs = Math.min(intervalMs * 0.9, MAX_ROUND_TRIP_MS);
      const roundTripMs = await orAborted(this.options.roundTrip(timeoutMs), signal);
      if (signal.aborted) return;
      yield { bytes: this.line(timeMs, before, now, roundTripMs), emit: true, position: null };
      before = now;
    }
  }

  private line(
    timeMs: number,
    before: HostCounters | null,
    now: HostCounters | null,
    roundTripMs: number | null,
  ): Uint8Array {
    const record = {
      timestamp: new Date(timeMs).toISOString(),
      device_id: this.options.device,
      ...(before && now ? lineFields(before, now) : {}),
      ...(roundTripMs === null
        ? { packet_loss_pct: 100 }
        : { latency_ms: Math.round(roundTripMs * 1e3) / 1e3 }),
    };
    return Buffer.from(`${JSON.stringify(record)}\n`);
  }

  private async counters(): Promise<HostCounters | null> {
    const { config } = this.options;
    const read = (name: string) => readFile(join(config.proc_root, 'net', name), 'utf8').catch(() => '');
    const [devices, snmp] = await Promise.all([read('dev'), read('snmp')]);
    if (devices === '' && snmp === '') return null;
    return { interfaces: parseInterfaces(devices, config.interfaces), ...parseTcp(snmp) };
  }
}

/** What is awaited, or null once the signal is aborted: the end of the agent waits for no answer. */
function orAborted<T>(awaited: Promise<T>, signal: AbortSignal): Promise<T | null> {
  return new Promise((resolve, reject) => {
    const abort = () => resolve(null);
    signal.addEventListener('abort', abort, { once: true });
    awaited.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}
