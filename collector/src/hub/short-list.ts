/**
 * At most so many of a fleet's agents or lines, the worst of them: what a live list shows, whatever the fleet's size. One
 * that is worse takes the place of one that is better; what stands there otherwise stays. Bounded.
 */
export class ShortList<T extends object> {
  private readonly byRank: Set<T>[];
  private readonly ranks = new Map<T, number>();
  private readonly changed = new Set<T>();
  private readonly gone = new Set<T>();

  /** Ranks go from 0, the worst, to `ranks` − 1. */
  constructor(
    private readonly most: number,
    ranks: number,
  ) {
    this.byRank = Array.from({ length: ranks }, () => new Set());
  }

  /** It is new, or differs from before. */
  note(item: T, rank: number): void {
    const before = this.ranks.get(item);
    if (before === undefined && this.ranks.size >= this.most && !this.makeRoom(rank)) return;
    if (before !== undefined) this.byRank[before]!.delete(item);
    this.byRank[rank]!.add(item);
    this.ranks.set(item, rank);
    this.gone.delete(item);
    this.changed.add(item);
  }

  forget(item: T): void {
    const rank = this.ranks.get(item);
    if (rank === undefined) return;
    this.byRank[rank]!.delete(item);
    this.ranks.delete(item);
    this.changed.delete(item);
    this.gone.add(item);
  }

  has(item: T): boolean {
    return this.ranks.has(item);
  }

  get all(): T[] {
    return [...this.ranks.keys()];
  }

  /** What is new or different since the last time, and what has left. */
  take(): { changed: T[]; gone: T[] } {
    const taken = { changed: [...this.changed], gone: [...this.gone] };
    this.changed.clear();
    this.gone.clear();
    return taken;
  }

  /** Lets a better one go; false when all that is shown is as bad. */
  private makeRoom(rank: number): boolean {
    for (let better = this.byRank.length - 1; better > rank; better--) {
      const [item] = this.byRank[better]!;
      if (item === undefined) continue;
      this.forget(item);
      return true;
    }
    return false;
  }
}
