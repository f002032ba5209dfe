/**
 * `<lh-chart>`: hosts one uPlot. Options changed → built anew; frame changed → new data; size changed → new size;
 * removed → destroyed. Whatever comes, it draws at most once per animation frame.
 * The arrow keys move the cursor when the chart has the focus.
 */
import { css, html, type PropertyValues, unsafeCSS } from 'lit';
import uPlot from 'uplot';
import uPlotSheet from 'uplot/dist/uPlot.min.css?inline';
import { clock, figure, withUnit } from '../format.js';
import { LineheronElement } from '../part/element.js';
import { lastValue, valueAt } from './data.js';
import { type ChartFrame, chartOptions } from './options.js';
import { readPalette } from './palette.js';
import type { ChartSpec } from './spec.js';

const EMPTY_FRAME: ChartFrame = { columns: [[]], from: 0, to: 1, bands: [] };

export class ChartElement extends LineheronElement {
  static override properties = {
    spec: { attribute: false },
    frame: { attribute: false },
    names: { attribute: false },
    themeKey: { attribute: false },
    cursor: { state: true },
  };
  static override styles = [
    LineheronElement.styles,
    unsafeCSS(uPlotSheet),
    css`
      .head {
        display: flex;
        flex-wrap: wrap;
        align-items: baseline;
        gap: 2px 12px;
        min-height: 22px;
        padding-left: 4px;
      }
      h3 {
        font-size: 13px;
        font-weight: 600;
      }
      h3 .muted {
        font-size: 12px;
        font-weight: 400;
      }
      .values {
        display: flex;
        gap: 12px;
        margin-left: auto;
        font-size: 12px;
      }
      .value {
        display: inline-flex;
        align-items: center;
        gap: 5px;
        white-space: nowrap;
      }
      .swatch {
        width: 12px;
        height: 3px;
        border-radius: 2px;
        background: var(--swatch);
      }
      .value:nth-child(1) {
        --swatch: var(--lh-series-1);
      }
      .value:nth-child(2) {
        --swatch: var(--lh-series-2);
      }
      .value:nth-child(3) {
        --swatch: var(--lh-series-3);
      }
      .value:nth-child(4) {
        --swatch: var(--lh-series-4);
      }
      .plot {
        height: clamp(168px, 17vh, 260px);
        overflow: hidden;
        border-radius: 4px;
      }
      .u-hz .u-cursor-x {
        border-right: 1px solid var(--lh-border-strong);
      }
      @media (forced-colors: active) {
        .swatch {
          forced-color-adjust: none;
        }
      }
    `,
  ];

  declare spec: ChartSpec | null;
  declare frame: ChartFrame;
  declare names: readonly string[];
  declare themeKey: string;
  declare cursor: number | null;

  #plot: uPlot | null = null;
  #observer: ResizeObserver | null = null;
  #pending = 0;
  #stale = { options: true, data: false, size: false };

  constructor() {
    super();
    this.spec = null;
    this.frame = EMPTY_FRAME;
    this.names = [];
    this.themeKey = '';
    this.cursor = null;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.#observer = new ResizeObserver(() => this.#schedule('size'));
    this.#observer.observe(this);
    this.#schedule('options');
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#observer?.disconnect();
    cancelAnimationFrame(this.#pending);
    this.#pending = 0;
    this.#destroy();
  }

  protected override updated(changed: PropertyValues<this>): void {
    const sameNames = (changed.get('names') as readonly string[] | undefined)?.join() === this.names.join();
    if (changed.has('spec') || changed.has('themeKey') || (changed.has('names') && !sameNames)) {
      this.#schedule('options');
    }
    if (changed.has('frame')) this.#schedule('data');
  }

  #schedule(what: 'options' | 'data' | 'size'): void {
    this.#stale[what] = true;
    if (this.#pending === 0 && this.isConnected) this.#pending = requestAnimationFrame(() => this.#draw());
  }

  #draw(): void {
    this.#pending = 0;
    const place = this.renderRoot.querySelector<HTMLElement>('.plot');
    if (!place || !this.spec || place.clientWidth === 0) return;
    const stale = this.#stale;
    this.#stale = { options: false, data: false, size: false };
    if (stale.options || !this.#plot) {
      this.#build(place, this.spec);
      return;
    }
    const size = { width: place.clientWidth, height: place.clientHeight };
    if (stale.size && (size.width !== this.#plot.width || size.height !== this.#plot.height)) {
      this.#plot.setSize(size);
    }
    if (stale.data) this.#plot.setData(this.#data());
  }

  /** A frame that came before its names has too few columns; uPlot wants one for each series. */
  #data(): uPlot.AlignedData {
    const [times, ...values] = this.frame.columns;
    const filled = this.names.map((_, index) => values[index] ?? times.map(() => null));
    return [times, ...filled];
  }

