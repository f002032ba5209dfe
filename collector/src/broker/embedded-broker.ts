/**
 * The embedded MQTT broker, in a thread of its own so that a busy collector never delays keep-alives. Its death is
 * told to the owner, who ends the collector: without a broker nothing works.
 */
import { Worker } from 'node:worker_threads';
import { workerUrl } from '../worker-url.js';
import type { RetainedLimits } from './retained-bound.js';

export interface BrokerOptions {
  host: string;
  port: number;
  username?: string | undefined;
  password?: string | undefined;
  maxPacketBytes: number;
  maxConnections: number;
  retained: RetainedLimits;
  /** The collector's own client: waited for when it is busy, and free to retain what it needs. */
  owner?: { clientId: string; secret: string } | undefined;
}

export type BrokerReport =
  | { type: 'listening'; port: number }
  | { type: 'failed'; code: string; message: string }
  | { type: 'count'; reason: string };

export class BrokerStartError extends Error {
  constructor(
    readonly code: string,
    message: string,
  ) {
    super(message);
  }
}

const STOP_MS = 1000;

export class EmbeddedBroker {
  /** Connections that were cut and messages that were not retained, by reason. */
  readonly refused = new Map<string, number>();
  private worker: Worker | null = null;
  private stopping = false;

  constructor(
    private readonly options: BrokerOptions,
    private readonly onDeath: (error: Error) => void,
    private readonly onProblem: (message: string) => void = () => {},
  ) {}

  /** Resolves to the port once it listens. */
  start(): Promise<number> {
    const worker = new Worker(workerUrl(import.meta.url, 'broker-worker'), { workerData: this.options });
    this.worker = worker;
    return new Promise((resolve, reject) => {
      let listening = false;
      const die = (error: Error) => {
        if (!listening) return reject(error);
        if (!this.stopping) this.onDeath(error);
      };
      worker.on('message', (report: BrokerReport) => {
        if (report.type === 'count') return this.count(report.reason);
        if (report.type === 'failed') return die(new BrokerStartError(report.code, report.message));
        listening = true;
        resolve(report.port);
      });
      worker.on('error', (error: unknown) => die(error instanceof Error ? error : new Error(String(error))));
      worker.on('exit', (code) => die(new Error(`the embedded broker ended with code ${code}`)));
    });
  }

  async stop(): Promise<void> {
    const worker = this.worker;
    if (!worker) return;
    this.stopping = true;
    this.worker = null;
    const ended = new Promise<void>((resolve) => worker.once('exit', () => resolve()));
    worker.postMessage('stop');
    const timer = setTimeout(() => void worker.terminate(), STOP_MS);
    await ended;
    clearTimeout(timer);
  }

  private count(reason: string): void {
    const before = this.refused.get(reason) ?? 0;
    this.refused.set(reason, before + 1);
    if (reason === 'not_retained' && before === 0) {
      this.onProblem(
        'the embedded broker is full of retained messages: more are delivered, but not retained',
      );
    }
  }
}
