/**
 * The source `syslog`: takes messages from other devices over UDP, TCP and TLS. On loopback alone unless the settings
 * say otherwise. Who sent a message is its device when the message itself names none.
 *
 * What came while the agent was down is nobody's; what comes faster than it can be taken is dropped and counted. At
 * its end what was taken is still told, a MiB of it at most.
 */
import { BlockList, isIPv4, isIPv6 } from 'node:net';
import { z } from 'zod';
import { formatSchema } from '../config-format.js';
import type { Counters } from '../counters.js';
import { MAX_LINE_BYTES } from './line-cutter.js';
import { LineQueue } from './line-queue.js';
import { type Chunk, lineKeys, type Phase, type Source, sourceKind } from './source.js';
import { type Listener, type ListenOptions, listenTcp, listenUdp, type TlsFiles } from './syslog-listen.js';

const MIB = 1024 * 1024;
/** An agent that ends has little time. */
const MAX_REST_BYTES = MIB;
const port = z.int().min(0).max(65_535).optional();
const path = z.string().min(1).max(4096);

const network = z
  .string()
  .regex(/^[0-9a-fA-F.:]+(\/\d{1,3})?$/)
  .refine((text) => networkOf(text) !== null, 'must be an address or a network such as 192.168.1.0/24');

const syslogSchema = z
  .strictObject({
    type: z.literal('syslog'),
    ...lineKeys,
    /** Syslog's own, unless the devices send something else. */
    format: formatSchema.default('syslog'),
    /** Address to listen on. `0.0.0.0` or `::` for every interface. */
    host: z
      .string()
      .refine((text) => isIPv4(text) || isIPv6(text), 'must be an IP address of this machine')
      .default('127.0.0.1'),
    udp_port: port,
    tcp_port: port,
    tls_port: port,
    tls: z.strictObject({ cert_file: path, key_file: path, client_ca_file: path.optional() }).optional(),
    /** Who may send; everybody who reaches the port when absent. */
    allow: z.array(network).min(1).max(64).optional(),
    max_connections: z.int().min(1).max(4096).default(64),
    max_line_bytes: z.int().min(480).max(MAX_LINE_BYTES).default(MAX_LINE_BYTES),
    /** Of messages that wait. */
    queue_bytes: z
      .int()
      .min(64 * 1024)
      .max(256 * MIB)
      .default(4 * MIB),
    idle_timeout_seconds: z.number().min(1).max(86_400).default(600),
  })
  .superRefine((config, context) => {
    const issue = (where: string, message: string) =>
      context.addIssue({ code: 'custom', path: [where], message });
    if (config.udp_port === undefined && config.tcp_port === undefined && config.tls_port === undefined)
      issue('udp_port', 'give at least one of udp_port, tcp_port and tls_port');
    if (config.tls_port !== undefined && !config.tls)
      issue('tls', 'tls_port needs a certificate: tls.cert_file and tls.key_file');
    if (config.tls_port === undefined && config.tls) issue('tls_port', 'tls is given, but no tls_port');
  });
export type SyslogConfig = z.infer<typeof syslogSchema>;

export interface SyslogOptions {
  config: SyslogConfig;
  counters: Counters;
}

export class SyslogSource implements Source {
  readonly phase: Phase = 'live';
  private listeners: { kind: string; listener: Listener }[] = [];
  private readonly queue: LineQueue;
  private readonly failed = new AbortController();

  constructor(private readonly options: SyslogOptions) {
    this.queue = new LineQueue(options.config.queue_bytes);
  }

  /** Of what has come and is not taken. */
  get waitingBytes(): number {
    return this.queue.waitingBytes;
  }

  /** With the ports that the system gave, once they are open. */
  get detail(): string {
    const { host, udp_port, tcp_port, tls_port } = this.options.config;
    const asked: [string, number | undefined][] = [
      ['udp', udp_port],
      ['tcp', tcp_port],
      ['tls', tls_port],
    ];
    return asked
      .filter(([, asIs]) => asIs !== undefined)
      .map(([kind, asIs]) => {
        const open = this.listeners.find((one) => one.kind === kind);
        return `${kind} ${host}:${open?.listener.port ?? asIs}`;
      })
      .join(', ');
  }

  async *chunks(signal: AbortSignal): AsyncGenerator<Chunk> {
    const either = AbortSignal.any([signal, this.failed.signal]);
    try {
      await this.listen();
      while (!signal.aborted) {
        await this.queue.wait(either);
        if (this.failed.signal.aborted) throw this.failed.signal.reason;
        for (const { sender, bytes } of this.queue.take()) {
          yield { bytes, emit: true, position: null, device: sender };
        }
        for (const { listener } of this.listeners) listener.resume();
      }
      this.close();
      yield* this.rest();
    } finally {
      this.close();
    }
  }

  /** What waits when it ends. */
  private *rest(): Generator<Chunk> {
    let told = 0;
    for (const { sender, bytes } of this.queue.take()) {
      told += bytes.length;
      if (told <= MAX_REST_BYTES) yield { bytes, emit: true, position: null, device: sender };
      else this.options.counters.add('syslog_dropped_at_end_bytes', bytes.length);
    }
  }

  private close(): void {
    for (const { listener } of this.listeners) listener.close();
    this.listeners = [];
  }

  private async listen(): Promise<void> {
    const { udp_port, tcp_port, tls_port, tls } = this.options.config;
    await this.open('udp', udp_port, listenUdp);
    await this.open('tcp', tcp_port, (options) => listenTcp(options, null));
    await this.open('tls', tls_port, (options) => listenTcp(options, tls as TlsFiles));
  }

  private async open(
    kind: string,
    asked: number | undefined,
    listen: (options: ListenOptions) => Promise<Listener>,
  ): Promise<void> {
    if (asked === undefined) return;
    const { config, counters } = this.options;
    const listener = await listen({
      host: config.host,
      port: asked,
      queue: this.queue,
      counters,
      allowed: allowedOf(config.allow),
      maxConnections: config.max_connections,
      maxLineBytes: config.max_line_bytes,
      idleTimeoutMs: config.idle_timeout_seconds * 1000,
      onError: (error) => this.failed.abort(error),
    });
    this.listeners.push({ kind, listener });
  }
}

function allowedOf(networks: readonly string[] | undefined): BlockList | null {
  if (!networks) return null;
  const list = new BlockList();
  for (const text of networks) {
    const { address, bits, family } = networkOf(text)!;
    list.addSubnet(address, bits, family);
  }
  return list;
}

function networkOf(text: string): { address: string; bits: number; family: 'ipv4' | 'ipv6' } | null {
  const [address = '', given] = text.split('/');
  const family = isIPv4(address) ? 'ipv4' : isIPv6(address) ? 'ipv6' : null;
  const most = family === 'ipv4' ? 32 : 128;
  const bits = given === undefined ? most : Number(given);
  return family && bits <= most ? { address, bits, family } : null;
}

export const syslog = sourceKind({
  schema: syslogSchema,
  canWait: false,
  create: (config, { counters }) => new SyslogSource({ config, counters }),
});
