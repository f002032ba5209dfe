/**
 * Windows and records since the last update, as JSON for each client by the lines that it watches: written once for
 * all who watch the same lines. Of the other lines a sample of the records goes to everybody, so that a page shows
 * something of all. Bounded; of more the newest are kept.
 */
import type { RecordView, WatchedLines, WindowView } from '@lineheron/models';
import { lineKey } from './line-board.js';
import type { Changes } from './live-state.js';

/** Rows between two updates; a client could not show more anyway. */
const MAX_PENDING = 4000;
const SAMPLE_PER_SECOND = 20;

export class News {
  private windows: WindowView[] = [];
  private records: RecordView[] = [];
  private credit = 0;
  private takenMs = 0;

  add({ windows, records }: Changes): void {
    append(this.windows, windows);
    append(this.records, records);
  }

  take(nowMs: number): NewsTurn {
    const { windows, records } = this;
    [this.windows, this.records] = [[], []];
    const earned = (Math.max(0, nowMs - this.takenMs) / 1000) * SAMPLE_PER_SECOND;
    this.credit = Math.min(SAMPLE_PER_SECOND, this.credit + earned);
    this.takenMs = nowMs;
    const sample = chooseSample(records, Math.floor(this.credit));
    this.credit -= sample.size;
    return new NewsTurn(windows, records, sample);
  }
}

/** What one update carries. */
export class NewsTurn {
  private readonly texts = new Map<string, string>();
  private windowsByLine: ReadonlyMap<string, readonly WindowView[]> | null = null;

  constructor(
    private readonly windows: readonly WindowView[],
    private readonly records: readonly RecordView[],
    private readonly sample: ReadonlySet<RecordView>,
  ) {}

  get isEmpty(): boolean {
    return this.windows.length + this.records.length === 0;
  }

  /** Fields of an update, each after a comma; empty when there is nothing. */
  of(watched: WatchedLines): string {
    const name = JSON.stringify(watched);
    const known = this.texts.get(name);
    if (known !== undefined) return known;
    const text =
      watched === 'all'
        ? fieldText('windows', this.windows) + fieldText('records', this.records)
        : this.ofLines(watched);
    this.texts.set(name, text);
    return text;
  }

  private ofLines(lines: readonly string[]): string {
    this.windowsByLine ??= groupByLine(this.windows);
    const watched = new Set(lines);
    const windows = lines.flatMap((key) => this.windowsByLine!.get(key) ?? []);
    const records = this.records.filter(
      (record) => this.sample.has(record) || watched.has(lineKey(record.agent, record.device)),
    );
    return fieldText('windows', windows) + fieldText('records', records);
  }
}

function fieldText(name: string, rows: readonly unknown[]): string {
  return rows.length === 0 ? '' : `,"${name}":${JSON.stringify(rows)}`;
}

/** Anomalous ones first, then the newest. */
function chooseSample(records: readonly RecordView[], size: number): ReadonlySet<RecordView> {
  if (records.length <= size) return new Set(records);
  if (size === 0) return new Set();
  const anomalous = records.filter((record) => record.anomalous).slice(-size);
  const others = records.filter((record) => !record.anomalous);
  return new Set([...anomalous, ...others.slice(others.length - (size - anomalous.length))]);
}

function groupByLine(windows: readonly WindowView[]): ReadonlyMap<string, readonly WindowView[]> {
  const groups = new Map<string, WindowView[]>();
  for (const window of windows) {
    const key = lineKey(window.agent, window.device);
    const group = groups.get(key);
    if (group) group.push(window);
    else groups.set(key, [window]);
  }
  return groups;
}

/** Item by item, since a spread of a large group overflows the stack. */
function append<T>(pending: T[], more: readonly T[]): void {
  for (const item of more.slice(-MAX_PENDING)) pending.push(item);
  if (pending.length > MAX_PENDING) pending.splice(0, pending.length - MAX_PENDING);
}
