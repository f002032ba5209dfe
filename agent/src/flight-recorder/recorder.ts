/**
 * The flight recorder: the last minutes of raw lines in a ring on disk; an alert freezes the minute before it and the
 * minute after it. All of it stays here, unless the configuration allows sharing and somebody asks.
 *
 * It must never be in the way: what a source gives faster than a megabyte a second (a log that is caught up with) is
 * passed over and counted, and a disk that refuses costs lines here and nothing else.
 */
import { join } from 'node:path';
import type { LinesEvent } from '@lineheron/models';
import type { Redactor } from '@lineheron/native';
import type { Clock } from '../clock.js';
import type { Counters } from '../counters.js';
import { type Log, messageOf } from '../log.js';
import { MAX_ANSWER_BYTES, noLines, sharedLines } from './answer.js';
import { type Block, encodeBlock, type Lines } from './block.js';
import { type Clip, Clips } from './clips.js';
import { Ring } from './ring.js';

export interface FlightRecorderOptions {
  folder: string;
  /** Half for the ring, half for the clips. */
  maxBytes: number;
  /** Whether lines may leave when asked for. */
  share: boolean;
  redactor: Pick<Redactor, 'redact'>;
  clock: Clock;
  log: Log;
  counters: Counters;
}

/** Before and after an alert. */
export const AROUND_MS = 60_000;
const BLOCK_BYTES = 64 * 1024;
const BLOCK_MS = 5_000;
const BYTES_PER_SECOND = 1024 * 1024;
const BURST_BYTES = 4 * BYTES_PER_SECOND;
const REMEMBERED_ALERTS = 256;

interface Gathered {
  parts: Buffer[];
  bytes: number;
  fromMs: number;
  toMs: number;
  /** Start time on the monotonic clock, ms. */
  begunMs: number;
}

export class FlightRecorder {
  private readonly ring: Ring;
  private readonly clips: Clips;
  private readonly gathered = new Map<string, Gathered>();
  /** Alerts that have been frozen or passed over, oldest first. */
  private readonly seen = new Set<string>();
  private allowance = BURST_BYTES;
  private allowedMs: number;
  /** Everything that touches files happens one after another. */
  private tail: Promise<unknown> = Promise.resolve();
  private isStarted = false;

  constructor(private readonly options: FlightRecorderOptions) {
    const { folder, maxBytes, clock } = options;
    this.ring = new Ring(join(folder, 'ring'), maxBytes / 2);
    this.clips = new Clips(join(folder, 'clips'), maxBytes / 2);
    this.allowedMs = clock.monotonicMs();
  }

  /** A disk that refuses leaves the recorder off; the agent goes on. */
  async start(): Promise<void> {
    await this.quietly('start', async () => {
      await this.ring.start();
      await this.clips.start();
      this.isStarted = true;
    });
    await this.completeDue();
  }

  /** Takes whole lines as they came from a source. */
  record(source: string, bytes: Uint8Array): void {
    const { clock, counters } = this.options;
    if (!this.isStarted || bytes.length === 0) return;
    if (!this.isAllowed(bytes.length)) {
      counters.add('recorder_bytes_passed_over', bytes.length);
      return;
    }
    const nowMs = clock.nowMs();
    const gathered = this.gathered.get(source) ?? {
      ...{ parts: [], bytes: 0, fromMs: nowMs, toMs: nowMs },
      begunMs: clock.monotonicMs(),
    };
    this.gathered.set(source, gathered);
    gathered.parts.push(Buffer.from(bytes));
    gathered.bytes += bytes.length;
    gathered.toMs = nowMs;
    if (gathered.bytes >= BLOCK_BYTES) void this.flush(source);
  }

  /** An alert has opened now. */
  async freeze(alert: string): Promise<void> {
    const isNew = this.isStarted && !this.seen.has(alert) && !this.clips.find(alert);
    if (!isNew) return;
    this.seen.add(alert);
    if (this.seen.size > REMEMBERED_ALERTS) this.seen.delete(this.seen.keys().next().value!);
    const nowMs = Math.max(0, Math.round(this.options.clock.nowMs()));
    this.flushAll();
    await this.quietly('freeze', () => this.freezeAt(alert, nowMs));
  }

  /** Writes what has gathered long enough and completes clips whose time is over. Cheap to call often. */
  tick(): void {
    const dueMs = this.options.clock.monotonicMs() - BLOCK_MS;
    for (const [source, { begunMs }] of this.gathered) if (begunMs <= dueMs) void this.flush(source);
    if (this.clips.list.some((clip) => this.isDue(clip))) void this.completeDue();
  }

  async stop(): Promise<void> {
    this.flushAll();
    await this.tail;
    this.isStarted = false;
  }

