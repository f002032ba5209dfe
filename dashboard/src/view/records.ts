/**
 * `<lh-records>`: the newest records as they come, anomalous ones marked by icon and word: all of the lines in the
 * charts, some of the others where there are many. Can be paused (Space while the list has the focus) and narrowed to
 * the lines in the charts. Holds no more than it was given; shows the newest of them.
 */
import type { RecordView } from '@lineheron/models';
import { html, type TemplateResult } from 'lit';
import type { KeyedRecord } from '../feed/state.js';
import { clock, figure, UNKNOWN, words } from '../format.js';
import { deviceName, type LineKey, lineKey } from '../line.js';
import { LineheronElement } from '../part/element.js';
import { icon } from '../part/icon.js';
import type { Health } from '../part/panel.js';
import '../part/panel.js';
import { recordsSheet } from './records.styles.js';

const MAX_ROWS = 60;

/** The newest records of these lines (of all lines when `keys` is null), no more than `limit`. */
export function chooseRecords(
  records: readonly KeyedRecord[],
  keys: readonly LineKey[] | null,
  limit: number,
): readonly KeyedRecord[] {
  const wanted = keys === null ? records : records.filter(({ record }) => keys.includes(lineKey(record)));
  return wanted.slice(0, limit);
}

export class RecordsElement extends LineheronElement {
  static override properties = {
    records: { attribute: false },
    selected: { attribute: false },
    health: {},
    onlySelected: { state: true },
    held: { state: true },
  };
  static override styles = [LineheronElement.styles, recordsSheet];

  declare records: readonly KeyedRecord[];
  declare selected: readonly LineKey[];
  declare health: Health;
  declare onlySelected: boolean;
  /** What is shown while paused; null when it runs. */
  declare held: readonly KeyedRecord[] | null;

  constructor() {
    super();
    this.records = [];
    this.selected = [];
    this.health = 'loading';
    this.onlySelected = false;
    this.held = null;
  }

  readonly #toggle = (): void => {
    this.held = this.held === null ? this.records : null;
  };

  readonly #onKey = (event: KeyboardEvent): void => {
    if (event.key !== ' ' || event.target !== event.currentTarget) return;
    event.preventDefault();
    this.#toggle();
  };

  #mark({ anomalous, is_anomaly, anomaly_type }: RecordView): TemplateResult | string {
    const truth =
      is_anomaly === true ? html`<span class="truth">true: ${words(anomaly_type ?? 'fault')}</span>` : '';
    if (!anomalous) return html`${truth}`;
    return html`<span class="mark">${icon('warning', 13)}anomaly</span>${truth}`;
  }

  #row({ record }: KeyedRecord): TemplateResult {
    const cell = (value: number | null, extra = '') =>
      html`<td class="figure ${extra}">${figure(value)}</td>`;
    const whole = (value: number | null, extra = '') =>
      html`<td class="figure ${extra}">${value === null ? UNKNOWN : value}</td>`;
    return html`<tr data-testid="record-row" data-anomalous=${record.anomalous} class=${record.anomalous ? 'anomalous' : ''}>
      <td>${clock(record.timestamp)}</td>
      <td class="clip line"><span>${deviceName(record.device)}</span> <span class="muted">${record.agent}</span></td>
      ${cell(record.latency_ms)} ${cell(record.packet_loss_pct)} ${whole(record.retry_count, 'wide')}
      <td class="figure wide">${record.error_code ?? UNKNOWN}</td>
      ${cell(record.traffic_volume_mb, 'wide')} ${whole(record.connection_resets, 'wide')}
      <td class="marks">${this.#mark(record)}</td>
    </tr>`;
  }

  /** Rows are reused by position: what is new is a change of text, so nothing on the page moves. */
  #table(rows: readonly KeyedRecord[]): TemplateResult {
    return html`<table class="number">
      <caption class="hidden">
        Newest records first
      </caption>
      <thead>
        <tr>
          <th scope="col" class="time">Time</th>
          <th scope="col">Line</th>
          <th scope="col" class="figure latency">Latency, ms</th>
          <th scope="col" class="figure loss">Loss, %</th>
          <th scope="col" class="figure wide retries">Retries</th>
          <th scope="col" class="figure wide error">Error</th>
          <th scope="col" class="figure wide traffic">Traffic, MB</th>
          <th scope="col" class="figure wide resets">Resets</th>
          <th scope="col" class="marks">Mark</th>
        </tr>
      </thead>
      <tbody>
        ${rows.map((record) => this.#row(record))}
      </tbody>
    </table>`;
  }

  #actions(missed: number): TemplateResult {
    const paused = this.held !== null;
    return html`<div slot="actions" class="actions">
      <select
        aria-label="Show records of"
        @change=${(event: Event) => {
          this.onlySelected = (event.target as HTMLSelectElement).value === 'charts';
        }}
      >
        <option value="all" ?selected=${!this.onlySelected}>All lines</option>
        <option value="charts" ?selected=${this.onlySelected}>Lines in the charts</option>
      </select>
      <button class="quiet pause" aria-pressed=${paused} @click=${this.#toggle}>
        ${icon(paused ? 'play' : 'pause', 13)}${paused ? 'Resume' : 'Pause'}
      </button>
      <span class="hidden" role="status">${paused ? 'Records are paused' : ''}</span>
      ${paused ? html`<span class="muted missed number">${missed} newer</span>` : ''}
    </div>`;
  }

  protected override render() {
    const source = this.held ?? this.records;
    const rows = chooseRecords(source, this.onlySelected ? this.selected : null, MAX_ROWS);
    const newest = source[0]?.key ?? -1;
    const missed = this.held === null ? 0 : Math.max(0, (this.records[0]?.key ?? newest) - newest);
    const empty = this.records.length === 0 ? 'No records yet. Agents may be told to publish none.' : '';
    return html`<lh-panel heading="Records" note="newest first" health=${this.health} empty=${empty}>
      ${this.#actions(missed)}
      <div
        class="scroll"
        tabindex="0"
        role="region"
        aria-label="Newest records; Space pauses"
        @keydown=${this.#onKey}
      >
        ${rows.length > 0 ? this.#table(rows) : html`<p class="none muted">No records of these lines yet.</p>`}
      </div>
    </lh-panel>`;
  }
}

customElements.define('lh-records', RecordsElement);

declare global {
  interface HTMLElementTagNameMap {
    'lh-records': RecordsElement;
  }
}
