/**
 * Where batches wait, as they came, until they are dealt with: gathered for a moment and handed on in groups, so that
 * scoring and commits are paid once for many. While one group is committed the next is handed on. Live batches go
 * before backlog. Bounded in bytes, and in how long a batch would wait: what comes then is not taken, before anything
 * of it was read but its name, and its agent is asked to come again. What waits already is not taken twice.
 */

export interface WaitingBatch {
  agent: string;
  payload: Buffer;
  /** Boot and sequence; null where the message does not begin as agents write it. */
  name: { boot: string; sequence: number } | null;
  /** Backlog of an outage. */
  historical: boolean;
}

export type Taken = 'taken' | 'waiting' | 'full';

const MAX_LANE_BYTES = 32 * 1024 * 1024;
/** Objects cost memory beside their bytes. */
const MAX_LANE_BATCHES = 50_000;
/** A lane whose first batch has waited for longer takes no more, unless it holds next to nothing. */
const MAX_WAIT_MS = 1000;
const LITTLE_BYTES = 1024 * 1024;
/** Of one group; less where the work goes slowly, so that what comes meanwhile does not wait for long. */
const MAX_GROUP_BYTES = 3 * 1024 * 1024;
const MAX_GROUP_S = 0.3;
const MIN_GROUP_BYTES = 256 * 1024;
const MAX_GROUP_BATCHES = 500;
const GATHER_MS = 50;
/** One that is committed and one that is prepared. */
const MAX_GROUPS = 2;
/** What was longer ago says little of how fast the work goes now. */
const RATE_OVER_MS = 2000;

/** Work a second over the last few seconds in which there was any: what can be done, not what is asked for. */
class WorkRate {
  private batches = 0;
  private bytes = 0;
  private ms = 0;
  private sinceMs: number | null = null;

  begin(nowMs: number): void {
    this.sinceMs ??= nowMs;
  }

  end(group: readonly WaitingBatch[], nowMs: number, isIdle: boolean): void {
    const tookMs = nowMs - (this.sinceMs ?? nowMs);
    const fading = Math.exp(-tookMs / RATE_OVER_MS);
    this.batches = this.batches * fading + group.length;
    this.bytes = this.bytes * fading + group.reduce((sum, { payload }) => sum + payload.length, 0);
    this.ms = this.ms * fading + tookMs;
    this.sinceMs = isIdle ? null : nowMs;
  }

  /** Null before the first. */
  get perSecond(): { batches: number; bytes: number } | null {
    if (this.ms <= 0) return null;
    return { batches: (1000 * this.batches) / this.ms, bytes: (1000 * this.bytes) / this.ms };
  }
}

export interface BatchQueueOptions {
  monotonicMs?: () => number;
  gatherMs?: number;
  maxGroup?: number;
  maxGroupBytes?: number;
  maxLaneBytes?: number;
  /** Resolves when the group is dealt with; must not reject. May be asked again before. */
  handle: (group: WaitingBatch[]) => Promise<void>;
}

interface Lane {
  batches: { batch: WaitingBatch; sinceMs: number }[];
  bytes: number;
}

export class BatchQueue {
  private readonly live: Lane = { batches: [], bytes: 0 };
  private readonly backlog: Lane = { batches: [], bytes: 0 };
  private readonly names = new Set<string>();
  private readonly groups = new Set<Promise<void>>();
  private timer: NodeJS.Timeout | null = null;
  private closed = false;
  private readonly rate = new WorkRate();

  private readonly nowMs: () => number;

  constructor(private readonly options: BatchQueueOptions) {
    this.nowMs = options.monotonicMs ?? (() => performance.now());
  }

  /** Batches that wait. */
  get waiting(): number {
    return this.live.batches.length + this.backlog.batches.length;
  }

  /** Batches a second that were dealt with lately; null before the first. */
  get batchesPerSecond(): number | null {
    return this.rate.perSecond?.batches ?? null;
  }

  push(batch: WaitingBatch): Taken {
    const name = nameOf(batch);
    if (name !== null && this.names.has(name)) return 'waiting';
    const lane = batch.historical ? this.backlog : this.live;
    if (this.closed || this.isFull(lane, batch.payload.length)) return 'full';
    if (name !== null) this.names.add(name);
    lane.batches.push({ batch, sinceMs: this.nowMs() });
    lane.bytes += batch.payload.length;
    this.run();
    return 'taken';
  }

  /** Takes nothing more and deals with what waits. */
  async close(): Promise<void> {
    this.closed = true;
    this.run();
    while (this.groups.size > 0) await Promise.all(this.groups);
  }

  private get groupBytes(): number {
    const { maxGroupBytes = MAX_GROUP_BYTES } = this.options;
    const rate = this.rate.perSecond;
    if (rate === null) return maxGroupBytes;
    return Math.min(maxGroupBytes, Math.max(MIN_GROUP_BYTES, MAX_GROUP_S * rate.bytes));
  }

  private isFull({ batches, bytes }: Lane, more: number): boolean {
    const { maxLaneBytes = MAX_LANE_BYTES } = this.options;
    if (bytes + more > maxLaneBytes || batches.length >= MAX_LANE_BATCHES) return true;
    const [first] = batches;
    return first !== undefined && bytes > LITTLE_BYTES && this.nowMs() - first.sinceMs > MAX_WAIT_MS;
  }

  /** Hands on what is due. */
  private run(): void {
    const { gatherMs = GATHER_MS, maxGroup = MAX_GROUP_BATCHES } = this.options;
    const maxGroupBytes = this.groupBytes;
    while (this.waiting > 0 && this.groups.size < MAX_GROUPS) {
      const first = Math.min(
        ...[this.live, this.backlog].map(({ batches }) => batches[0]?.sinceMs ?? Infinity),
      );
      const isMuch = this.waiting >= maxGroup || this.live.bytes + this.backlog.bytes >= maxGroupBytes;
      const waitMs = first + gatherMs - this.nowMs();
      if (!this.closed && !isMuch && waitMs > 0) {
        this.timer ??= setTimeout(() => this.wake(), waitMs);
        return;
      }
      this.handOn(this.take());
    }
  }

  private wake(): void {
    this.timer = null;
    this.run();
  }

  private handOn(group: WaitingBatch[]): void {
    this.rate.begin(this.nowMs());
    const dealt = this.options.handle(group).finally(() => {
      this.groups.delete(dealt);
      this.rate.end(group, this.nowMs(), this.groups.size === 0);
      this.run();
    });
    this.groups.add(dealt);
  }

  /** The next group: live ones first, each kind in its order; one batch at least. */
  private take(): WaitingBatch[] {
    const { maxGroup = MAX_GROUP_BATCHES } = this.options;
    const maxGroupBytes = this.groupBytes;
    const group: WaitingBatch[] = [];
    let bytes = 0;
    for (const lane of [this.live, this.backlog]) {
      let size = 0;
      for (const { batch } of lane.batches) {
        bytes += batch.payload.length;
        if (group.length === maxGroup || (group.length > 0 && bytes > maxGroupBytes)) break;
        group.push(batch);
        size++;
      }
      for (const { batch } of lane.batches.splice(0, size)) {
        lane.bytes -= batch.payload.length;
        const name = nameOf(batch);
        if (name !== null) this.names.delete(name);
      }
    }
    return group;
  }
}

function nameOf({ agent, name }: WaitingBatch): string | null {
  return name === null ? null : `${agent}/${name.boot}/${name.sequence}`;
}
