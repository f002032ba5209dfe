/**
 * Asks agents to send again what there was no room for. Each batch gets the next free moment at the rate at which the
 * work goes, so that a whole fleet after an outage comes back as fast as it can be served, and hardly faster; live ones do
 * not stand in line behind backlog. Answers are gathered for a moment, two messages an agent at most.
 */
import type { Ack } from '@lineheron/models';
import { acknowledgements } from './acknowledge.js';

interface DeferredBatch {
  agent: string;
  boot: string;
  sequence: number;
  historical: boolean;
}

const GATHER_MS = 100;
const MIN_RETRY_MS = 1000;
/** Sooner than an agent sends again by itself. */
const MAX_RETRY_MS = 20_000;
/** So much faster than the work goes they come back: else it would stand still for every one that comes late. */
const HEADROOM = 1.25;
/** While nothing was done yet. */
const DEFAULT_PER_SECOND = 100;

export interface DeferralsOptions {
  monotonicMs?: () => number;
  /** Batches a second that can be dealt with. */
  perSecond: () => number | null;
  answer: (agent: string, ack: Ack) => void;
}

export class Deferrals {
  private batches: DeferredBatch[] = [];
  private timer: NodeJS.Timeout | null = null;
  /** The next free moment of each kind. */
  private readonly nextMs = { live: 0, backlog: 0 };

  constructor(private readonly options: DeferralsOptions) {}

  add(batch: DeferredBatch): void {
    this.batches.push(batch);
    this.timer ??= setTimeout(() => this.flush(), GATHER_MS);
  }

  /** Answers what has gathered. */
  flush(): void {
    if (this.timer) clearTimeout(this.timer);
    this.timer = null;
    const isLive = ({ historical }: DeferredBatch) => !historical;
    this.answer('live', this.batches.filter(isLive));
    this.answer(
      'backlog',
      this.batches.filter((batch) => !isLive(batch)),
    );
    this.batches = [];
  }

  private answer(kind: 'live' | 'backlog', deferred: readonly DeferredBatch[]): void {
    const { monotonicMs = () => performance.now(), perSecond, answer } = this.options;
    const nowMs = monotonicMs();
    const eachMs = 1000 / (HEADROOM * Math.max(1, perSecond() ?? DEFAULT_PER_SECOND));
    for (const [agent, { ranges }] of acknowledgements(deferred)) {
      const batches = ranges.reduce((sum, { from, to }) => sum + to - from + 1, 0);
      const atMs = Math.max(this.nextMs[kind], nowMs + MIN_RETRY_MS) + batches * eachMs;
      this.nextMs[kind] = Math.min(atMs, nowMs + MAX_RETRY_MS);
      const retry_ms = Math.round(this.nextMs[kind] - nowMs);
      answer(agent, { v: 1, ranges: [], refused: [], busy: { retry_ms, ranges } });
    }
  }
}
