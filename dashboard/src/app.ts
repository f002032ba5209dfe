/**
 * `<lh-app>`: the page. The only element that knows the feed and the API: data goes down to the views by property,
 * their wishes come up as events.
 */
import { type FeedFrame, SNAPSHOT_ALERTS } from '@lineheron/models';
import { batch, effect } from '@preact/signals-core';
import { html, type TemplateResult } from 'lit';
import { repeat } from 'lit/directives/repeat.js';
import { Action } from './action.js';
import { Api } from './api.js';
import type {
  CancelTrainingEvent,
  CandidateEvent,
  DetectionEvent,
  FindEvent,
  LineSelectEvent,
  ModelEvent,
  ThemeEvent,
  TrainEvent,
} from './event.js';
import { PageClock } from './feed/clock.js';
import { FeedConnection, HUNG_AFTER_MS } from './feed/connection.js';
import { Finder } from './feed/finder.js';
import { History } from './feed/history.js';
import { KEPT_MS } from './feed/windows.js';
import type { LineKey } from './line.js';
import { LineheronElement } from './part/element.js';
import { Session } from './session.js';
import { appSheet, NARROW_QUERY } from './style/app.js';
import { ThemeControl } from './style/theme.js';
import './part/announcer.js';
import './view/alerts.js';
import './view/charts.js';
import './view/detection.js';
import './view/header.js';
import './view/lines.js';
import './view/summary.js';
import './view/train.js';
import './view/watch.js';
import { type WatchFacts, watchFacts } from './watch-facts.js';

const TICK_MS = 1_000;

/** Order on the page, and so of the keyboard. On a phone what is wrong comes first and the controls last. */
const WIDE_PAGE = ['controls', 'summary', 'watch', 'below'] as const;
const NARROW_PAGE = ['summary', 'watch', 'controls', 'below'] as const;
const WIDE_WATCH = ['lines', 'charts', 'alerts'] as const;
const NARROW_WATCH = ['alerts', 'lines', 'charts'] as const;

/** So far from the visible part of the page its lower views are loaded. */
const NEAR = '400px';
const ALERTS = 200;
/** More than the charts show: a window may come some seconds after its end. */
const HISTORY_MS = KEPT_MS + 30_000;

/** The page lives one level below the API: `/app/` and `/`, or both below any prefix. */
function apiBase(): URL {
  return new URL('..', document.baseURI);
}

function openFeed(lines: readonly LineKey[]): WebSocket {
  const url = new URL('ws', apiBase());
  for (const line of lines.length > 0 ? lines : ['none']) url.searchParams.append('lines', line);
  url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
  return new WebSocket(url);
}

/** A browser may refuse storage by throwing. */
function storageOrNull(): Storage | null {
  try {
    return window.localStorage;
  } catch {
    return null;
  }
}

export class AppElement extends LineheronElement {
  static override styles = [LineheronElement.styles, appSheet];