  #build(place: HTMLElement, spec: ChartSpec): void {
    this.#destroy();
    const options = chartOptions({
      spec,
      palette: readPalette(getComputedStyle(this)),
      names: this.names,
      width: place.clientWidth,
      height: place.clientHeight,
      frame: () => this.frame,
      onCursor: (index) => {
        this.cursor = index;
      },
    });
    this.#plot = new uPlot(options, this.#data(), place);
  }

  #destroy(): void {
    this.#plot?.destroy();
    this.#plot = null;
  }

  readonly #onKey = (event: KeyboardEvent): void => {
    const step = { ArrowLeft: -1, ArrowRight: 1, PageUp: -10, PageDown: 10 }[event.key];
    const plot = this.#plot;
    if (event.key === 'Escape') plot?.setCursor({ left: -10, top: -10 });
    if (step === undefined || !plot) return;
    event.preventDefault();
    const times = this.frame.columns[0];
    const index = Math.min(times.length - 1, Math.max(0, (this.cursor ?? times.length) + step));
    const time = times[index];
    if (time !== undefined) plot.setCursor({ left: plot.valToPos(time, 'x'), top: plot.bbox.height / 4 });
  };

  #shown(): readonly (number | null)[] {
    const [, ...values] = this.frame.columns;
    return values.map((column) => (this.cursor === null ? lastValue(column) : valueAt(column, this.cursor)));
  }

  #summary(): string {
    const [, ...values] = this.frame.columns;
    const parts = this.names.map((name, index) => {
      const known = (values[index] ?? []).filter((value) => typeof value === 'number');
      if (known.length === 0) return `${name}: no data`;
      const [least, most] = [Math.min(...known), Math.max(...known)];
      return `${name}: between ${figure(least)} and ${figure(most)} ${this.spec?.unit ?? ''}`;
    });
    return `${this.spec?.title ?? ''}, last 5 minutes. ${parts.join('; ')}`;
  }

  protected override render() {
    if (!this.spec) return html``;
    const { title, note, unit } = this.spec;
    const roomy = note === '' && this.names.length <= 2;
    const time = this.cursor === null || !roomy ? undefined : this.frame.columns[0][this.cursor];
    return html`
      <div class="head">
        <h3>${title}${note ? html` <span class="muted">${note}</span>` : ''}</h3>
        <span class="values number">
          ${this.#shown().map((value) => html`<span class="value"><i class="swatch"></i>${withUnit(value, unit)}</span>`)}
          ${time === undefined ? '' : html`<span class="muted">${clock(time * 1000)}</span>`}
        </span>
      </div>
      <div
        class="plot"
        role="group"
        aria-roledescription="chart"
        aria-label=${this.#summary()}
        tabindex="0"
        @keydown=${this.#onKey}
      ></div>
    `;
  }
}

customElements.define('lh-chart', ChartElement);

declare global {
  interface HTMLElementTagNameMap {
    'lh-chart': ChartElement;
  }
}
