/**
 * Notices that something changed in folders, and what. Notices only spare a wait: where the system gives none, or for
 * more folders than are watched, polling alone does.
 */
import { type FSWatcher, watch } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import type { Clock } from '../clock.js';

const MAX_FOLDERS = 64;
const MAX_NAMES = 4096;

export class FolderWatch {
  private readonly watchers = new Map<string, FSWatcher>();
  private changed = new Set<string>();
  /** Something changed whose name is not known. */
  private unnamed = false;
  private wake = new AbortController();

  addFolderOf(path: string): void {
    this.add(dirname(path));
  }

  add(folder: string): void {
    if (this.watchers.has(folder) || this.watchers.size >= MAX_FOLDERS) return;
    try {
      const watcher = watch(folder, (_, name) => this.note(name === null ? null : join(folder, name)));
      // A folder that went may come again.
      watcher.on('error', () => this.drop(folder));
      this.watchers.set(folder, watcher);
    } catch {
      // Then polling alone must do.
    }
  }

  noteChanged(path: string): void {
    this.changed.add(normalize(path));
  }

  /** Whether one of the changed paths is unknown to the caller. */
  isNew(known: (path: string) => boolean): boolean {
    return this.unnamed || [...this.changed].some((path) => !known(path));
  }

  /** What changed since the last time, as a question; null when it may be anything. */
  takeChanged(): ((path: string) => boolean) | null {
    const { changed, unnamed } = this;
    this.changed = new Set();
    this.unnamed = false;
    return unnamed ? null : (path) => changed.has(normalize(path));
  }

  /** True as soon as something changed, false after `ms` or once the signal is aborted. */
  async wait(clock: Clock, ms: number, signal: AbortSignal): Promise<boolean> {
    if (signal.aborted) return false;
    const wake = () => this.wake.abort();
    signal.addEventListener('abort', wake, { once: true });
    await clock.sleep(ms, this.wake.signal);
    signal.removeEventListener('abort', wake);
    const noticed = this.wake.signal.aborted;
    if (noticed) this.wake = new AbortController();
    return noticed && !signal.aborted;
  }

  close(): void {
    for (const watcher of this.watchers.values()) watcher.close();
    this.watchers.clear();
  }

  private note(path: string | null): void {
    if (path === null || this.changed.size >= MAX_NAMES) this.unnamed = true;
    else this.changed.add(path);
    this.wake.abort();
  }

  private drop(folder: string): void {
    this.watchers.get(folder)?.close();
    this.watchers.delete(folder);
  }
}
