/** The clients of the feed by the lines that they watch: those that watch the same get the same frame. */
import type { Connection } from './connection.js';

export interface WatchGroup {
  readonly lines: readonly string[];
  readonly members: Set<Connection>;
}

export class WatchGroups {
  private readonly groups = new Map<string, WatchGroup>();
  private readonly byLine = new Map<string, Set<WatchGroup>>();

  join(connection: Connection, lines: readonly string[]): void {
    const name = nameOf(lines);
    const known = this.groups.get(name);
    const group = known ?? { lines: [...new Set(lines)], members: new Set() };
    group.members.add(connection);
    if (known || lines.length === 0) return;
    this.groups.set(name, group);
    for (const line of group.lines) {
      const watching = this.byLine.get(line);
      if (watching) watching.add(group);
      else this.byLine.set(line, new Set([group]));
    }
  }

  leave(connection: Connection, lines: readonly string[]): void {
    const name = nameOf(lines);
    const group = this.groups.get(name);
    if (!group) return;
    group.members.delete(connection);
    if (group.members.size > 0) return;
    this.groups.delete(name);
    for (const line of group.lines) {
      const watching = this.byLine.get(line);
      watching?.delete(group);
      if (watching?.size === 0) this.byLine.delete(line);
    }
  }

  has(line: string): boolean {
    return this.byLine.has(line);
  }

  /** Those that watch any of these lines. */
  of(lines: Iterable<string>): Set<WatchGroup> {
    const found = new Set<WatchGroup>();
    for (const line of lines) for (const group of this.byLine.get(line) ?? []) found.add(group);
    return found;
  }
}

function nameOf(lines: readonly string[]): string {
  return [...lines].sort().join('\n');
}
