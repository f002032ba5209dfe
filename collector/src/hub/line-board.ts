/**
 * The last values of every line and a coarse sparkline: what the feed says of lines that nobody watches. Each line has
 * a number by which updates name it. Values are told in turn, those that wait longest first, so that what they cost
 * does not grow with the fleet. Bounded; lines heard longest ago go first.
 */
import { type LineValues, SPARK_POINTS, SPARK_STEP_S, type WindowView } from '@lineheron/models';

interface Entry {
  number: number;
  latencyMs: number | null;
  lossPct: number | null;
  /** Greatest latency of each step, by the step's number modulo the length; NaN where nothing came. */
  spark: Float32Array;
  /** The newest step in `spark`. */
  step: number;
  /** Its values are told. */
  listed: boolean;
}

/** Somewhat more than the fleet knows: a line of it is never forgotten here. */
const MAX_LINES = 220_000;
const STEP_MS = SPARK_STEP_S * 1000;

export const lineKey = (agent: string, device: string) => `${agent}/${device}`;

export class LineBoard {
  private readonly entries = new Map<string, Entry>();
  private readonly byNumber = new Map<number, Entry>();
  private nextNumber = 0;
  /** Numbers of lines whose values have not been told, in the order in which they changed. */
  private readonly changed = new Set<number>();

  constructor(private readonly maxLines = MAX_LINES) {}

  note({ agent, device, received_at, latency_ms, packet_loss_pct }: WindowView): void {
    const entry = this.entry(lineKey(agent, device));
    entry.latencyMs = latency_ms;
    entry.lossPct = packet_loss_pct;
    if (entry.listed) this.changed.add(entry.number);
    const step = Math.floor(Date.parse(received_at) / STEP_MS);
    advance(entry, step);
    if (latency_ms === null || step <= entry.step - SPARK_POINTS) return;
    const place = step % SPARK_POINTS;
    const before = entry.spark[place]!;
    if (!(before >= latency_ms)) entry.spark[place] = latency_ms;
  }

  /** Its number is the line's as long as it is known. */
  number(key: string): number {
    return this.entry(key).number;
  }

  /** Whether its values are told. */
  list(key: string, listed: boolean): void {
    const entry = this.entry(key);
    entry.listed = listed;
    if (!listed) this.changed.delete(entry.number);
  }

  values(number: number): [latencyMs: number | null, lossPct: number | null] {
    const entry = this.byNumber.get(number);
    return entry ? shown(entry) : [null, null];
  }

  /** Newest values of lines that changed; of more than `limit` those that have waited longest. */
  takeValues(limit: number): LineValues[] {
    const taken: LineValues[] = [];
    for (const number of this.changed) {
      if (taken.length === limit) break;
      this.changed.delete(number);
      const entry = this.byNumber.get(number);
      if (entry) taken.push([number, ...shown(entry)]);
    }
    return taken;
  }

  /** Latency up to now, oldest first; empty where nothing is known. */
  spark(number: number, nowMs: number): Array<number | null> {
    const entry = this.byNumber.get(number);
    if (!entry) return [];
    const last = Math.floor(nowMs / STEP_MS);
    const points = Array.from({ length: SPARK_POINTS }, (_, at) => {
      const step = last - SPARK_POINTS + 1 + at;
      const isKept = step <= entry.step && step > entry.step - SPARK_POINTS;
      return isKept ? quantised(entry.spark[step % SPARK_POINTS]!, 2) : null;
    });
    return points.every((value) => value === null) ? [] : points;
  }

  private forget(key: string): void {
    const entry = this.entries.get(key);
    if (!entry) return;
    this.entries.delete(key);
    this.byNumber.delete(entry.number);
    this.changed.delete(entry.number);
  }

  private entry(key: string): Entry {
    const known = this.entries.get(key);
    const entry = known ?? {
      number: this.nextNumber++,
      latencyMs: null,
      lossPct: null,
      spark: new Float32Array(SPARK_POINTS).fill(Number.NaN),
      step: 0,
      listed: false,
    };
    this.entries.delete(key);
    this.entries.set(key, entry);
    this.byNumber.set(entry.number, entry);
    if (this.entries.size > this.maxLines) this.forget(this.entries.keys().next().value!);
    return entry;
  }
}

/** Empties the steps between the newest and `step`. */
function advance(entry: Entry, step: number): void {
  if (step <= entry.step) return;
  const first = Math.max(entry.step + 1, step - SPARK_POINTS + 1);
  for (let at = first; at <= step; at++) entry.spark[at % SPARK_POINTS] = Number.NaN;
  entry.step = step;
}

function shown({ latencyMs, lossPct }: Entry): [number | null, number | null] {
  return [quantised(latencyMs, 3), quantised(lossPct, 3)];
}

/** As many digits as a list of lines shows. */
function quantised(value: number | null, digits: number): number | null {
  return value === null || Number.isNaN(value) ? null : Number(value.toPrecision(digits));
}
