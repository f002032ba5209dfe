/**
 * What is to be looked at again once a time has come, the earliest first: a binary heap of times. An item stands in it
 * with its earliest time only; an entry that a later `add` has overtaken is passed over.
 */
export interface Due {
  /** When it is due, ms; infinite while it is not in the queue. */
  dueMs: number;
}

interface Entry<T> {
  atMs: number;
  item: T;
}

export class DueQueue<T extends Due> {
  private readonly heap: Entry<T>[] = [];

  /** It is due at `atMs`, or sooner where it is queued for a sooner time. */
  add(item: T, atMs: number): void {
    if (atMs >= item.dueMs) return;
    item.dueMs = atMs;
    this.rise({ atMs, item });
  }

  /** Takes out all that is due by now. */
  *take(nowMs: number): Generator<T> {
    while (this.heap.length > 0 && this.heap[0]!.atMs <= nowMs) {
      const { atMs, item } = this.first();
      if (item.dueMs !== atMs) continue;
      item.dueMs = Number.POSITIVE_INFINITY;
      yield item;
    }
  }

  clear(): void {
    for (const { item } of this.heap) item.dueMs = Number.POSITIVE_INFINITY;
    this.heap.length = 0;
  }

  private rise(entry: Entry<T>): void {
    const { heap } = this;
    let at = heap.length;
    while (at > 0) {
      const above = (at - 1) >> 1;
      if (heap[above]!.atMs <= entry.atMs) break;
      heap[at] = heap[above]!;
      at = above;
    }
    heap[at] = entry;
  }

  private first(): Entry<T> {
    const { heap } = this;
    const first = heap[0]!;
    const last = heap.pop()!;
    if (heap.length > 0) this.sink(last);
    return first;
  }

  private sink(entry: Entry<T>): void {
    const { heap } = this;
    let at = 0;
    for (;;) {
      let below = 2 * at + 1;
      if (below >= heap.length) break;
      if (below + 1 < heap.length && heap[below + 1]!.atMs < heap[below]!.atMs) below++;
      if (heap[below]!.atMs >= entry.atMs) break;
      heap[at] = heap[below]!;
      at = below;
    }
    heap[at] = entry;
  }
}
