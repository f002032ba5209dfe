/**
 * Alarms and events in time. An *event* is a run of rows with label 1. Of a detector that alarms, a *false episode* is
 * a run of alarms, of records an episode as production tells them, that touches no label; one that lasts longer than an
 * hour outside of labels counts once for each full hour, whether it touches a label or not: otherwise "always alarm"
 * would have none.
 *
 * `eventRecall`, which is asked what a budget would find, counts as the peers of `bench:quality` are counted: the
 * alarms on rows without a label, those at most six rows apart being one false episode, also right after an event,
 * and for each full hour one more; as many are allowed as the budget gives whole ones in the time that the rows stand for. Inferred: with it four
 * peers that were computed again (robust-z, HBOS, ECOD, COPOD on server metrics) have the tabled figures for a day
 * and for a week to four digits; gaps of three to six rows do, alarms that may touch a label do not, and the hours,
 * which keep "always alarm" from finding all, change none of them.
 *
 * Runs end where a sequence (a device) ends. No threshold is chosen by labels except in `eventRecall`.
 */
import { descending, type Labels, rankable, type Scores } from './ranking.js';

export interface Timeline {
  labels: Labels;
  /** Epoch ms. */
  timesMs: ArrayLike<number>;
  /** 1 where a sequence begins. */
  first: ArrayLike<number>;
  /** Each row's episode of these alarms, 0 for none; absent: a run of alarms is one. */
  episodesOf?: (alarms: ArrayLike<boolean>) => Uint32Array;
}

const HOUR_MS = 3_600_000;
const DAY_MS = 86_400_000;

/** The usual distance of two rows, whichever is the later: the median within sequences; 0 with fewer than two rows. */
export function stepMs({ timesMs, first }: Timeline): number {
  const steps: number[] = [];
  for (let row = 1; row < timesMs.length; row += 1)
    if (first[row] !== 1) steps.push(Math.abs(timesMs[row]! - timesMs[row - 1]!));
  steps.sort((a, b) => a - b);
  return steps[Math.floor(steps.length / 2)] ?? 0;
}

/** Rows of an hour, at least one. */
function rowsPerHourOf(timeline: Timeline): number {
  return Math.max(1, HOUR_MS / Math.max(1, stepMs(timeline)));
}

/** Device-days that the rows stand for. */
export function days(timeline: Timeline): number {
  return (timeline.timesMs.length * stepMs(timeline)) / DAY_MS;
}

/** Each row's event, 0 for none, and how many there are. */
export function eventsOf({ labels, first }: Timeline): { event: Uint32Array; events: number } {
  const event = new Uint32Array(labels.length);
  let events = 0;
  for (let row = 0; row < labels.length; row += 1) {
    if (labels[row] !== 1) continue;
    const goes = row > 0 && first[row] !== 1 && labels[row - 1] === 1;
    if (!goes) events += 1;
    event[row] = events;
  }
  return { event, events };
}

/** Quiet or labelled rows between two false alarms of one episode, at most. */
const GAP = 5;

/** Counts groups of false alarms while rows start to alarm, in any order; every step costs the same. */
class FalseGroups {
  count = 0;
  private readonly alarms: Uint8Array;
  /** Of a group, at its ends: the other end. */
  private readonly otherEnd: Uint32Array;
  private readonly rowsPerHour: number;

  constructor(private readonly timeline: Timeline) {
    this.alarms = new Uint8Array(timeline.labels.length);
    this.otherEnd = new Uint32Array(timeline.labels.length);
    this.rowsPerHour = rowsPerHourOf(timeline);
  }

  add(row: number): void {
    if (this.timeline.labels[row] === 1) return;
    const [left, right] = [this.alarmBefore(row), this.alarmAfter(row)];
    this.alarms[row] = 1;
    // Inside of a group.
    if (left >= 0 && right >= 0 && right - left - 1 <= GAP) return;
    const begin = left >= 0 ? this.otherEnd[left]! : row;
    const end = right >= 0 ? this.otherEnd[right]! : row;
    if (left >= 0) this.count -= this.cost(begin, left);
    if (right >= 0) this.count -= this.cost(right, end);
    this.count += this.cost(begin, end);
    this.otherEnd[begin] = end;
    this.otherEnd[end] = begin;
  }

