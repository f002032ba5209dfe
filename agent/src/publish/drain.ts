/**
 * Empties the spool towards the collector: oldest first, a bounded number on the way, sent again with back-off when
 * no acknowledgement comes, and all of them after a reconnect. A batch is done only when the collector says so.
 */
import type { Clock } from '../clock.js';
import { type Log, messageOf } from '../log.js';

export interface BatchKey {
  boot: string;
  sequence: number;
}

/** What it needs of the spool. */
export interface Waiting {
  oldest(except: (batch: BatchKey) => boolean): BatchKey | null;
  read(batch: BatchKey): Promise<Buffer | null>;
}

export interface DrainOptions {
  waiting: Waiting;
  /** False when it could not be sent now. */
  send: (bytes: Buffer) => boolean;
  clock: Clock;
  log: Log;
}

export const MAX_IN_FLIGHT = 16;
const RESEND_MS = 30_000;
const MAX_RESEND_MS = 5 * 60_000;
/** Who has not answered for this long is not waited for at the end. */
const PATIENCE_MS = 800;
const FINISH_POLL_MS = 20;

interface Sent {
  batch: BatchKey;
  sentMs: number;
  dueMs: number;
  attempts: number;
}

const keyOf = ({ boot, sequence }: BatchKey) => `${boot}/${sequence}`;

export class Drain {
  private readonly inFlight = new Map<string, Sent>();
  private pumping = false;
  private again = false;
  /** Counts the connections, so that a send begun on one is not taken for a send on the next. */
  private generation = 0;

  constructor(private readonly options: DrainOptions) {}

  get waitingForAck(): number {
    return this.inFlight.size;
  }

  /** A new connection: what was on the way may be lost. */
  reconnected(): void {
    this.generation += 1;
    this.inFlight.clear();
    this.pump();
  }

  /** The collector has settled this batch. */
  settled(batches: readonly BatchKey[]): void {
    for (const batch of batches) this.inFlight.delete(keyOf(batch));
    this.pump();
  }

  /** Sends what may be sent. Cheap to call often. */
  pump(): void {
    this.again = true;
    if (this.pumping) return;
    this.pumping = true;
    void this.work().finally(() => {
      this.pumping = false;
    });
  }

  /** Sends again what has waited too long for its acknowledgement. */
  async resendDue(): Promise<void> {
    const nowMs = this.options.clock.monotonicMs();
    for (const [key, sent] of this.inFlight) {
      if (sent.dueMs > nowMs) continue;
      if (!(await this.send(sent.batch, sent.attempts + 1))) this.inFlight.delete(key);
    }
    this.pump();
  }

  /**
   * Waits for the acknowledgements of what still waits: until `untilMs`, and no longer than somebody answers and
   * `connected` says that somebody could.
   */
  async finish(untilMs: number, connected: () => boolean): Promise<void> {
    const { clock, waiting } = this.options;
    const waits = () => connected() && waiting.oldest(() => false) !== null && !this.isUnanswered;
    while (clock.monotonicMs() < untilMs && waits()) await clock.sleep(FINISH_POLL_MS);
  }

  private get isUnanswered(): boolean {
    const sinceMs = this.options.clock.monotonicMs() - PATIENCE_MS;
    return [...this.inFlight.values()].some(({ sentMs, attempts }) => attempts > 1 || sentMs <= sinceMs);
  }

  private async work(): Promise<void> {
    try {
      while (this.again) {
        this.again = false;
        while (this.inFlight.size < MAX_IN_FLIGHT && (await this.sendNext()));
      }
    } catch (error) {
      this.options.log.error({ error: messageOf(error) }, 'cannot send from the spool');
    }
  }

  private async sendNext(): Promise<boolean> {
    const batch = this.options.waiting.oldest((candidate) => this.inFlight.has(keyOf(candidate)));
    return batch !== null && this.send(batch, 1);
  }

  private async send(batch: BatchKey, attempts: number): Promise<boolean> {
    const { generation } = this;
    const bytes = await this.options.waiting.read(batch);
    // Settled meanwhile, or unreadable: the next tick looks again, so that a sick disk is not asked in a loop.
    if (!bytes) return false;
    if (generation !== this.generation) {
      this.again = true;
      return false;
    }
    if (!this.options.send(bytes)) return false;
    const delayMs = Math.min(MAX_RESEND_MS, RESEND_MS * 2 ** (attempts - 1));
    const sentMs = this.options.clock.monotonicMs();
    this.inFlight.set(keyOf(batch), { batch, attempts, sentMs, dueMs: sentMs + delayMs });
    return true;
  }
}
