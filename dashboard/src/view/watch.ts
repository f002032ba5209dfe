/** `<lh-watch>`: the one sentence that says how the watch stands, and what there is to know beside it. */
import { css, html } from 'lit';
import { LineheronElement } from '../part/element.js';
import { type IconName, icon } from '../part/icon.js';
import type { Tone, WatchFacts } from '../watch-facts.js';

const ICONS: Readonly<Record<Tone, IconName>> = {
  ok: 'check',
  info: 'info',
  warning: 'warning',
  critical: 'critical',
};

export class WatchElement extends LineheronElement {
  static override properties = { facts: { attribute: false } };
  static override styles = [
    LineheronElement.styles,
    css`
      section {
        display: grid;
        grid-template-columns: auto minmax(0, 1fr);
        align-items: start;
        gap: 2px 10px;
        padding: 10px clamp(12px, 1.6vw, 24px);
        border-bottom: 1px solid var(--lh-border);
        border-left: 6px solid currentColor;
        background: var(--lh-info-soft);
        color: var(--lh-info);
      }
      svg {
        margin-top: 3px;
      }
      p,
      li {
        color: var(--lh-text);
      }
      p {
        font-size: 17px;
        font-weight: 650;
      }
      ul {
        grid-column: 2;
        list-style: none;
        font-size: 13px;
      }
      .ok {
        background: var(--lh-ok-soft);
        color: var(--lh-ok);
      }
      .warning {
        background: var(--lh-warning-soft);
        color: var(--lh-warning);
      }
      .critical {
        background: var(--lh-critical-soft);
        color: var(--lh-critical);
      }
    `,
  ];

  declare facts: WatchFacts;

  protected override render() {
    const { tone, sentence, notes } = this.facts;
    return html`<section class=${tone} aria-label="State of the watch" data-testid="watch" data-tone=${tone}>
      ${icon(ICONS[tone], 20)}
      <p class="number">${sentence}</p>
      ${notes.length > 0 ? html`<ul>${notes.map((note) => html`<li class="number">${note}</li>`)}</ul>` : ''}
    </section>`;
  }
}

customElements.define('lh-watch', WatchElement);

declare global {
  interface HTMLElementTagNameMap {
    'lh-watch': WatchElement;
  }
}
