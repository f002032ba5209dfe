/** Totals since the store began: what is stored, and what waits to be stored with the next commit. */
import type { MetricsView } from '@lineheron/models';

export type TotalName = keyof MetricsView['totals'];
type Amounts = Record<TotalName, number>;

const NAMES = [
  'batches',
  'windows',
  'records',
  'anomalous_windows',
  'alerts',
  'duplicates',
  'refused',
  'deferred',
  'thinned',
  'ahead',
] as const;

export class Totals {
  private readonly stored = zeros();
  private waiting = zeros();

  restore(amounts: Readonly<Record<string, number>>): void {
    for (const name of NAMES) this.stored[name] = amounts[name] ?? 0;
  }

  /** Counts something that comes with no commit of its own. */
  count(name: TotalName, amount = 1): void {
    this.waiting[name] += amount;
  }

  /** What the next commit should add: its own amounts and what waits. */
  due(own: Partial<Amounts>): Amounts {
    const due = zeros();
    for (const name of NAMES) due[name] = this.waiting[name] + (own[name] ?? 0);
    return due;
  }

  /** A commit took `due`; what was counted meanwhile goes on waiting. */
  committed(due: Amounts, own: Partial<Amounts>): void {
    for (const name of NAMES) {
      this.stored[name] += due[name];
      this.waiting[name] -= due[name] - (own[name] ?? 0);
    }
  }

  get view(): Amounts {
    const sum = zeros();
    for (const name of NAMES) sum[name] = this.stored[name] + this.waiting[name];
    return sum;
  }
}

function zeros(): Amounts {
  return Object.fromEntries(NAMES.map((name) => [name, 0])) as Amounts;
}
