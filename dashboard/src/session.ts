/** What the page knows and what follows from it, as signals. No element and no socket in here: frames come in. */

import type { FeedFrame } from '@lineheron/models';
import { computed, type ReadonlySignal, type Signal, signal } from '@preact/signals-core';
import type { ConnectionState } from './feed/connection.js';
import { EMPTY_STATE, type FeedState, lineNowMs, takeFrame } from './feed/state.js';
import { type Line, type LineKey, linesOf, nextSelection, settleSelection } from './line.js';
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
  readonly chosen: ReadonlySignal<readonly ChosenLine[]>;

  #heardMs: number;

  constructor(nowMs: number) {
    this.#heardMs = nowMs;
    this.now = signal(nowMs);
    this.shown = signal(nowMs);
    const status = computed(() => this.feed.value.status);
    const alerts = computed(() => this.feed.value.alerts);
    this.lines = computed(() => linesOf(status.value, alerts.value));
    this.chosen = computed(() => this.#chosen());
  }

  /** The collector's time now, ms; 0 before the first frame. */
  get collectorNowMs(): number {
    return this.#collectorTime(this.now.value);
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
    this.now.value = nowMs;
    this.shown.value = nowMs;
    this.#heardMs = nowMs;
    this.selected.value = settleSelection(this.selected.value, this.lines.value);
    return true;
  }

  tick(nowMs: number): void {
    this.now.value = nowMs;
    if (this.connection.value === 'live') this.shown.value = nowMs;
  }

  select(key: LineKey, additive: boolean): void {
    this.selected.value = nextSelection(this.selected.value, key, additive);
  }

  #collectorTime(pageMs: number): number {
    const { clockOffsetMs } = this.feed.value;
    return clockOffsetMs === null ? 0 : pageMs - clockOffsetMs;
  }

  #chosen(): readonly ChosenLine[] {
    const { windows } = this.feed.value;
    const shownMs = this.#collectorTime(this.shown.value);
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
