/** `<lh-alerts>`: episodes, open ones first: how bad, where, since when, who found it, why. Bounded. */
import type { Alert, FeedStatus } from '@lineheron/models';
import { html, type TemplateResult } from 'lit';
import { repeat } from 'lit/directives/repeat.js';
import { LineSelectEvent } from '../event.js';
import { dateClock, duration, modelName, odds, plural } from '../format.js';
import { alertNowMs, deviceName, type Line, lineKey } from '../line.js';
import { LineheronElement } from '../part/element.js';
import { icon } from '../part/icon.js';
import type { Health } from '../part/panel.js';
import '../part/panel.js';
import { noAlerts } from '../watch-facts.js';
import { alertsSheet } from './alerts.styles.js';

const PAGE = 20;
/** So many open alerts show their reasons without being asked. */
const UNFOLDED = 2;

export function alertDurationMs(alert: Alert, eventNowMs: number): number {
  const to = alert.status === 'open' ? eventNowMs : Date.parse(alert.last_suspect_at);
  return Math.max(0, to - Date.parse(alert.opened_at));
}

/** How rare the baseline finds its strangest record, where it took part. */
export function rarity({ detectors, adaptive_baseline }: Alert): string {
  if (!adaptive_baseline || !detectors.includes('adaptive_baseline')) return '';
  return `${odds(adaptive_baseline.score)} when normal`;
}

function verdictText({ verdict, unreviewed_because }: Alert): string {
  if (verdict === 'unreviewed' && unreviewed_because === 'unknown_line')
    return 'not reviewed: the autoencoder has not learnt this line';
  return VERDICTS[verdict];
}

const VERDICTS: Readonly<Record<Alert['verdict'], string>> = {
  confirmed: 'confirmed',
  disputed: 'disputed',
  unreviewed: 'not reviewed yet',
};

export class AlertsElement extends LineheronElement {
  static override properties = {
    alerts: { attribute: false },
    lines: { attribute: false },
    status: { attribute: false },
    health: {},
    /** The collector's time now, ms. */
    nowMs: { attribute: false },
    onlyOpen: { state: true },
    limit: { state: true },
  };
  static override styles = [LineheronElement.styles, alertsSheet];

  declare alerts: readonly Alert[];
  declare lines: readonly Line[];
  declare status: FeedStatus | null;
  declare health: Health;
  declare nowMs: number;
  declare onlyOpen: boolean;
  declare limit: number;

  constructor() {
    super();
    this.alerts = [];
    this.lines = [];
    this.status = null;
    this.health = 'loading';
    this.nowMs = 0;
    this.onlyOpen = false;
    this.limit = PAGE;
  }

  #alert(alert: Alert, index: number): TemplateResult {
    const open = alert.status === 'open';
    const line = this.lines.find(({ key }) => key === lineKey(alert));
    const time = duration(alertDurationMs(alert, alertNowMs(alert, line, this.nowMs)));
    const found = alert.detectors.map((name) => modelName(name).toLowerCase()).join(' + ');
    const select = () => this.dispatchEvent(new LineSelectEvent(lineKey(alert), false));
    return html`<li
      class="alert ${open ? 'open' : 'closed'} ${alert.severity}"
      data-testid="alert"
      data-status=${alert.status}
      data-severity=${alert.severity}
    >
      <div class="top">
        <span class="chip ${open ? alert.severity : ''}">${icon(alert.severity, 14)}${alert.severity}</span>
        <button class="where" @click=${select} title="Show this line in the charts">
          <strong>${deviceName(alert.device)}</strong><span class="muted">${alert.agent}</span>
        </button>
      </div>
      <p class="sentence">${alert.summary}</p>
      <p class="facts muted number">
        <span class="status">${open ? 'open' : 'closed'}</span>
        <span>${dateClock(alert.opened_at, this.nowMs)} · ${open ? `for ${time}` : `lasted ${time}`}</span>
        <span>${verdictText(alert)}</span>
        <span>${found ? `found by ${found}` : ''}</span>
        <span>${rarity(alert)}</span>
      </p>
      ${
        alert.reasons.length > 0
          ? html`<details ?open=${open && index < UNFOLDED}>
              <summary>Why</summary>
              <lh-reasons .reasons=${alert.reasons}></lh-reasons>
            </details>`
          : ''
      }
    </li>`;
  }

  #filter(): TemplateResult {
    const options = [
      { onlyOpen: false, label: 'All' },
      { onlyOpen: true, label: 'Open' },
    ];
    return html`<fieldset slot="actions">
      <legend class="hidden">Which alerts to show</legend>
      ${options.map(
        ({ onlyOpen, label }) => html`<label>
          <input
            type="radio"
            name="filter"
            .checked=${this.onlyOpen === onlyOpen}
            @change=${() => {
              this.onlyOpen = onlyOpen;
              this.limit = PAGE;
            }}
          />${label}
        </label>`,
      )}
    </fieldset>`;
  }

  #empty(shown: readonly Alert[]): string {
    if (shown.length > 0) return '';
    if (this.onlyOpen && this.alerts.length > 0) return 'No alert is open.';
    return noAlerts(this.health, this.status);
  }

  /** How reasons are told is loaded with the first alert that has some. */
  protected override updated(): void {
    if (this.alerts.some(({ reasons }) => reasons.length > 0)) {
      void import('../part/reasons.js').catch(() => {});
    }
  }

  protected override render() {
    const shown = this.onlyOpen ? this.alerts.filter(({ status }) => status === 'open') : this.alerts;
    const open = this.status?.open_alerts ?? 0;
    const left = shown.length - this.limit;
    return html`<lh-panel
      heading="Alerts"
      note=${this.health === 'live' || this.health === 'stale' ? `${open} open` : ''}
      health=${this.health}
      empty=${this.#empty(shown)}
    >
      ${this.#filter()}
      <div class="scroll" tabindex="0" role="region" aria-label="Alert list">
        <ul>
          ${repeat(
            shown.slice(0, this.limit),
            ({ id }) => id,
            (alert, index) => this.#alert(alert, index),
          )}
        </ul>
        ${
          left > 0
            ? html`<button
                class="quiet more"
                @click=${() => {
                  this.limit += PAGE;
                }}
              >
                Show ${plural(Math.min(PAGE, left), 'more', 'more')} of ${left}
              </button>`
            : ''
        }
      </div>
    </lh-panel>`;
  }
}

customElements.define('lh-alerts', AlertsElement);

declare global {
  interface HTMLElementTagNameMap {
    'lh-alerts': AlertsElement;
  }
}
