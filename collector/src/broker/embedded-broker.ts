/**
 * The embedded MQTT broker, in a thread of its own so that a busy collector never delays keep-alives. Its death is
 * told to the owner, who ends the collector: without a broker nothing works.
 */
import { Worker } from 'node:worker_threads';
import { workerUrl } from '../worker-url.js';
import { BROKER_LIMITS, type BrokerLimits } from './limits.js';
import { REFUSALS, type RefusalReason } from './refusals.js';

interface BrokerAddress {
  host: string;
  port: number;
  username?: string | undefined;
  password?: string | undefined;
  /** The collector's own client: waited for when it is busy, and its place is its own. */
  owner?: { clientId: string; secret: string } | undefined;
}

export interface BrokerOptions extends BrokerAddress {
  limits?: Partial<BrokerLimits>;
}

export interface BrokerWorkerOptions extends BrokerAddress {
  limits: BrokerLimits;
}

/** What the broker holds for its clients now. */
export interface BrokerHeld {
  connections: number;
  unconnected: number;
  partial_bytes: number;
  subscriptions: number;
  outgoing_bytes: number;
  retained_topics: number;
  retained_bytes: number;
  sessions: number;
  session_messages: number;
  session_bytes: number;
}

export type BrokerReport =
  | { type: 'listening'; port: number }
  | { type: 'failed'; code: string; message: string }
  | { type: 'refused'; counts: Array<[RefusalReason, number]> }
  | { type: 'held'; held: BrokerHeld };

export type BrokerOrder = { type: 'know'; agents: string[] } | { type: 'stop' };

/** A kind of refusal that a person should know of. */
export interface BrokerProblem {
  code: RefusalReason;
  detail: string;
  count: number;
  lastMs: number;
}

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
  /** Connections that were cut and requests that were refused, by reason. */
  readonly refused = new Map<RefusalReason, number>();
  /** As of the last second; null before the first. */
  held: BrokerHeld | null = null;
  private readonly lastMs = new Map<RefusalReason, number>();
  private readonly known = new Set<string>();
  private worker: Worker | null = null;
  private stopping = false;

  constructor(
    private readonly options: BrokerOptions,
    private readonly onDeath: (error: Error) => void,
    private readonly onProblem: (message: string) => void = () => {},
    private readonly now: () => number = Date.now,
  ) {}

  /** Resolves to the port once it listens. */
  start(): Promise<number> {
    const { limits, ...address } = this.options;
    const workerData: BrokerWorkerOptions = { ...address, limits: { ...BROKER_LIMITS, ...limits } };
    const worker = new Worker(workerUrl(import.meta.url, 'broker-worker'), { workerData });
    this.worker = worker;
    return new Promise((resolve, reject) => {
      let listening = false;
      const die = (error: Error) => {
        if (!listening) return reject(error);
        if (!this.stopping) this.onDeath(error);
      };
      worker.on('message', (report: BrokerReport) => {
        if (report.type === 'refused') return this.count(report.counts);
        if (report.type === 'held') {
          this.held = report.held;
          return;
        }
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
    worker.postMessage({ type: 'stop' } satisfies BrokerOrder);
    const timer = setTimeout(() => void worker.terminate(), STOP_MS);
    await ended;
    clearTimeout(timer);
  }

  /** These agents keep their places whoever else comes. */
  know(agents: Iterable<string>): void {
    const fresh = [...agents].filter((agent) => !this.known.has(agent));
    if (fresh.length === 0) return;
    for (const agent of fresh) this.known.add(agent);
    this.worker?.postMessage({ type: 'know', agents: fresh } satisfies BrokerOrder);
  }

  /** What was refused within the last `withinMs` and a person should know of. */
  problems(withinMs: number): BrokerProblem[] {
    const since = this.now() - withinMs;
    return [...this.refused].flatMap(([code, count]) => {
      const lastMs = this.lastMs.get(code) ?? 0;
      const detail = REFUSALS[code];
      return detail === null || lastMs < since ? [] : [{ code, detail, count, lastMs }];
    });
  }

  private count(counts: ReadonlyArray<[RefusalReason, number]>): void {
    for (const [reason, count] of counts) {
      const before = this.refused.get(reason) ?? 0;
      this.refused.set(reason, before + count);
      this.lastMs.set(reason, this.now());
      const detail = REFUSALS[reason];
      if (before === 0 && detail !== null) {
        this.onProblem(`the embedded broker: ${detail} Further ones are only counted.`);
      }
    }
  }
}
