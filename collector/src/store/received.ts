/**
 * The table of what was received: spans of sequences by agent and boot. Bounded in spans a boot, boots an agent and rows
 * altogether; boots touched longest ago go first. Of a boot without a row the stored batches say from where
 * to where it reached, and in there each batch is looked up by itself, so that old data is not taken twice.
 */
import type { Database, Statement } from 'better-sqlite3';
import { addSpan, type BootKey, type ReceivedRange, type Span } from '../spans.js';

const MAX_BOOTS_PER_AGENT = 256;
/** So many more may gather before they are removed, so that not every new boot costs a count. */
const SLACK = 32;
const MAX_ROWS = 100_000;

export type BatchKey = BootKey & { sequence: number };

interface Row {
  first: number;
  last: number;
  complete: number;
}

export class ReceivedTable {
  private readonly statements = new Map<string, Statement>();
  /** Counts the writes, over restarts too: boots follow one another by it, whatever the clock does. */
  private turn: number;

  constructor(
    private readonly database: Database,
    /** Numbers of the slices, newest first. */
    private readonly slices: () => readonly number[],
    private readonly maxRows = MAX_ROWS,
  ) {
    this.turn = this.newestTurn();
  }

  /** Prepared statements name slices. */
  reload(): void {
    this.statements.clear();
    this.turn = this.newestTurn();
  }

  /** Within the transaction of whoever calls. */
  add(ranges: readonly ReceivedRange[]): void {
    const boots = new Map<string, { key: BootKey; ranges: ReceivedRange[] }>();
    for (const range of ranges) {
      const name = `${range.agent}/${range.boot}`;
      const known = boots.get(name) ?? { key: range, ranges: [] };
      boots.set(name, known);
      known.ranges.push(range);
    }
    for (const { key, ranges: own } of boots.values()) this.addTo(key, own);
  }

  /** Of all boots that have rows, or of these. */
  ranges(boots?: readonly BootKey[]): ReceivedRange[] {
    if (!boots) {
      const rows = this.sql('SELECT agent, boot, first, last, complete FROM received').all();
      return (rows as Array<Row & BootKey>).map((row) => ({ ...row, complete: row.complete === 1 }));
    }
    return boots.flatMap(({ agent, boot }) => {
      const known = this.spansOf({ agent, boot });
      const spans = known.length > 0 ? known : this.reachOf({ agent, boot });
      return spans.map((span) => ({ agent, boot, ...span }));
    });
  }

  hasBatches(batches: readonly BatchKey[]): boolean[] {
    return batches.map((batch) => this.slices().some((n) => this.find(n, batch)));
  }

  /** Whether a complete span holds it: it is stored, in whatever slice. */
  isStored({ agent, boot, sequence }: BatchKey): boolean {
    const found = this.sql(
      'SELECT 1 FROM received WHERE agent = ? AND boot = ? AND first <= ? AND last >= ? AND complete = 1 LIMIT 1',
    ).get(agent, boot, sequence, sequence);
    return found !== undefined;
  }

  private find(n: number, { agent, boot, sequence }: BatchKey): boolean {
    const select = `SELECT 1 FROM batches_${n} WHERE agent = ? AND boot = ? AND sequence = ?`;
    return this.sql(select).get(agent, boot, sequence) !== undefined;
  }

  /** Removes the boots touched longest ago beyond the bound. Returns the rows removed. */
  shrink(): number {
    const { rows } = this.sql('SELECT count(*) AS rows FROM received').get() as { rows: number };
    if (rows <= this.maxRows) return 0;
    return this.sql(
      'DELETE FROM received WHERE touched <= (SELECT touched FROM received ORDER BY touched LIMIT 1 OFFSET ?)',
    ).run(rows - this.maxRows - 1).changes;
  }

  private addTo({ agent, boot }: BootKey, ranges: readonly ReceivedRange[]): void {
    const known = this.spansOf({ agent, boot });
    const spans = known.length > 0 ? known : this.reachOf({ agent, boot });
    for (const range of ranges) addSpan(spans, range);
    const turn = ++this.turn;
    this.remove(agent, boot);
    const insert = this.sql(
      'INSERT INTO received (agent, boot, first, last, complete, touched) VALUES (?, ?, ?, ?, ?, ?)',
    );
    for (const { first, last, complete } of spans)
      insert.run(agent, boot, first, last, Number(complete), turn);
    if (known.length === 0) this.boundBoots(agent);
  }

  private spansOf({ agent, boot }: BootKey): Span[] {
    const rows = this.sql(
      'SELECT first, last, complete FROM received WHERE agent = ? AND boot = ? ORDER BY first',
    ).all(agent, boot) as Row[];
    return rows.map((row) => ({ ...row, complete: row.complete === 1 }));
  }

  /** From where to where a boot's rows reach; empty when there are none. */
  private reachOf({ agent, boot }: BootKey): Span[] {
    const end = (n: number, order: 'ASC' | 'DESC') =>
      this.sql(
        `SELECT sequence FROM batches_${n} WHERE agent = ? AND boot = ? ORDER BY sequence ${order} LIMIT 1`,
      ).get(agent, boot) as { sequence: number } | undefined;
    const spans: Span[] = [];
    for (const n of this.slices()) {
      const [first, last] = [end(n, 'ASC'), end(n, 'DESC')];
      if (first && last) addSpan(spans, { first: first.sequence, last: last.sequence, complete: false });
    }
    return spans;
  }

  private boundBoots(agent: string): void {
    const boots = this.sql(
      'SELECT boot FROM received WHERE agent = ? GROUP BY boot ORDER BY max(touched) DESC',
    ).all(agent) as Array<{ boot: string }>;
    if (boots.length <= MAX_BOOTS_PER_AGENT + SLACK) return;
    for (const { boot } of boots.slice(MAX_BOOTS_PER_AGENT)) this.remove(agent, boot);
  }

  private remove(agent: string, boot: string): void {
    this.sql('DELETE FROM received WHERE agent = ? AND boot = ?').run(agent, boot);
  }

  private newestTurn(): number {
    const { touched } = this.sql('SELECT max(touched) AS touched FROM received').get() as {
      touched: number | null;
    };
    return touched ?? 0;
  }

  private sql(text: string): Statement {
    const prepared = this.statements.get(text) ?? this.database.prepare(text);
    this.statements.set(text, prepared);
    return prepared;
  }
}
