/**
 * How often a line usually reports, and how long it must say nothing before that is news. One instance per line; agent
 * and collector use the same rule. All times in ms of event time.
 *
 * Usual interval: the median of the gaps between records over the recent past, each gap weighted by its own length. In
 * other words, the gap in which a random moment of that past lies. So 40 records in 80 s among records every 90 s change
 * nothing, however many there are. The past fades over `MEMORY_MS` of reporting: a line whose rate changes for good has
 * its new interval after 4.5 hours at most (ln 2 × 6 h, and one gap), sooner when it has been known for less. No gap
 * weighs more than a third of all, nor more than the limit below, so that one outage is never "usual".
 *
 * Silence limit: `STALE_INTERVALS` usual intervals, and a minute at least. Where that is more than a day, it is a day, or
 * four usual intervals where those are longer: a job that runs every weekday night may rest at weekends. A line that is
 * irregular, such as a log of nothing but faults, must have said nothing for four times the second longest of its last
 * sixteen gaps too; gaps of bursts (under an eighth of the usual one) and of silences are not among those.
 *
 * Repetition: gaps beyond that limit are remembered, the eight longest of the last week (of the last four times their
 * length where that is longer, four weeks at most). With three of them the limit is at least twice the third longest.
 * So at most three silences of about one length are told, and none of them again while they go on coming. Every three
 * further ones must be twice as long: 27 a day is the most that any line can reach.
 *
 * Bounds: 64 classes of gaps, √2 wide from 1 ms on, eight long gaps, and the last sixteen.
 */
import { MIN_STALE_MS, STALE_INTERVALS } from './detector.js';

const MEMORY_MS = 6 * 3_600_000;
const DAY_MS = 86_400_000;
/** Fewer gaps do not show that a line reports regularly. */
const MIN_GAPS = 9;
const MIN_MISSED = 4;
const TOLD_ALIKE = 3;
const MAX_LONG_GAPS = 8;
const MIN_KEPT_MS = 7 * DAY_MS;
const MAX_KEPT_MS = 28 * DAY_MS;
const MAX_CLASS = 63;
const MAX_LAST_GAPS = 16;
const LAST_GAPS_FACTOR = 4;
const BURST_PART = 1 / 8;

interface GapClass {
  readonly at: number;
  /** Time spent in such gaps, faded, and that time multiplied by their length. */
  weight: number;
  sum: number;
}

interface LongGap {
  gapMs: number;
  endMs: number;
}

export class ReportingInterval {
  /** Shortest gaps first. */
  private readonly classes: GapClass[] = [];
  /** Longest first. */
  private long: LongGap[] = [];
  /** Oldest first. */
  private readonly last: number[] = [];
  private secondLongest = 0;
  private gaps = 0;
  private newestMs = Number.NEGATIVE_INFINITY;
  /** Null when it has to be worked out. */
  private usual: number | null = null;

  /** `atLeastMs`: no shorter time counts as silence. */
  constructor(private readonly atLeastMs = MIN_STALE_MS) {}

  /** The line reported at `endMs`, `gapMs` after the time before. */
  add(gapMs: number, endMs: number): void {
    this.newestMs = Math.max(this.newestMs, endMs);
    const weight = this.weightOf(gapMs);
    const isLong = this.gaps > 0 && gapMs >= this.baseMs();
    if (isLong) this.remember({ gapMs, endMs });
    // The first gap may be the jump of a clock; before the line is known, nothing is called a silence.
    if (this.gaps > 0 && !(isLong && this.isRegular)) this.noteLast(gapMs);
    this.gaps += 1;
    this.learn(gapMs, weight);
  }

  /** Whether enough is known to call its silence news. */
  get isRegular(): boolean {
    return this.gaps >= MIN_GAPS;
  }

  /** Null before the second record. */
  get usualMs(): number | null {
    if (this.gaps === 0) return null;
    this.usual ??= this.median();
    return this.usual;
  }

  /** It is silent when it has said nothing for so long; null before the second record. */
  get silenceMs(): number | null {
    if (this.gaps === 0) return null;
    if (this.long.length < TOLD_ALIKE) return this.baseMs();
    const alike = this.long.filter((gap) => this.isRecent(gap))[TOLD_ALIKE - 1];
    return Math.max(this.baseMs(), 2 * (alike?.gapMs ?? 0));
  }

  /** The first gap may be the jump of a clock that has just been set. */
  private weightOf(gapMs: number): number {
    const limitMs = this.silenceMs;
    if (limitMs === null) return Math.min(gapMs, this.atLeastMs);
    return Math.min(gapMs, limitMs, this.totalWeight() / 2);
  }

  private baseMs(): number {
    const usual = this.usualMs ?? 0;
    const regular = Math.min(STALE_INTERVALS * usual, Math.max(MIN_MISSED * usual, DAY_MS));
    return Math.max(this.atLeastMs, regular, LAST_GAPS_FACTOR * this.secondLongest);
  }

  private noteLast(gapMs: number): void {
    if (gapMs < BURST_PART * (this.usualMs ?? 0)) return;
    this.last.push(gapMs);
    const forgotten = this.last.length > MAX_LAST_GAPS ? this.last.shift()! : 0;
    // Nearly always: neither of the two was among the two longest.
    if (gapMs <= this.secondLongest && forgotten < this.secondLongest) return;
    let [longest, second] = [0, 0];
    for (const known of this.last) {
      if (known >= longest) [longest, second] = [known, longest];
      else if (known > second) second = known;
    }
    this.secondLongest = second;
  }

  private remember(gap: LongGap): void {
    this.long = [...this.long, gap]
      .filter((known) => this.isRecent(known))
      .sort((a, b) => b.gapMs - a.gapMs)
      .slice(0, MAX_LONG_GAPS);
  }

  private isRecent({ gapMs, endMs }: LongGap): boolean {
    const keptMs = Math.min(MAX_KEPT_MS, Math.max(MIN_KEPT_MS, 4 * gapMs));
    return this.newestMs - endMs <= keptMs;
  }

  private learn(gapMs: number, weight: number): void {
    this.usual = null;
    const fade = Math.exp(-weight / MEMORY_MS);
    for (const known of this.classes) {
      known.weight *= fade;
      known.sum *= fade;
    }
    const own = this.classOf(gapMs);
    own.weight += weight;
    own.sum += weight * gapMs;
  }

  private classOf(gapMs: number): GapClass {
    const at = gapMs <= 1 ? 0 : Math.min(MAX_CLASS, Math.ceil(2 * Math.log2(gapMs)));
    const place = this.classes.findIndex((known) => known.at >= at);
    const known = this.classes[place];
    if (known?.at === at) return known;
    const added = { at, weight: 0, sum: 0 };
    this.classes.splice(place < 0 ? this.classes.length : place, 0, added);
    return added;
  }

  private median(): number {
    let left = this.totalWeight() / 2;
    for (const { weight, sum } of this.classes) {
      left -= weight;
      if (left <= 0 && weight > 0) return Math.round(sum / weight);
    }
    return 0;
  }

  private totalWeight(): number {
    let total = 0;
    for (const { weight } of this.classes) total += weight;
    return total;
  }
}
