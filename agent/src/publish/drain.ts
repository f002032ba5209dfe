/**
 * Empties the spool towards the collector: a bounded number on the way, sent again with back-off when no
 * acknowledgement comes, and all of them after a reconnect. A batch is done only when the collector says so.
 *
 * Oldest first. When more than a minute waits, what is made from now on overtakes it, so that live data stays live;
 * what is overtaken is sent beside it, oldest first, marked `historical`. Shorter gaps keep their order: they are
 * through in a moment, and an alert goes on as if nothing had been.
 *
 * A batch that is larger than the broker takes, made before that was known, goes without its records; what is too
 * large even so is set aside, or it would block all behind it.
 */
import type { Clock } from '../clock.js';
import { type Log, messageOf } from '../log.js';

export interface BatchKey {
  boot: string;
  sequence: number;
}

/** What it needs of the spool. */
export interface Waiting {
  /** `createdMs`: epoch ms. */
  oldest(except: (batch: BatchKey) => boolean): (BatchKey & { createdMs: number }) | null;
  read(batch: BatchKey): Promise<Buffer | null>;
}

export interface DrainOptions {
  waiting: Waiting;
  /** False when it could not be sent now. */
  send: (bytes: Buffer) => boolean;
  /** What the broker is known to take; everything when absent. */
  sizes?: () => { readonly isCareful: boolean; readonly refusedBytes: number };
  /** The broker takes no message of its size, not even without its records. */
  tooLarge?: (batch: BatchKey, bytes: number) => Promise<void>;
  clock: Clock;
  log: Log;
}

export const MAX_IN_FLIGHT = 16;
/** Of them, overtaken ones: the rest is kept for live data. */
const MAX_HISTORICAL_IN_FLIGHT = 12;
/** What waits longer is overtaken. */
const OVERTAKEN_AFTER_MS = 60_000;
/** Live batches remembered as such; of more, the oldest are backlog like any other. */
const MAX_FRESH = 256;
const HISTORICAL = Buffer.from('{"historical":true,');
/** Of the size that is refused: a little less is likely refused too, and each try costs connections. */
const NEARLY = 0.9;
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
  historical: boolean;
}

interface Next {
  batch: BatchKey;
  historical: boolean;
}

const keyOf = ({ boot, sequence }: BatchKey) => `${boot}/${sequence}`;

export class Drain {
  private readonly inFlight = new Map<string, Sent>();
  /** Made since the connection came about, oldest first. */
  private readonly fresh = new Map<string, BatchKey>();
  private overtaking = false;
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
    this.fresh.clear();
    this.overtaking = false;
    this.pump();
  }

  /** New batches in the spool. */
  offer(batches: readonly BatchKey[]): void {
    for (const { boot, sequence } of batches) this.fresh.set(keyOf({ boot, sequence }), { boot, sequence });
    while (this.fresh.size > MAX_FRESH) this.fresh.delete(this.fresh.keys().next().value!);
    this.pump();
  }

  /** The collector has settled this batch. */
  settled(batches: readonly BatchKey[]): void {
    for (const batch of batches) {
      this.inFlight.delete(keyOf(batch));
      this.fresh.delete(keyOf(batch));
    }
    this.pump();
  }

  /**
   * The collector has no room for these now and says when to send them again. They stay on the way, so that no more
   * backlog is sent in their place.
   */
  deferred(ranges: readonly { boot: string; from: number; to: number }[], retryMs: number): void {
    const nowMs = this.options.clock.monotonicMs();
    for (const sent of this.inFlight.values()) {
      const { boot, sequence } = sent.batch;
      if (!ranges.some((range) => range.boot === boot && range.from <= sequence && sequence <= range.to))
        continue;
      sent.dueMs = nowMs + Math.min(retryMs, MAX_RESEND_MS);
      // It was heard, so the wait after that is not a longer one.
      sent.attempts = 0;
    }
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
      if (!(await this.send(sent, sent.attempts + 1))) this.inFlight.delete(key);
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
        while (this.inFlight.size < this.mostInFlight && (await this.sendNext()));
      }
    } catch (error) {
      this.options.log.error({ error: messageOf(error) }, 'cannot send from the spool');
    }
  }

  /** One at a time while it has to be found out which of them ends the connection. */
  private get mostInFlight(): number {
    return this.options.sizes?.().isCareful ? 1 : MAX_IN_FLIGHT;
  }

  private async sendNext(): Promise<boolean> {
    const next = this.next();
    return next !== null && this.send(next, 1);
  }

  private next(): Next | null {
    const isOnTheWay = (batch: BatchKey) => this.inFlight.has(keyOf(batch));
    const oldest = this.options.waiting.oldest(isOnTheWay);
    if (!oldest) return null;
    const { boot, sequence, createdMs } = oldest;
    const batch = { boot, sequence };
    const isFresh = this.fresh.has(keyOf(batch));
    if (isFresh) this.overtaking = false;
    else this.overtaking ||= this.options.clock.nowMs() - createdMs > OVERTAKEN_AFTER_MS;
    if (!this.overtaking) return { batch, historical: false };
    const live = [...this.fresh.values()].find((each) => !isOnTheWay(each));
    if (live) return { batch: live, historical: false };
    const historical = [...this.inFlight.values()].filter((sent) => sent.historical).length;
    return historical < MAX_HISTORICAL_IN_FLIGHT ? { batch, historical: true } : null;
  }

  private async send({ batch, historical }: Next, attempts: number): Promise<boolean> {
    const { generation } = this;
    const bytes = await this.options.waiting.read(batch);
    // Settled meanwhile, or unreadable: the next tick looks again, so that a sick disk is not asked in a loop.
    if (!bytes) {
      this.fresh.delete(keyOf(batch));
      return false;
    }
    if (generation !== this.generation) {
      this.again = true;
      return false;
    }
    const message = historical ? Buffer.concat([HISTORICAL, bytes.subarray(1)]) : bytes;
    const most = this.options.sizes?.().refusedBytes ?? Number.POSITIVE_INFINITY;
    const fitting = message.length < NEARLY * most ? message : withoutRecords(message);
    if (fitting.length >= most) {
      this.fresh.delete(keyOf(batch));
      await this.options.tooLarge?.(batch, message.length);
      this.again = true;
      return false;
    }
    if (!this.options.send(fitting)) return false;
    const delayMs = Math.min(MAX_RESEND_MS, RESEND_MS * 2 ** (attempts - 1));
    const sentMs = this.options.clock.monotonicMs();
    this.inFlight.set(keyOf(batch), { batch, historical, attempts, sentMs, dueMs: sentMs + delayMs });
    return true;
  }
}

/** The same batch with all its windows, but without the records beside them, to be smaller. */
function withoutRecords(bytes: Buffer): Buffer {
  const batch = JSON.parse(bytes.toString('utf8')) as { windows: { record?: number }[]; records: unknown[] };
  for (const window of batch.windows) delete window.record;
  return Buffer.from(JSON.stringify({ ...batch, records: [] }));
}
