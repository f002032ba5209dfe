/** `<lh-summary>`: six figures that say how the fleet is. */
import type { FeedStatus, MetricsView } from '@lineheron/models';
import { css, html } from 'lit';
import { compactCount, count, percent, plural, UNKNOWN, withUnit } from '../format.js';
import { LineheronElement } from '../part/element.js';
import type { Health } from '../part/panel.js';

interface Tile {
  readonly id: string;
  readonly label: string;
  readonly value: string;
  readonly note: string;
  readonly tone?: 'critical' | 'warning';
}

/** Figures of tiles; pure, so that they can be tried without a page. */
export function tiles(metrics: MetricsView | null, status: FeedStatus | null): readonly Tile[] {
  const open = status?.open_alerts ?? null;
  const watching = status?.watching;
  const delays = metrics && status ? metrics.models[status.active_model]?.episodes : undefined;
  const ingest = metrics?.ingest_latency_ms;
  return [
    {
      id: 'watched',
      label: 'Lines watched',
      value: watching ? `${count(watching.lines)} of ${count(watching.of)}` : UNKNOWN,
      note: watching ? `${watching.agents_online} of ${plural(watching.agents, 'agent')} online` : '',
      ...(watching && watching.lines < watching.of ? { tone: 'warning' as const } : {}),
    },
    {
      id: 'records',
      label: 'Records',
      value: compactCount(metrics?.totals.records ?? null),
      note: `${compactCount(metrics?.totals.windows ?? null)} windows, ${compactCount(metrics?.totals.anomalous_windows ?? null)} anomalous`,
    },
    {
      id: 'anomaly-rate',
      label: 'Anomaly rate',
      value: percent(metrics?.anomaly_rate ?? null),
      note: 'of scored windows',
    },
    {
      id: 'open-alerts',
      label: 'Open alerts',
      value: count(open),
      note: `${count(metrics?.totals.alerts ?? null)} in all`,
      ...(open ? { tone: 'critical' as const } : {}),
    },
    {
      id: 'detection-delay',
      label: 'Detection delay',
      value: withUnit(delays?.delay_p50_s ?? null, 's'),
      note: `median · p99 ${withUnit(delays?.delay_p99_s ?? null, 's')}`,
    },
    {
      id: 'ingest-latency',
      label: 'Ingest latency',
      value: withUnit(ingest?.p50 ?? null, 'ms'),
      note: `median · p99 ${withUnit(ingest?.p99 ?? null, 'ms')}`,
    },
  ];
}

export class SummaryElement extends LineheronElement {
  static override properties = {
    metrics: { attribute: false },
    status: { attribute: false },
    health: {},
  };
  static override styles = [
    LineheronElement.styles,
    css`
      dl {
        display: grid;
        grid-template-columns: repeat(6, minmax(0, 1fr));
        gap: var(--lh-gap);
      }
      div {
        padding: 10px 14px;
        border: 1px solid var(--lh-border);
        border-radius: var(--lh-radius);
        background: var(--lh-surface);
        box-shadow: var(--lh-shadow);
      }
      dt {
        color: var(--lh-text-muted);
        font-size: 12px;
        font-weight: 600;
      }
      .value {
        font-size: 24px;
        font-weight: 650;
        letter-spacing: -0.02em;
        line-height: 1.3;
        white-space: nowrap;
      }
      .note {
        min-height: 18px;
        overflow: hidden;
        color: var(--lh-text-muted);
        font-size: 12px;
        text-overflow: ellipsis;
        white-space: nowrap;
      }
      .critical {
        border-color: var(--lh-critical);
      }
      .critical .value {
        color: var(--lh-critical);
      }
      .warning {
        border-color: var(--lh-warning);
      }
      .warning .value {
        color: var(--lh-warning);
      }
      @media (max-width: 1080px) {
        dl {
          grid-template-columns: repeat(3, minmax(0, 1fr));
        }
      }
      @media (max-width: 560px) {
        dl {
          gap: 8px;
        }
        div {
          padding: 7px 10px;
        }
        dt {
          overflow: hidden;
          font-size: 11px;
          text-overflow: ellipsis;
          white-space: nowrap;
        }
        .value {
          font-size: 18px;
        }
        .note {
          display: none;
        }
      }
    `,
  ];

  declare metrics: MetricsView | null;
  declare status: FeedStatus | null;
  declare health: Health;

  constructor() {
    super();
    this.metrics = null;
    this.status = null;
    this.health = 'loading';
  }

  protected override render() {
    return html`
      <h2 class="hidden">Summary</h2>
      <dl aria-busy=${this.health === 'loading'}>
        ${tiles(this.metrics, this.status).map(
          ({ id, label, value, note, tone }) => html`<div class=${tone ?? ''} data-testid=${`tile-${id}`}>
            <dt>${label}</dt>
            <dd class="value number">${value}</dd>
            <dd class="note number">${this.health === 'loading' ? 'waiting for data' : note}</dd>
          </div>`,
        )}
      </dl>
    `;
  }
}

customElements.define('lh-summary', SummaryElement);

declare global {
  interface HTMLElementTagNameMap {
    'lh-summary': SummaryElement;
  }
}
