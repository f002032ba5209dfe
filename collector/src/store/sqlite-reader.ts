/** The store on SQLite, what reads it: in a thread of its own, so that no question holds up a commit. */
import type { Alert, RecordView, Training, WindowView } from '@lineheron/models';
import { readHistory } from './history.js';
import { ReadDatabase } from './read-database.js';
import type { AlertFilter, HistoryQuery, HistoryRows, WindowFilter, WindowPageQuery } from './store.js';
import { recentWindows, windowPage } from './window-queries.js';

export class SqliteReader {
  private readonly database: ReadDatabase;

  constructor(
    path: string,
    private readonly limitMs: number,
    onStatement?: (text: string) => void,
  ) {
    this.database = new ReadDatabase(path, onStatement);
  }

  close(): void {
    this.database.close();
  }

  recentWindows(filter: WindowFilter): WindowView[] {
    return this.within(() => recentWindows(this.database, filter));
  }

  windowPage(query: WindowPageQuery): WindowView[] {
    return this.within(() => windowPage(this.database, query));
  }

  recentRecords(limit: number): RecordView[] {
    return this.within(() => {
      const records: RecordView[] = [];
      for (const { n, hasRecords } of this.database.slices().reverse()) {
        if (!hasRecords || records.length >= limit) continue;
        const select = `SELECT body FROM records_${n} WHERE id > 0 ORDER BY id DESC LIMIT ?`;
        records.push(...this.bodies<RecordView>(select, limit - records.length));
      }
      return records;
    });
  }

  alerts(filter: AlertFilter): Alert[] {
    return this.within(() => {
      if (filter.status !== undefined) return this.alertsOf(filter.status, filter);
      const open = this.alertsOf('open', filter);
      const left = filter.limit - open.length;
      return left > 0 ? open.concat(this.alertsOf('closed', { ...filter, limit: left })) : open;
    });
  }

  alert(id: string): Alert | null {
    return this.within(() => this.bodies<Alert>('SELECT body FROM alerts WHERE id = ?', id)[0] ?? null);
  }

  trainings(limit: number): Training[] {
    // There are fifty at most.
    const select = "SELECT body FROM trainings WHERE id > '' ORDER BY requested_ms DESC, id LIMIT ?";
    return this.within(() => this.bodies<Training>(select, limit));
  }

  training(id: string): Training | null {
    return this.within(() => this.bodies<Training>('SELECT body FROM trainings WHERE id = ?', id)[0] ?? null);
  }

  history(query: HistoryQuery): HistoryRows {
    return this.within(() => readHistory(this.database, query));
  }

  private alertsOf(status: 'open' | 'closed', { agent, device, limit }: AlertFilter): Alert[] {
    const columns = Object.entries({ agent, device, status }).filter(([, value]) => value !== undefined);
    const condition = columns.map(([column]) => `${column} = ?`).join(' AND ');
    const select = `SELECT body FROM alerts WHERE ${condition} ORDER BY opened_ms DESC LIMIT ?`;
    return this.bodies<Alert>(select, ...columns.map(([, value]) => value), limit);
  }

  private within<T>(work: () => T): T {
    return this.database.within(this.limitMs, work);
  }

  private bodies<T>(text: string, ...values: unknown[]): T[] {
    return this.database.all<{ body: string }>(text, ...values).map(({ body }) => JSON.parse(body) as T);
  }
}
