/** Topic filters in a tree by level, so that finding those that match a topic does not grow with their number. */

interface Branch<T> {
  readonly next: Map<string, Branch<T>>;
  readonly values: Set<T>;
}

const newBranch = <T>(): Branch<T> => ({ next: new Map(), values: new Set() });

export class FilterTree<T> {
  private readonly root = newBranch<T>();

  add(filter: string, value: T): void {
    let branch = this.root;
    for (const level of filter.split('/')) {
      const next = branch.next.get(level) ?? newBranch<T>();
      branch.next.set(level, next);
      branch = next;
    }
    branch.values.add(value);
  }

  remove(filter: string, value: T): void {
    const levels = filter.split('/');
    const path = [this.root];
    for (const level of levels) {
      const next = path.at(-1)!.next.get(level);
      if (!next) return;
      path.push(next);
    }
    path.at(-1)!.values.delete(value);
    for (let at = levels.length; at > 0; at--) {
      const { next, values } = path[at]!;
      if (next.size > 0 || values.size > 0) return;
      path[at - 1]!.next.delete(levels[at - 1]!);
    }
  }

  /** Each value once, however many of its filters match. */
  match(topic: string): Set<T> {
    const found = new Set<T>();
    this.walk(this.root, topic.split('/'), 0, found);
    return found;
  }

  private walk(branch: Branch<T>, levels: readonly string[], at: number, found: Set<T>): void {
    // A wildcard does not stand for what the broker says of itself.
    const wild = at > 0 || !levels[0]!.startsWith('$');
    const rest = wild ? branch.next.get('#') : undefined;
    for (const value of rest?.values ?? []) found.add(value);
    if (at === levels.length) {
      for (const value of branch.values) found.add(value);
      return;
    }
    const exact = branch.next.get(levels[at]!);
    if (exact) this.walk(exact, levels, at + 1, found);
    const any = wild ? branch.next.get('+') : undefined;
    if (any) this.walk(any, levels, at + 1, found);
  }
}
