/** `<lh-header>`: name, connection, detection, agents online, theme. Each state has an icon and a word. */
import type { FeedStatus } from '@lineheron/models';
import { css, html, type TemplateResult } from 'lit';
import { ReconnectEvent, ThemeEvent } from '../event.js';
import type { ConnectionState } from '../feed/connection.js';
import { modelName, plural } from '../format.js';
import { LineheronElement } from '../part/element.js';
import { heron, type IconName, icon } from '../part/icon.js';
import { THEME_CHOICES, type ThemeChoice } from '../style/theme.js';

const CONNECTION: Readonly<Record<ConnectionState, { word: string; icon: IconName; tone: string }>> = {
  connecting: { word: 'Connecting', icon: 'reconnecting', tone: 'info' },
  live: { word: 'Live', icon: 'live', tone: '' },
  stale: { word: 'Stale', icon: 'stale', tone: 'warning' },
  reconnecting: { word: 'Reconnecting', icon: 'reconnecting', tone: 'warning' },
  failed: { word: 'Failed', icon: 'failed', tone: 'critical' },
};

export class HeaderElement extends LineheronElement {
  static override properties = {
    connection: {},
    status: { attribute: false },
    theme: {},
  };
  static override styles = [
    LineheronElement.styles,
    css`
      header {
        display: flex;
        flex-wrap: wrap;
        align-items: center;
        gap: 6px 10px;
        padding: 8px clamp(12px, 1.6vw, 24px);
        border-bottom: 1px solid var(--lh-border);
        background: var(--lh-surface);
      }
      .name {
        display: flex;
        align-items: center;
        gap: 10px;
        margin-right: 8px;
      }
      h1 {
        font-size: 18px;
        font-weight: 700;
        letter-spacing: -0.01em;
      }
      .chip {
        padding: 2px 10px;
      }
      .agents {
        font-size: 13px;
      }
      fieldset {
        display: flex;
        margin-left: auto;
        border: 1px solid var(--lh-border);
        border-radius: var(--lh-radius-small);
        overflow: clip;
      }
      label {
        display: grid;
        place-items: center;
        width: 34px;
        height: 30px;
        color: var(--lh-text-muted);
        cursor: pointer;
      }
      label:hover {
        background: var(--lh-surface-hover);
      }
      label:has(:checked) {
        background: var(--lh-accent-soft);
        color: var(--lh-accent);
      }
      label:has(:focus-visible) {
        outline: 2px solid var(--lh-focus);
        outline-offset: -2px;
      }
      label input {
        position: absolute;
        opacity: 0;
        pointer-events: none;
      }
      @media (max-width: 560px) {
        header {
          gap: 6px 8px;
        }
        .detection,
        .agents {
          order: 1;
        }
      }
      @media (forced-colors: active) {
        label:has(:checked) {
          forced-color-adjust: none;
          background: Highlight;
          color: HighlightText;
        }
      }
    `,
  ];

  declare connection: ConnectionState;
  declare status: FeedStatus | null;
  declare theme: ThemeChoice;

  constructor() {
    super();
    this.connection = 'connecting';
    this.status = null;
    this.theme = 'auto';
  }

  #connection(): TemplateResult {
    const { word, icon: name, tone } = CONNECTION[this.connection];
    const waits = this.connection === 'failed' || this.connection === 'reconnecting';
    return html`
      <span
        class="chip ${tone}"
        role="status"
        data-testid="connection"
        data-state=${this.connection}
        title="Connection to the collector"
        >${icon(name, 14)}${word}</span
      >
      ${
        waits
          ? html`<button class="quiet" @click=${() => this.dispatchEvent(new ReconnectEvent())}>Try now</button>`
          : ''
      }
    `;
  }

  /** What the agents say that they do, not what is wished of them. */
  #detection({ detecting, active_model, watching }: FeedStatus): TemplateResult {
    const { agents_detecting: doing, agents_online: online } = watching;
    const all = detecting && online > 0 && doing === online;
    const tone = this.connection !== 'live' || (!detecting && doing === 0) ? '' : all ? 'ok' : 'warning';
    const who =
      online === 0
        ? 'No agent detects'
        : `${doing} of ${plural(online, 'agent')} ${doing === 1 ? 'detects' : 'detect'}`;
    const words = detecting ? `${who} · ${modelName(active_model)}` : 'Detection stopped';
    return html`<span class="chip detection ${tone}" data-testid="detection-state" data-detecting=${detecting}>
      ${icon(detecting ? 'play' : 'pause', 13)}${words}
    </span>`;
  }

  #agents({ watching, broker }: FeedStatus): TemplateResult {
    const { agents_online: online, agents } = watching;
    const words = broker.connected
      ? `${online} of ${plural(agents, 'agent')} online`
      : `${plural(agents, 'agent')}, none can be heard`;
    return html`<span class="agents muted number" data-testid="agents-online">${words}</span>`;
  }

  protected override render() {
    return html`
      <header>
        <div class="name">${heron(30)}<h1>lineheron</h1></div>
        ${this.#connection()} ${this.status ? html`${this.#detection(this.status)} ${this.#agents(this.status)}` : ''}
        <fieldset>
          <legend class="hidden">Theme</legend>
          ${THEME_CHOICES.map(
            (choice) => html`<label title=${`Theme: ${choice}`}>
              <input
                type="radio"
                name="theme"
                aria-label=${`Theme: ${choice}`}
                .checked=${this.theme === choice}
                @change=${() => this.dispatchEvent(new ThemeEvent(choice))}
              />${icon(choice)}
            </label>`,
          )}
        </fieldset>
      </header>
    `;
  }
}

customElements.define('lh-header', HeaderElement);

declare global {
  interface HTMLElementTagNameMap {
    'lh-header': HeaderElement;
  }
}
