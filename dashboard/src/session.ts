/** What the page knows and what follows from it, as signals. No element and no socket in here: frames come in. */

import type { Alert, FeedFrame, LineView, WindowView } from '@lineheron/models';
import { computed, type ReadonlySignal, type Signal, signal } from '@preact/signals-core';
import type { ConnectionState } from './feed/connection.js';
import {
  EMPTY_STATE,
  type FeedState,
  lineNowMs,
  takeAlerts,
  takeFound,
  takeFrame,
  takeHistory,
} from './feed/state.js';
import type { WindowsByLine } from './feed/windows.js';
import { joinLines, type Line, type LineKey, lineKey, nextSelection, settleSelection } from './line.js';
import type { Health } from './part/panel.js';
import type { ChosenLine } from './view/charts.js';

/** Nothing known yet and still hopeful, nothing known, known and current, known but old. */
export function healthOf(connection: ConnectionState, known: boolean): Health {
  if (known) return connection === 'live' ? 'live' : 'stale';
  return connection === 'failed' || connection === 'reconnecting' ? 'failed' : 'loading';
}

export class Session {
  readonly feed: Signal<FeedState> = signal(EMPTY_STATE);
  readonly connection: Signal<ConnectionState> = signal('connecting');
  readonly selected: Signal<readonly LineKey[]> = signal([]);
  /** The page's clock, ms, which goes on whatever the feed does: what is old grows older. */
  readonly now: Signal<number>;
  /** The same, but it stands still while the feed does: charts go on showing what was last known. */
  readonly shown: Signal<number>;
  readonly health: ReadonlySignal<Health> = computed(() =>
    healthOf(this.connection.value, this.feed.value.n !== null),
  );
  readonly lines: ReadonlySignal<readonly Line[]>;
  /** The open alert of each line that has one. */
  readonly openAlerts: ReadonlySignal<ReadonlyMap<LineKey, Alert>>;
  readonly chosen: ReadonlySignal<readonly ChosenLine[]>;

  readonly #windows: ReadonlySignal<WindowsByLine>;
  readonly #collectorNow: ReadonlySignal<number>;
  readonly #collectorShown: ReadonlySignal<number>;
  #heardMs: number;

  constructor(nowMs: number) {
    this.#heardMs = nowMs;
    this.now = signal(nowMs);
    this.shown = signal(nowMs);
    const alerts = computed(() => this.feed.value.alerts);
    const listed = computed(() => this.feed.value.lines);
    const watched = computed(() => this.feed.value.watchedLines);
    const found = computed(() => this.feed.value.found);
    this.lines = computed(() => joinLines(listed.value, watched.value, found.value));
    this.openAlerts = computed(
      () => new Map(alerts.value.filter(({ status }) => status === 'open').map((a) => [lineKey(a), a])),
    );
    this.#windows = computed(() => this.feed.value.windows);
    this.#collectorNow = computed(() => this.#collectorTime(this.now.value));
    this.#collectorShown = computed(() => this.#collectorTime(this.shown.value));
    this.chosen = computed(() => this.#chosen());
  }

  /** The collector's time now, ms; 0 before the first frame. In whole seconds, as nothing on the page is finer. */
  get collectorNowMs(): number {
    return this.#collectorNow.value;
  }

  /** How long ago the last frame came, ms. */
  get silentMs(): number {
    return this.now.value - this.#heardMs;
  }

  /** False when the frame does not follow and a snapshot is needed. */
  take(frame: FeedFrame, nowMs: number): boolean {
    const next = takeFrame(this.feed.value, frame, nowMs);
    if (next === null) return false;
    this.feed.value = next;
    this.#heardMs = nowMs;
    this.#setClock(nowMs, true);
    this.selected.value = settleSelection(this.selected.value, this.lines.value);
    return true;
  }

  takeHistory(windows: readonly WindowView[]): void {
    this.feed.value = takeHistory(this.feed.value, windows);
  }

  takeAlerts(alerts: readonly Alert[]): void {
    this.feed.value = takeAlerts(this.feed.value, alerts);
  }

  takeFound(lines: readonly LineView[]): void {
    this.feed.value = takeFound(this.feed.value, lines, this.collectorNowMs / 1000);
  }

  tick(nowMs: number): void {
    this.#setClock(nowMs, this.connection.value === 'live');
  }

  select(key: LineKey, additive: boolean): void {
    this.selected.value = nextSelection(this.selected.value, key, additive);
  }

  #collectorTime(pageMs: number): number {
    const { clockOffsetMs } = this.feed.value;
    return clockOffsetMs === null ? 0 : Math.floor((pageMs - clockOffsetMs) / 1000) * 1000;
  }

  #setClock(nowMs: number, live: boolean): void {
    this.now.value = nowMs;
    if (live) this.shown.value = nowMs;
  }

  #chosen(): readonly ChosenLine[] {
    const windows = this.#windows.value;
    const shownMs = this.#collectorShown.value;
    return this.selected.value.map((key) => {
      const slash = key.indexOf('/');
      const list = windows.get(key) ?? [];
      return {
        key,
        agent: key.slice(0, slash),
        device: key.slice(slash + 1),
        windows: list,
        nowMs: lineNowMs(list, shownMs),
      };
    });
  }
}
