/**
 * `<lh-app>`: the page. The only element that knows the feed and the API: data goes down to the views by property,
 * their wishes come up as events.
 */
import { batch, effect } from '@preact/signals-core';
import { html, type TemplateResult } from 'lit';
import { Action } from './action.js';
import { Api } from './api.js';
import type {
  CancelTrainingEvent,
  DetectionEvent,
  LineSelectEvent,
  ModelEvent,
  ThemeEvent,
  TrainEvent,
} from './event.js';
import { FeedConnection } from './feed/connection.js';
import { LineheronElement } from './part/element.js';
import { Session } from './session.js';
import { appSheet } from './style/app.js';
import { ThemeControl } from './style/theme.js';
import './part/announcer.js';
import './view/alerts.js';
import './view/charts.js';
import './view/detection.js';
import './view/header.js';
import './view/lines.js';
import './view/models.js';
import './view/records.js';
import './view/summary.js';
import './view/train.js';

const TICK_MS = 1_000;

/** The page lives one level below the API: `/app/` and `/`, or both below any prefix. */
function apiBase(): URL {
  return new URL('..', document.baseURI);
}

function openFeed(): WebSocket {
  const url = new URL('ws', apiBase());
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

  readonly #session = new Session(Date.now());
  readonly #api = new Api(apiBase(), (input, init) => fetch(input, init));
  readonly #train = new Action();
  readonly #detection = new Action();
  readonly #model = new Action();
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
    onFrame: (frame) => batch(() => this.#session.take(frame, Date.now())),
    onState: (state) => {
      this.#session.connection.value = state;
    },
  });
  #ticker = 0;
  #unwatch: (() => void) | null = null;

  override connectedCallback(): void {
    super.connectedCallback();
    this.#theme.start();
    this.#unwatch = effect(() => this.#watch());
    this.#ticker = window.setInterval(() => this.#session.tick(Date.now()), TICK_MS);
    this.#connection.start();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#connection.stop();
    window.clearInterval(this.#ticker);
    this.#unwatch?.();
    this.#theme.stop();
  }

  /** Reads every signal that the page shows; a change of any asks for one update. */
  #watch(): void {
    const { feed, connection, selected, now } = this.#session;
    const actions = [this.#train, this.#detection, this.#model];
    for (const shown of [
      feed,
      connection,
      selected,
      now,
      ...actions.flatMap((a) => [a.pending, a.failure]),
    ]) {
      shown.value;
    }
    this.requestUpdate();
  }

  readonly #onLine = (event: LineSelectEvent) => this.#session.select(event.key, event.additive);
  readonly #onTrain = (event: TrainEvent) => void this.#train.run(() => this.#api.train(event.request));
  readonly #onCancel = (event: CancelTrainingEvent) =>
    void this.#train.run(() => this.#api.cancelTraining(event.id));
  readonly #onDetection = (event: DetectionEvent) =>
    void this.#detection.run(() => this.#api.setDetection(event.on));
  readonly #onModel = (event: ModelEvent) => void this.#model.run(() => this.#api.setModel(event.model));
  readonly #onTheme = (event: ThemeEvent) => this.#theme.choose(event.choice);
  readonly #onReconnect = () => this.#connection.reconnectNow();

  #controls(): TemplateResult {
    const { status } = this.#session.feed.value;
    const connected = this.#session.health.value === 'live';
    return html`<section class="controls" aria-label="Controls">
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

  #main(): TemplateResult {
    const session = this.#session;
    const { status, metrics, models, windows, records, alerts, n } = session.feed.value;
    const health = session.health.value;
    const lines = session.lines.value;
    const nowMs = session.collectorNowMs;
    return html`
      <lh-summary .metrics=${metrics} .status=${status} .health=${health}></lh-summary>
      <div class="watch">
        <lh-lines
          .lines=${lines}
          .windows=${windows}
          .selected=${session.selected.value}
          .status=${status}
          .health=${health}
        ></lh-lines>
        <lh-alerts id="alerts" .alerts=${alerts} .health=${health} .nowMs=${nowMs}></lh-alerts>
        <lh-charts
          .chosen=${session.chosen.value}
          .alerts=${alerts}
          .health=${health}
          .themeKey=${this.#theme.key}
        ></lh-charts>
      </div>
      <div class="below">
        <lh-records .records=${records} .lines=${lines} .health=${health}></lh-records>
        <lh-models .models=${models} .metrics=${metrics} .health=${health} .nowMs=${nowMs}></lh-models>
      </div>
      <lh-announcer .alerts=${n === null ? null : alerts}></lh-announcer>
    `;
  }

  protected override render() {
    return html`
      <lh-header
        .connection=${this.#session.connection.value}
        .status=${this.#session.feed.value.status}
        .theme=${this.#theme.choice}
        @lh-theme=${this.#onTheme}
        @lh-reconnect=${this.#onReconnect}
      ></lh-header>
      <main @lh-line-select=${this.#onLine}>${this.#controls()} ${this.#main()}</main>
    `;
  }
}

customElements.define('lh-app', AppElement);

declare global {
  interface HTMLElementTagNameMap {
    'lh-app': AppElement;
  }
}