  /** The answer to somebody who asks for the lines around an alert. */
  async answer(requestId: string, alert: string, maxBytes = MAX_ANSWER_BYTES): Promise<LinesEvent> {
    if (!this.options.share) {
      this.options.counters.add('recorder_requests_refused');
      const message =
        'this gateway does not share raw lines: flight_recorder.share is off in its configuration';
      return noLines(requestId, alert, 'refused', message);
    }
    this.flushAll();
    await this.tail;
    await this.completeDue();
    const clip = this.clips.find(alert);
    const blocks = clip && (await this.quietly('read a clip', () => this.blocksOf(clip)));
    if (!clip || !blocks)
      return noLines(requestId, alert, 'missing', 'nothing is kept of this alert (any more)');
    const shared = sharedLines(blocks, clip.atMs, this.options.redactor, maxBytes);
    const fewer = shared.truncated && maxBytes < MAX_ANSWER_BYTES;
    this.options.counters.add('recorder_lines_shared', shared.lines.length);
    return {
      v: 1,
      type: 'lines',
      request_id: requestId,
      alert,
      ...shared,
      state: 'sent',
      message: `${shared.lines.length} lines${fewer ? ': the broker takes no message that could hold more' : ''}`,
      from: new Date(clip.atMs - AROUND_MS).toISOString(),
      to: new Date(clip.atMs + AROUND_MS).toISOString(),
      complete: clip.complete,
    };
  }

  /** Of a clip that is not complete yet, the ring knows more. */
  private blocksOf(clip: Clip): Promise<Block[]> {
    return clip.complete ? this.clips.read(clip) : this.around(clip.atMs);
  }

  private around(atMs: number): Promise<Block[]> {
    return this.ring.read(atMs - AROUND_MS, atMs + AROUND_MS);
  }

  /** Alerts that open within a minute of another share its clip: a storm must not push out what came before it. */
  private async freezeAt(alert: string, nowMs: number): Promise<void> {
    const shared = this.clips.list.findLast(({ atMs }) => Math.abs(nowMs - atMs) < AROUND_MS);
    if (shared && shared.alerts.length >= REMEMBERED_ALERTS) return;
    const clip = shared
      ? { ...shared, alerts: [...shared.alerts, alert] }
      : { alerts: [alert], atMs: nowMs, complete: false };
    const blocks = shared ? await this.clips.read(shared) : await this.around(nowMs);
    await this.clips.write(clip, blocks);
    if (!shared) this.options.counters.add('recorder_clips');
  }

  private isDue({ complete, atMs }: Clip): boolean {
    const pastMs = this.options.clock.nowMs() - atMs;
    // A clock that was put back far would let it wait for ever.
    return !complete && (pastMs > AROUND_MS + BLOCK_MS || pastMs < -AROUND_MS);
  }

  /** The ring may have forgotten what was frozen at once, and knows what came after. */
  private async completeDue(): Promise<void> {
    for (const clip of this.clips.list.filter((each) => this.isDue(each))) {
      await this.quietly('complete a clip', async () => {
        const frozen = await this.clips.read(clip);
        const lastMs = Math.max(clip.atMs - AROUND_MS - 1, ...frozen.map(({ toMs }) => toMs));
        const later = (await this.around(clip.atMs)).filter(({ toMs }) => toMs > lastMs);
        const current = this.clips.find(clip.alerts[0]!) ?? clip;
        await this.clips.write({ ...current, complete: true }, [...frozen, ...later]);
      });
    }
  }

  private flushAll(): void {
    for (const source of [...this.gathered.keys()]) void this.flush(source);
  }

  private flush(source: string): Promise<unknown> {
    const gathered = this.gathered.get(source);
    if (!gathered) return Promise.resolve();
    this.gathered.delete(source);
    const { parts, fromMs, toMs } = gathered;
    const lines: Lines = { source, fromMs, toMs, text: Buffer.concat(parts) };
    return this.quietly('write', () => this.ring.append(encodeBlock(lines)));
  }

  /** Does it after what is under way; a failure is counted, told once, and nobody else's matter. */
  private quietly<T>(what: string, work: () => Promise<T>): Promise<T | null> {
    const { log, counters } = this.options;
    const result = this.tail.then(work).catch((error) => {
      if (counters.get('recorder_errors') === 0)
        log.warn({ error: messageOf(error) }, `the flight recorder cannot ${what}; more is only counted`);
      counters.add('recorder_errors');
      return null;
    });
    this.tail = result;
    return result;
  }

  private isAllowed(bytes: number): boolean {
    const nowMs = this.options.clock.monotonicMs();
    const earned = ((nowMs - this.allowedMs) / 1000) * BYTES_PER_SECOND;
    this.allowance = Math.min(BURST_BYTES, this.allowance + earned);
    this.allowedMs = nowMs;
    if (bytes > this.allowance) return false;
    this.allowance -= bytes;
    return true;
  }
}
