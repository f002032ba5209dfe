/**
 * Windows and records since the last turn: by line, for those who watch it, each written once; all of them, for those who
 * watch all; and a sample of the records, so that a page shows something of all lines. Bounded; of more the newest are kept.
 */
import type { RecordView, WindowView } from '@lineheron/models';
import { lineKey } from './line-board.js';
import type { Changes } from './live-state.js';

/** Rows between two turns; a client could not show more anyway. */
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
    this.credit -= sample.length;
    return new NewsTurn(windows, records, sample);
  }
}

export class NewsTurn {
  private readonly windowsByLine: ReadonlyMap<string, readonly WindowView[]>;
  private readonly recordsByLine: ReadonlyMap<string, readonly RecordView[]>;
  private readonly texts = new Map<unknown, string>();
  private allText: string | null = null;

  constructor(
    private readonly windows: readonly WindowView[],
    private readonly records: readonly RecordView[],
    readonly sample: readonly RecordView[],
  ) {
    this.windowsByLine = groupByLine(windows);
    this.recordsByLine = groupByLine(records);
  }

  /** Lines of which there is something. */
  get lines(): Set<string> {
    return new Set([...this.windowsByLine.keys(), ...this.recordsByLine.keys()]);
  }

  /** Fields of a frame about all lines, each after a comma; empty when there is nothing. */
  get all(): string {
    this.allText ??=
      fieldText('windows', [this.rows(this.windows)]) + fieldText('records', [this.rows(this.records)]);
    return this.allText;
  }

  /** The same about some lines. */
  of(lines: readonly string[]): string {
    const rowsOf = <T>(groups: ReadonlyMap<string, readonly T[]>) =>
      lines.map((line) => this.rows(groups.get(line) ?? NONE));
    return (
      fieldText('windows', rowsOf(this.windowsByLine)) + fieldText('records', rowsOf(this.recordsByLine))
    );
  }

  private rows(rows: readonly unknown[]): string {
    if (rows.length === 0) return '';
    const known = this.texts.get(rows);
    if (known !== undefined) return known;
    const text = JSON.stringify(rows).slice(1, -1);
    this.texts.set(rows, text);
    return text;
  }
}

const NONE: readonly never[] = [];

function fieldText(name: string, parts: readonly string[]): string {
  const rows = parts.filter((part) => part !== '').join();
  return rows === '' ? '' : `,"${name}":[${rows}]`;
}

/** Anomalous ones first, then the newest. */
function chooseSample(records: readonly RecordView[], size: number): readonly RecordView[] {
  if (records.length <= size) return records;
  if (size === 0) return NONE;
  const anomalous = records.filter((record) => record.anomalous).slice(-size);
  const others = records.filter((record) => !record.anomalous);
  const chosen = new Set([...anomalous, ...others.slice(others.length - (size - anomalous.length))]);
  return records.filter((record) => chosen.has(record));
}

function groupByLine<T extends { agent: string; device: string }>(rows: readonly T[]): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const row of rows) {
    const key = lineKey(row.agent, row.device);
    const group = groups.get(key);
    if (group) group.push(row);
    else groups.set(key, [row]);
  }
  return groups;
}

/** Item by item, since a spread of a large group overflows the stack. */
function append<T>(pending: T[], more: readonly T[]): void {
  for (const item of more.slice(-MAX_PENDING)) pending.push(item);
  if (pending.length > MAX_PENDING) pending.splice(0, pending.length - MAX_PENDING);
}