  /** The next false alarm before the row, −1 without one that is near. */
  private alarmBefore(row: number): number {
    for (let at = row; at > row - GAP - 1 && this.timeline.first[at] !== 1; at -= 1)
      if (this.alarms[at - 1] === 1) return at - 1;
    return -1;
  }

  private alarmAfter(row: number): number {
    for (let at = row + 1; at <= row + GAP + 1 && this.timeline.first[at] !== 1; at += 1)
      if (this.alarms[at] === 1) return at;
    return -1;
  }

  private cost(begin: number, end: number): number {
    return Math.max(1, Math.floor((end - begin + 1) / this.rowsPerHour));
  }
}

/** Each row's run of alarms, 0 for none. */
function runsOf({ first }: Timeline, alarms: ArrayLike<boolean>): Uint32Array {
  const runs = new Uint32Array(alarms.length);
  for (let row = 0; row < alarms.length; row += 1) {
    if (alarms[row] !== true) continue;
    const goes = row > 0 && first[row] !== 1 && alarms[row - 1] === true;
    runs[row] = goes ? runs[row - 1]! : row + 1;
  }
  return runs;
}

/** False episodes of these alarms. */
export function falseEpisodes(timeline: Timeline, alarms: ArrayLike<boolean>): number {
  const { labels, episodesOf } = timeline;
  const rowsPerHour = rowsPerHourOf(timeline);
  const episode = episodesOf?.(alarms) ?? runsOf(timeline, alarms);
  let count = 0;
  for (let begin = 0, end = 0; begin < episode.length; begin = end) {
    let [touches, outside, hours] = [false, 0, 0];
    for (end = begin; end < episode.length && episode[end] === episode[begin]; end += 1) {
      if (labels[end] === 1) [touches, outside] = [true, 0];
      else outside += 1;
      // A full hour more outside of labels.
      if (outside > 0) hours += Math.floor(outside / rowsPerHour) - Math.floor((outside - 1) / rowsPerHour);
    }
    if (episode[begin] !== 0) count += touches ? hours : Math.max(1, hours);
  }
  return count;
}

/**
 * The share of events with an alarm at the lowest threshold before the false episodes first exceed `budgetPerDay`,
 * the threshold coming down. NaN without events, and for less than an hour, which no false episode a day can judge.
 */
export function eventRecall(timeline: Timeline, scores: Scores, budgetPerDay: number): number {
  const { event, events } = eventsOf(timeline);
  if (events === 0 || days(timeline) * DAY_MS < HOUR_MS) return Number.NaN;
  const allowed = budgetPerDay * days(timeline);
  const counted = new FalseGroups(timeline);
  const found = new Uint8Array(events + 1);
  const order = descending(scores);
  let [now, within] = [0, 0];
  for (let at = 0; at < order.length; at += 1) {
    const row = order[at]!;
    counted.add(row);
    const its = event[row]!;
    if (its > 0 && found[its] === 0) [found[its], now] = [1, now + 1];
    const next = order[at + 1];
    if (next !== undefined && rankable(scores[next]) === rankable(scores[row])) continue;
    if (counted.count > allowed) break;
    within = now;
  }
  return within / events;
}

/** From each found event's start to its first alarm, ms, ascending. */
export function delaysMs(timeline: Timeline, alarms: ArrayLike<boolean>): number[] {
  const { event, events } = eventsOf(timeline);
  const [starts, delays] = [new Float64Array(events + 1).fill(Number.NaN), new Map<number, number>()];
  for (let row = 0; row < event.length; row += 1) {
    const its = event[row]!;
    if (its === 0) continue;
    if (Number.isNaN(starts[its])) starts[its] = timeline.timesMs[row]!;
    if (alarms[row] === true && !delays.has(its))
      delays.set(its, Math.max(0, timeline.timesMs[row]! - starts[its]!));
  }
  return [...delays.values()].sort((a, b) => a - b);
}
