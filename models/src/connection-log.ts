/**
 * What is logged of a connection to the broker that comes and goes. A first loss and return are told one by one. From the
 * third loss in ten minutes on there is one line that says so, then nothing until it has been steady for five minutes or
 * away for one. A reason is told once until the connection is steady. Bounded: a few lines, however often it flaps.
 */
import { span } from './sentence/number.js';

export interface LogLines {
  info(detail: object, message: string): void;
  warn(detail: object, message: string): void;
}

const WINDOW_MS = 600_000;
const LOSSES = 3;
const STEADY_MS = 300_000;
const GONE_MS = 60_000;
const MAX_REASONS = 16;

export class ConnectionLog {
  /** Of the last losses, oldest first. */
  private losses: number[] = [];
  private flapping: { sinceMs: number; losses: number } | null = null;
  private isUp = false;
  private changedMs = 0;
  private readonly reasons = new Set<string>();

  constructor(
    private readonly log: LogLines,
    private readonly monotonicMs: () => number,
  ) {}

  up(): void {
    this.isUp = true;
    this.changedMs = this.monotonicMs();
    if (this.flapping) return;
    this.reasons.clear();
    this.log.info({}, 'connected to the broker');
  }

  /** A connection that had come about is lost. */
  down(detail: object = {}): void {
    const nowMs = this.monotonicMs();
    this.isUp = false;
    this.changedMs = nowMs;
    if (this.flapping) {
      this.flapping.losses++;
      return;
    }
    this.losses = [...this.losses.filter((ms) => nowMs - ms < WINDOW_MS), nowMs];
    if (this.losses.length < LOSSES) {
      this.log.warn(detail, 'the connection to the broker is lost: trying again');
      return;
    }
    const [sinceMs = nowMs] = this.losses;
    this.flapping = { sinceMs, losses: this.losses.length };
    this.losses = [];
    this.log.warn(detail, `the broker comes and goes (${this.times(nowMs)}): more of that is only counted`);
  }

  /** Whether a reason is news, to be told by whoever asks. */
  isNews(reason: string): boolean {
    if (this.reasons.has(reason) || this.reasons.size >= MAX_REASONS) return false;
    this.reasons.add(reason);
    return true;
  }

  /** To be called now and then. */
  tick(): void {
    if (!this.flapping) return;
    const nowMs = this.monotonicMs();
    const lastedMs = nowMs - this.changedMs;
    if (this.isUp && lastedMs >= STEADY_MS) {
      this.end('info', `the broker is steady again: it had come and gone (${this.times(this.changedMs)})`);
    } else if (!this.isUp && lastedMs >= GONE_MS) {
      this.end('warn', `the broker is away: it had come and gone (${this.times(this.changedMs)})`);
    }
  }

  private end(level: keyof LogLines, message: string): void {
    this.log[level]({}, message);
    this.flapping = null;
    this.reasons.clear();
  }

  private times(untilMs: number): string {
    const { sinceMs, losses } = this.flapping!;
    return `${losses} times in ${span(Math.max(1, Math.round((untilMs - sinceMs) / 1000)))}`;
  }
}
