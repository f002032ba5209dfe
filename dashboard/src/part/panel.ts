/**
 * `<lh-panel>`: a titled section with one look for each state. Slots: `actions` beside the title, default the content.
 * Loading and failed hide the content, stale keeps it and says so, `empty` (a sentence) stands in for it.
 */
import { css, html, type TemplateResult } from 'lit';
import { LineheronElement } from './element.js';
import { icon } from './icon.js';

/** `loading` and `failed`: nothing is known yet. `stale`: what is shown was true a while ago. */
export type Health = 'loading' | 'live' | 'stale' | 'failed';

export class PanelElement extends LineheronElement {
  static override properties = {
    heading: {},
    note: {},
    health: {},
    empty: {},
  };
  static override styles = [
    LineheronElement.styles,
    css`
      :host {
        height: 100%;
      }
      section {
        display: flex;
        flex-direction: column;
        height: 100%;
        min-width: 0;
        border: 1px solid var(--lh-border);
        border-radius: var(--lh-radius);
        background: var(--lh-surface);
        box-shadow: var(--lh-shadow);
      }
      header {
        display: flex;
        flex-wrap: wrap;
        align-items: center;
        gap: 6px 10px;
        min-height: 46px;
        padding: 8px 14px;
        border-bottom: 1px solid var(--lh-border);
      }
      h2 {
        font-size: 14px;
        font-weight: 650;
      }
      .note {
        font-size: 12px;
      }
      .actions {
        display: flex;
        flex-wrap: wrap;
        align-items: center;
        gap: 8px;
        margin-left: auto;
      }
      .body {
        position: relative;
        flex: 1;
        min-height: 0;
      }
      .notice {
        display: flex;
        flex-direction: column;
        align-items: center;
        justify-content: center;
        gap: 8px;
        height: 100%;
        min-height: 120px;
        padding: 20px;
        color: var(--lh-text-muted);
        text-align: center;
        text-wrap: balance;
      }
      .bars {
        display: grid;
        gap: 8px;
        width: min(240px, 80%);
      }
      .bars i {
        height: 8px;
        border-radius: 4px;
        background: var(--lh-surface-hover);
        animation: pulse 1.6s ease-in-out infinite alternate;
      }
      .bars i:nth-child(2) {
        width: 70%;
      }
      @keyframes pulse {
        to {
          opacity: 0.45;
        }
      }
    `,
  ];

  declare heading: string;
  declare note: string;
  declare health: Health;
  declare empty: string;

  constructor() {
    super();
    this.heading = '';
    this.note = '';
    this.health = 'loading';
    this.empty = '';
  }

  #body(): TemplateResult {
    if (this.health === 'loading') {
      return html`<div class="notice"><span class="bars"><i></i><i></i></span>Waiting for the first data</div>`;
    }
    if (this.health === 'failed') {
      return html`<div class="notice">${icon('failed', 20)} No connection to the collector</div>`;
    }
    if (this.empty !== '') return html`<div class="notice">${this.empty}</div>`;
    return html`<slot></slot>`;
  }

  protected override render() {
    return html`
      <section aria-labelledby="heading" aria-busy=${this.health === 'loading'}>
        <header>
          <h2 id="heading">${this.heading}</h2>
          ${this.note ? html`<span class="note muted">${this.note}</span>` : ''}
          ${this.health === 'stale' ? html`<span class="chip warning">${icon('stale', 13)}stale</span>` : ''}
          <div class="actions"><slot name="actions"></slot></div>
        </header>
        <div class="body">${this.#body()}</div>
      </section>
    `;
  }
}

customElements.define('lh-panel', PanelElement);

declare global {
  interface HTMLElementTagNameMap {
    'lh-panel': PanelElement;
  }
}