  readonly #clock = new PageClock(
    () => performance.now(),
    () => Date.now(),
  );
  readonly #session = new Session(this.#clock.nowMs());
  readonly #api = new Api(apiBase(), (input, init) => fetch(input, init));
  readonly #train = new Action();
  readonly #detection = new Action();
  readonly #model = new Action();
  readonly #candidate = new Action();
  readonly #theme = new ThemeControl(
    {
      root: document.documentElement,
      systemDark: matchMedia('(prefers-color-scheme: dark)'),
      forcedColors: matchMedia('(forced-colors: active)'),
      storage: storageOrNull(),
    },
    () => this.requestUpdate(),
  );
  readonly #connection = new FeedConnection({
    open: openFeed,
    random: Math.random,
    setTimer: (run, ms) => window.setTimeout(run, ms),
    clearTimer: (timer) => window.clearTimeout(timer),
    onFrame: (frame) => {
      const fits = batch(() => this.#session.take(frame, this.#clock.nowMs()));
      if (fits) this.#follow(frame);
      return fits;
    },
    onState: (state) => {
      this.#session.connection.value = state;
    },
  });
  readonly #history = new History({
    windows: (key) => this.#api.windows(key, this.#session.collectorNowMs - HISTORY_MS),
    alerts: () => this.#api.alerts(ALERTS),
    onWindows: (windows) => this.#session.takeHistory(windows),
    onAlerts: (alerts) => this.#session.takeAlerts(alerts),
    setTimer: (run, ms) => window.setTimeout(run, ms),
    clearTimer: (timer) => window.clearTimeout(timer),
  });
  readonly #finder = new Finder({
    find: (text) => this.#api.findLines(text),
    onFound: (lines) => this.#session.takeFound(lines),
    setTimer: (run, ms) => window.setTimeout(run, ms),
    clearTimer: (timer) => window.clearTimeout(timer),
  });
  readonly #narrow = matchMedia(NARROW_QUERY);
  #ticker = 0;
  #unwatch: (() => void) | null = null;

  override connectedCallback(): void {
    super.connectedCallback();
    this.#theme.start();
    this.#narrow.addEventListener('change', this.#onNarrow);
    this.#unwatch = effect(() => this.#watch());
    this.#ticker = window.setInterval(() => this.#tick(), TICK_MS);
    this.#connection.start();
  }

  protected override firstUpdated(): void {
    const below = this.renderRoot.querySelector('.below');
    if (!below) return;
    const observer = new IntersectionObserver(
      ([entry]) => {
        if (!entry?.isIntersecting) return;
        // What could not be loaded is tried again when the reader comes by again.
        void import('./view/below.js').then(() => observer.disconnect()).catch(() => {});
      },
      { rootMargin: NEAR },
    );
    observer.observe(below);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#connection.stop();
    this.#history.stop();
    this.#finder.stop();
    window.clearInterval(this.#ticker);
    this.#unwatch?.();
    this.#theme.stop();
    this.#narrow.removeEventListener('change', this.#onNarrow);
  }

  #tick(): void {
    const { connection } = this.#session;
    this.#session.tick(this.#clock.nowMs());
    // The machine slept: nothing that is shown is current, and the connection is most likely gone.
    if (connection.value === 'live' && this.#session.silentMs > HUNG_AFTER_MS)
      this.#connection.reconnectNow();
  }

  /** After a frame: what it does not hold is fetched, once the collector says that what follows is complete. */
  #follow(frame: FeedFrame): void {
    if (frame.type === 'snapshot') this.#history.restart((frame.alerts?.length ?? 0) >= SNAPSHOT_ALERTS);
    if (frame.type === 'lines' && frame.watching) this.#history.want(this.#session.feed.value.watching);
  }

  /** Reads every signal that the page shows; a change of any asks for one update. */
  #watch(): void {
    const { feed, connection, selected, now } = this.#session;
    const actions = [this.#train, this.#detection, this.#model, this.#candidate];
    for (const shown of [
      feed,
      connection,
      selected,
      now,
      ...actions.flatMap((a) => [a.pending, a.failure]),
    ]) {
      shown.value;
    }
    this.#connection.watch(selected.value);
    this.requestUpdate();
  }

  readonly #onLine = (event: LineSelectEvent) => this.#session.select(event.key, event.additive);
  readonly #onFind = (event: FindEvent) => this.#finder.want(event.text);
  readonly #onTrain = (event: TrainEvent) => void this.#train.run(() => this.#api.train(event.request));
  readonly #onCancel = (event: CancelTrainingEvent) =>
    void this.#train.run(() => this.#api.cancelTraining(event.id));
  readonly #onDetection = (event: DetectionEvent) =>
    void this.#detection.run(() => this.#api.setDetection(event.on));
  readonly #onModel = (event: ModelEvent) => void this.#model.run(() => this.#api.setModel(event.model));
  readonly #onCandidate = ({ sha256 }: CandidateEvent) => {
    const active = this.#session.feed.value.status?.active_model;
    if (active) void this.#candidate.run(() => this.#api.useCandidate(active, sha256));
  };
  readonly #onTheme = (event: ThemeEvent) => this.#theme.choose(event.choice);
  readonly #onNarrow = () => this.requestUpdate();
  readonly #onReconnect = () => this.#connection.reconnectNow();

  #controls(): TemplateResult {
    const { status } = this.#session.feed.value;
    const connected = this.#session.health.value === 'live';
    return html`<section class="controls" aria-labelledby="controls">
      <h2 class="hidden" id="controls">Controls</h2>
      <lh-detection
        .status=${status}
        .connected=${connected}
        .pending=${this.#detection.pending.value || this.#model.pending.value}
        .detectionFailure=${this.#detection.failure.value}
        .modelFailure=${this.#model.failure.value}
        @lh-detection=${this.#onDetection}
        @lh-model=${this.#onModel}
      ></lh-detection>
      <lh-train
        .status=${status}
        .connected=${connected}
        .pending=${this.#train.pending.value}
        .failure=${this.#train.failure.value}
        @lh-train=${this.#onTrain}
        @lh-cancel-training=${this.#onCancel}
      ></lh-train>
    </section>`;
  }

  #watchedLines(): TemplateResult {
    const session = this.#session;
    const { status, agents, values, alerts } = session.feed.value;
    const health = session.health.value;
    const parts = {
      lines: html`<lh-lines
        .lines=${session.lines.value}
        .values=${values}
        .agents=${agents}
        .openAlerts=${session.openAlerts.value}
        .selected=${session.selected.value}
        .watching=${status?.watching ?? null}
        .health=${health}
        .nowMs=${session.collectorNowMs}
        @lh-find=${this.#onFind}
      ></lh-lines>`,
      charts: html`<lh-charts
        .chosen=${session.chosen.value}
        .alerts=${alerts}
        .health=${health}
        .themeKey=${this.#theme.key}
      ></lh-charts>`,
      alerts: html`<lh-alerts .alerts=${alerts} .lines=${session.lines.value} .status=${status} .health=${health} .nowMs=${session.collectorNowMs}></lh-alerts>`,
    };
    const order = this.#narrow.matches ? NARROW_WATCH : WIDE_WATCH;
    return html`<div class="watch">${repeat(
      order,
      (name) => name,
      (name) => parts[name],
    )}</div>`;
  }

  #below(): TemplateResult {
    const session = this.#session;
    const { metrics, models, records } = session.feed.value;
    const health = session.health.value;
    return html`<div class="below">
      <lh-records .records=${records} .selected=${session.selected.value} .health=${health}></lh-records>
      <lh-models
        .models=${models}
        .metrics=${metrics}
        .health=${health}
        .nowMs=${session.collectorNowMs}
      ></lh-models>
      <lh-drift
        .models=${models}
        .health=${health}
        .pending=${this.#candidate.pending.value}
        .failure=${this.#candidate.failure.value}
        .nowMs=${session.collectorNowMs}
        @lh-candidate=${this.#onCandidate}
      ></lh-drift>
    </div>`;
  }

  #main(): TemplateResult {
    const { status, metrics, alerts, n } = this.#session.feed.value;
    const parts = {
      controls: this.#controls(),
      summary: html`<lh-summary
        .metrics=${metrics}
        .status=${status}
        .health=${this.#session.health.value}
      ></lh-summary>`,
      watch: this.#watchedLines(),
      below: this.#below(),
    };
    const order = this.#narrow.matches ? NARROW_PAGE : WIDE_PAGE;
    return html`<main @lh-line-select=${this.#onLine}>
      ${repeat(
        order,
        (name) => name,
        (name) => parts[name],
      )}
      <lh-announcer .alerts=${n === null ? null : alerts}></lh-announcer>
    </main>`;
  }

  #facts(): WatchFacts {
    const { feed, lines, health, collectorNowMs: nowMs, silentMs } = this.#session;
    const { status, agents, alerts } = feed.value;
    return watchFacts({ status, agents, alerts, lines: lines.value, health: health.value, nowMs, silentMs });
  }

  protected override render() {
    const facts = this.#facts();
    document.title = facts.tone === 'ok' ? 'lineheron' : `${facts.short} · lineheron`;
    return html`
      <lh-header
        .connection=${this.#session.connection.value}
        .status=${this.#session.feed.value.status}
        .theme=${this.#theme.choice}
        @lh-theme=${this.#onTheme}
        @lh-reconnect=${this.#onReconnect}
      ></lh-header>
      <lh-watch .facts=${facts}></lh-watch>
      ${this.#main()}
    `;
  }
}

customElements.define('lh-app', AppElement);

declare global {
  interface HTMLElementTagNameMap {
    'lh-app': AppElement;
  }
}
