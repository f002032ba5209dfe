/** `<lh-models>`: the three models side by side: what they are, and how well they do where the truth is known. */
import type { FeedModel, MetricsView } from '@lineheron/models';
import { css, html, type TemplateResult } from 'lit';
import { dateClock, modelName } from '../format.js';
import { LineheronElement } from '../part/element.js';
import { icon } from '../part/icon.js';
import type { Health } from '../part/panel.js';
import '../part/panel.js';
import { type FactGroup, modelFacts } from './model-facts.js';

export class ModelsElement extends LineheronElement {
  static override properties = {
    models: { attribute: false },
    metrics: { attribute: false },
    health: {},
    nowMs: { attribute: false },
  };
  static override styles = [
    LineheronElement.styles,
    css`
      .scroll {
        height: 100%;
        overflow-x: auto;
        scrollbar-width: thin;
      }
      .scroll:focus-visible {
        outline-offset: -2px;
      }
      table {
        width: 100%;
        border-collapse: collapse;
        font-size: 12.5px;
      }
      th,
      td {
        padding: 3px 8px;
        text-align: right;
        vertical-align: top;
      }
      th:first-child,
      td:first-child {
        padding-left: 14px;
        text-align: left;
      }
      th:last-child,
      td:last-child {
        padding-right: 14px;
      }
      thead th {
        padding-top: 9px;
        padding-bottom: 7px;
        vertical-align: bottom;
      }
      tbody th {
        font-weight: 400;
      }
      .group > * {
        padding-top: 9px;
        border-top: 1px solid var(--lh-border);
      }
      .group th {
        color: var(--lh-text-muted);
        font-size: 12px;
        font-weight: 600;
        text-align: left;
      }
      .active {
        background: var(--lh-accent-soft);
      }
      .badge {
        display: flex;
        align-items: center;
        justify-content: end;
        gap: 3px;
        min-height: 16px;
        color: var(--lh-accent);
        font-size: 11px;
        font-weight: 600;
      }
      @media (max-width: 480px) {
        th,
        td {
          padding-right: 5px;
          padding-left: 5px;
        }
      }
    `,
  ];

  declare models: readonly FeedModel[];
  declare metrics: MetricsView | null;
  declare health: Health;
  declare nowMs: number;

  constructor() {
    super();
    this.models = [];
    this.metrics = null;
    this.health = 'loading';
    this.nowMs = 0;
  }

  #group({ title, rows }: FactGroup): TemplateResult {
    const tone = (index: number) => (this.models[index]?.active ? 'active' : '');
    return html`<tbody>
      <tr class="group">
        <th scope="rowgroup">${title}</th>
        ${this.models.map((_, index) => html`<td class=${tone(index)} aria-hidden="true"></td>`)}
      </tr>
      ${rows.map(
        ({ label, values }) => html`<tr>
          <th scope="row">${label}</th>
          ${values.map((value, index) => html`<td class=${tone(index)}>${value}</td>`)}
        </tr>`,
      )}
    </tbody>`;
  }

  protected override render() {
    const [first, ...groups] = modelFacts(this.models, this.metrics, this.nowMs);
    const since = this.metrics ? `quality since ${dateClock(this.metrics.since, this.nowMs)}` : '';
    return html`<lh-panel
      heading="Models side by side"
      note=${since}
      health=${this.health}
      empty=${this.models.length === 0 ? 'The collector knows no models.' : ''}
    >
      <div class="scroll" tabindex="0" role="region" aria-label="Comparison of the models">
        <table class="number" data-testid="metrics-table">
          <thead>
            <tr>
              <td><span class="hidden">Property</span></td>
              ${this.models.map(
                ({ name, active, description }) => html`<th
                  scope="col"
                  class=${active ? 'active' : ''}
                  data-model=${name}
                  data-active=${active}
                  title=${description}
                >
                  <span class="badge">${active ? html`${icon('check', 11)}active` : ''}</span>${modelName(name)}
                </th>`,
              )}
            </tr>
          </thead>
          ${first ? this.#group(first) : ''} ${groups.map((group) => this.#group(group))}
        </table>
      </div>
    </lh-panel>`;
  }
}

customElements.define('lh-models', ModelsElement);

declare global {
  interface HTMLElementTagNameMap {
    'lh-models': ModelsElement;
  }
}
