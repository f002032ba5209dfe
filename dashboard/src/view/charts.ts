/** `<lh-charts>`: four charts of the chosen lines with one time axis, bands behind, cursors that move together. */
import type { Alert, WindowView } from '@lineheron/models';
import { css, html, type PropertyValues } from 'lit';
import { alertBands, type Band, truthBands, visibleBands } from '../chart/band.js';
import { columns } from '../chart/data.js';
import type { ChartFrame } from '../chart/options.js';
import { CHARTS } from '../chart/spec.js';
import { KEPT_MS } from '../feed/windows.js';
import { deviceName, type LineKey } from '../line.js';
import { LineheronElement } from '../part/element.js';
import type { Health } from '../part/panel.js';
import '../chart/chart.js';
import '../part/panel.js';

export interface ChosenLine {
  readonly key: LineKey;
  readonly agent: string;
  readonly device: string;
  readonly windows: readonly WindowView[];
  /** Event time of the line now, ms; null before its first window. */
  readonly nowMs: number | null;
}

/** One frame for each chart. The right edge is the chosen lines' latest now. */
export function chartFrames(chosen: readonly ChosenLine[], alerts: readonly Alert[]): readonly ChartFrame[] {
  const times = chosen.flatMap(({ nowMs }) => (nowMs === null ? [] : [nowMs]));
  const to = (times.length > 0 ? Math.max(...times) : 0) / 1000;
  const from = to - KEPT_MS / 1000;
  const all: Band[] = chosen.flatMap(({ key, windows, nowMs }) => [
    ...alertBands(alerts, key, (nowMs ?? 0) / 1000),
    ...truthBands(windows),
  ]);
  const bands = visibleBands(all, from, to);
  const lists = chosen.map(({ windows }) => windows);
  return CHARTS.map(({ pick }) => ({ columns: columns(lists, pick), from, to, bands }));
}

export class ChartsElement extends LineheronElement {
  static override properties = {
    chosen: { attribute: false },
    alerts: { attribute: false },
    health: {},
    themeKey: { attribute: false },
  };
  static override styles = [
    LineheronElement.styles,
    css`
      :host {
        container-type: inline-size;
      }
      .charts {
        display: grid;
        grid-template-columns: repeat(2, minmax(0, 1fr));
        gap: 14px 12px;
        padding: 12px 10px 4px;
      }
      .charts :last-child:nth-child(odd) {
        grid-column: 1 / -1;
      }
      .legend {
        display: flex;
        flex-wrap: wrap;
        gap: 4px 18px;
        padding: 6px 14px 10px;
        color: var(--lh-text-muted);
        font-size: 12px;
      }
      .legend li {
        display: inline-flex;
        align-items: center;
        gap: 6px;
      }
      .legend svg {
        color: var(--series);
      }
      .alert {
        width: 18px;
        height: 12px;
        border-top: 2px solid var(--lh-critical);
        background: var(--lh-chart-alert);
      }
      .truth {
        width: 18px;
        height: 4px;
        background: var(--lh-chart-truth);
      }
      .threshold {
        width: 18px;
        border-top: 1px dashed var(--lh-chart-threshold);
      }
      .series-1 {
        --series: var(--lh-series-1);
      }
      .series-2 {
        --series: var(--lh-series-2);
      }
      .series-3 {
        --series: var(--lh-series-3);
      }
      .series-4 {
        --series: var(--lh-series-4);
      }
      @container (max-width: 620px) {
        .charts {
          grid-template-columns: minmax(0, 1fr);
        }
      }
      @media (forced-colors: active) {
        .alert,
        .truth,
        .legend svg {
          forced-color-adjust: none;
        }
      }
    `,
  ];

  declare chosen: readonly ChosenLine[];
  declare alerts: readonly Alert[];
  declare health: Health;
  declare themeKey: string;

  #frames: readonly ChartFrame[] = [];
  #names: readonly string[] = [];

  constructor() {
    super();
    this.chosen = [];
    this.alerts = [];
    this.health = 'loading';
    this.themeKey = '';
  }

  protected override willUpdate(changed: PropertyValues<this>): void {
    if (!changed.has('chosen') && !changed.has('alerts')) return;
    this.#frames = chartFrames(this.chosen, this.alerts);
    this.#names = this.chosen.map(({ agent, device }) => `${agent} / ${deviceName(device)}`);
  }

  #legend() {
    const dashes = ['', '6 3', '2 2', '7 2 2 2'];
    return html`<ul class="legend" aria-label="Legend">
      ${this.#names.map(
        (name, index) => html`<li class=${`series-${index + 1}`}>
          <svg width="22" height="4" aria-hidden="true">
            <path d="M0 2h22" stroke="currentColor" stroke-width="2" stroke-dasharray=${dashes[index] ?? ''} />
          </svg>
          ${name}
        </li>`,
      )}
      <li><i class="alert"></i>alert</li>
      <li><i class="truth"></i>true fault, where known</li>
      <li><i class="threshold"></i>threshold</li>
    </ul>`;
  }

  #empty(): string {
    if (this.chosen.length === 0) return 'Choose a line to see its last five minutes.';
    const silent = this.chosen.every(({ windows }) => windows.length === 0);
    return silent ? 'Nothing from this line in the last five minutes.' : '';
  }

  protected override render() {
    return html`<lh-panel
      heading=${this.#names.length === 1 ? this.#names[0]! : this.#names.length > 1 ? `${this.#names.length} lines` : 'Charts'}
      note="last 5 minutes"
      health=${this.health}
      empty=${this.#empty()}
    >
      <div class="charts">
        ${CHARTS.map(
          (spec, index) => html`<lh-chart
            data-chart=${spec.id}
            .spec=${spec}
            .names=${this.#names}
            .frame=${this.#frames[index]}
            .themeKey=${this.themeKey}
          ></lh-chart>`,
        )}
      </div>
      ${this.#legend()}
    </lh-panel>`;
  }
}

customElements.define('lh-charts', ChartsElement);

declare global {
  interface HTMLElementTagNameMap {
    'lh-charts': ChartsElement;
  }
}
