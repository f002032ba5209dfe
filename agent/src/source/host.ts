/**
 * The source `host`: once an interval this machine's own counters and one round trip, as a record. Needs no root.
 * Where there is no `/proc` only the round trip is known and the other fields are absent; where the round trip cannot
 * be measured, as without a connection to the broker, loss and latency are.
 *
 * A carrier that went away and a boot since the last run count as connection resets. Channels of the names
 * `signal_dbm` (of a wireless card), `uptime_seconds` and `link_losses` are filled when the configuration declares them.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { deviceIdSchema } from '@lineheron/models';
import { z } from 'zod';
import type { Clock } from '../clock.js';
import type { Counters } from '../counters.js';
import type { Log } from '../log.js';
import type { Ask, Reply } from '../reply.js';
import { type HostCounters, lineFields, parseInterfaces, parseTcp } from './host-counters.js';
import { type LinkState, newLosses, readLinkState } from './host-link.js';
import { HOST_AND_PORT, hasGoodPort, orAborted, tcpRoundTrip, timely } from './round-trip.js';
import { type Chunk, commonKeys, type Source, sourceKind } from './source.js';
import { UnmeasuredNotice } from './unmeasured.js';

export interface HostOptions {
  config: HostConfig;
  device: string;
  roundTrip: Ask;
  clock: Clock;
  /** Where the round trip goes, in words. */
  target: string;
  /** Names of declared channels. */
  channels: readonly string[];
  /** What was kept: the boot of the last run. */
  saved: unknown;
  log: Log;
  counters: Counters;
}

const MAX_ROUND_TRIP_MS = 5_000;

const hostSchema = z.strictObject({
  type: z.literal('host'),
  ...commonKeys,
  /** This machine's name when absent. */
  device_id: deviceIdSchema.optional(),
  interval_seconds: z.number().min(0.1).max(3600).default(1),
  /** Round trip by TCP connect to here; to the broker (MQTT ping) when absent. */
  target: z
    .string()
    .regex(HOST_AND_PORT, 'must be host:port')
    .refine(hasGoodPort, 'the port must be from 1 to 65535')
    .optional(),
  /** Only these; all but `lo` when absent. */
  interfaces: z.array(z.string().min(1).max(64)).min(1).max(64).optional(),
  proc_root: z.string().min(1).default('/proc'),
  sys_root: z.string().min(1).default('/sys'),
});
export type HostConfig = z.infer<typeof hostSchema>;

/** Everything at one moment. */
interface Sight {
  counters: HostCounters | null;
  link: LinkState;
}

export class HostSource implements Source {
  readonly phase = 'live';

  private readonly notice: UnmeasuredNotice;

  constructor(private readonly options: HostOptions) {
    const { target, log, counters } = options;
    this.notice = new UnmeasuredNotice(`the round trip to ${target}`, 'host_unmeasured', log, counters);
  }

  get detail(): string {
    const { interfaces } = this.options.config;
    const measured = `${interfaces ? interfaces.join(', ') : 'all interfaces'}, round trip to ${this.options.target}`;
    return [this.notice.detail, measured].filter((part) => part !== null).join('; ');
  }

  async *chunks(signal: AbortSignal): AsyncGenerator<Chunk> {
    const { clock, config } = this.options;
    const intervalMs = config.interval_seconds * 1000;
    const ask = timely(this.options.roundTrip, clock);
    let before = await this.look();
    let booted = this.bootedSince(before.link);
    for (let dueMs = clock.monotonicMs() + intervalMs; !signal.aborted; dueMs += intervalMs) {
      dueMs = Math.max(dueMs, clock.monotonicMs());
      await clock.sleep(dueMs - clock.monotonicMs(), signal);
      if (signal.aborted) return;
      const timeMs = clock.nowMs();
      const now = await this.look();
      const timeoutMs = Math.min(intervalMs * 0.9, MAX_ROUND_TRIP_MS);
      const reply = await orAborted(ask(timeoutMs), signal);
      if (signal.aborted || !reply) return;
      this.notice.note([reply]);
      const { bootId } = now.link;
      const bytes = this.line(timeMs, before, now, reply, booted);
      if (bytes) yield { bytes, emit: true, position: bootId === null ? null : () => ({ boot: bootId }) };
      before = now;
      booted = false;
    }
  }

  /** Null when nothing could be measured. */
  private line(timeMs: number, before: Sight, now: Sight, reply: Reply, booted: boolean): Uint8Array | null {
    const fields = before.counters && now.counters ? lineFields(before.counters, now.counters) : {};
    const losses = newLosses(before.link, now.link);
    const resets = losses + (booted ? 1 : 0);
    const measured = {
      ...fields,
      ...(resets > 0 ? { connection_resets: resets + (fields.connection_resets ?? 0) } : {}),
      ...(reply.kind === 'lost' ? { packet_loss_pct: 100 } : {}),
      ...(reply.kind === 'answered' && reply.latencyMs !== null
        ? { latency_ms: Math.round(reply.latencyMs * 1e3) / 1e3 }
        : {}),
      ...this.declared({
        signal_dbm: now.link.signalDbm,
        uptime_seconds: now.link.uptimeSeconds,
        link_losses: now.link.losses.size > 0 ? losses : null,
      }),
    };
    if (Object.keys(measured).length === 0) return null;
    const record = { timestamp: new Date(timeMs).toISOString(), device_id: this.options.device, ...measured };
    return Buffer.from(`${JSON.stringify(record)}\n`);
  }

  private declared(values: Readonly<Record<string, number | null>>): Record<string, number> {
    const wanted = Object.entries(values).filter(
      (entry): entry is [string, number] => entry[1] !== null && this.options.channels.includes(entry[0]),
    );
    return Object.fromEntries(wanted);
  }

  private bootedSince({ bootId }: LinkState): boolean {
    const { saved } = this.options;
    const last = typeof saved === 'object' && saved !== null && 'boot' in saved ? saved.boot : null;
    return typeof last === 'string' && bootId !== null && last !== bootId;
  }

  private async look(): Promise<Sight> {
    const { proc_root, sys_root, interfaces } = this.options.config;
    const [counters, link] = await Promise.all([
      this.counters(),
      readLinkState(proc_root, sys_root, interfaces),
    ]);
    return { counters, link };
  }

  private async counters(): Promise<HostCounters | null> {
    const { config } = this.options;
    const read = (name: string) => readFile(join(config.proc_root, 'net', name), 'utf8').catch(() => '');
    const [devices, snmp] = await Promise.all([read('dev'), read('snmp')]);
    if (devices === '' && snmp === '') return null;
    return { interfaces: parseInterfaces(devices, config.interfaces), ...parseTcp(snmp) };
  }
}

export const host = sourceKind({
  schema: hostSchema,
  canWait: false,
  create: (config, { clock, brokerRoundTrip, channels = [], saved, log, counters }) =>
    new HostSource({
      config,
      device: config.device_id ?? 'this-host',
      roundTrip: config.target ? tcpRoundTrip(config.target, clock) : brokerRoundTrip,
      target: config.target ?? 'the broker',
      channels,
      saved,
      ...{ clock, log, counters },
    }),
});
