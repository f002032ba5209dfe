/**
 * `<lh-lines>`: every line of every agent, its state, its last values; one or more are chosen for the charts. A grid
 * of which only the rows in sight are drawn, and the one that the keyboard is on.
 */
import type { Alert, FeedAgent, Watching } from '@lineheron/models';
import { html, type PropertyValues, type TemplateResult } from 'lit';
import { repeat } from 'lit/directives/repeat.js';
import { FindEvent, LineSelectEvent } from '../event.js';
import { NO_VALUES, type ValuesByLine } from '../feed/values.js';
import { duration, figure, plural } from '../format.js';
import { deviceName, freshness, type Line, type LineKey, MAX_SELECTED } from '../line.js';
import { LineheronElement } from '../part/element.js';
import { icon } from '../part/icon.js';
import type { Health } from '../part/panel.js';
import '../part/panel.js';
import '../part/spark.js';
import { lineWord } from '../watch-facts.js';
import {
  HEADING_PX,
  LINE_PX,
  lineAfter,
  type Move,
  type Row,
  type RowList,
  rowsInSight,
  scrollTo,
  searchLines,
  toRows,
} from './line-rows.js';
import { linesSheet } from './lines.styles.js';

const MOVES: Readonly<Record<string, Move>> = {
  ArrowDown: 'next',
  ArrowUp: 'previous',
  Home: 'first',
  End: 'last',
  PageDown: 'pageDown',
  PageUp: 'pageUp',
};

export class LinesElement extends LineheronElement {
  static override properties = {
    lines: { attribute: false },
    values: { attribute: false },
    agents: { attribute: false },
    openAlerts: { attribute: false },
    selected: { attribute: false },
    watching: { attribute: false },
    health: {},
    nowMs: { attribute: false },
    search: { state: true },
    scrollPx: { state: true },
    heightPx: { state: true },
    active: { state: true },
  };
  static override styles = [LineheronElement.styles, linesSheet];

  declare lines: readonly Line[];
  declare values: ValuesByLine;
  declare agents: readonly FeedAgent[];
  declare openAlerts: ReadonlyMap<LineKey, Alert>;
  declare selected: readonly LineKey[];
  /** Counts of all lines: of a large fleet the list shows the worst. */
  declare watching: Watching | null;
  declare health: Health;
  /** The collector's time. */
  declare nowMs: number;
  declare search: string;
  declare scrollPx: number;
  declare heightPx: number;
  /** The line that the Tab key leads to. */
  declare active: LineKey | null;

  #list: RowList = toRows([], []);
  #found = 0;
  #observer: ResizeObserver | null = null;

  constructor() {
    super();
    this.lines = [];
    this.values = new Map();
    this.agents = [];
    this.openAlerts = new Map();
    this.selected = [];
    this.watching = null;
    this.health = 'loading';
    this.nowMs = 0;
    this.search = '';
    this.scrollPx = 0;
    this.heightPx = 0;
    this.active = null;
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#observer?.disconnect();
    this.#observer = null;
  }

  protected override willUpdate(changed: PropertyValues<this>): void {
    if (!changed.has('lines') && !changed.has('agents') && !changed.has('search')) return;
    const found = searchLines(this.lines, this.search);
    this.#found = found.length;
    this.#list = toRows(found, this.agents);
  }

  protected override updated(changed: PropertyValues<this>): void {
    const grid = this.#grid;
    if (!grid) return;
    if (!this.#observer) {
      this.#observer = new ResizeObserver(([entry]) => {
        this.heightPx = entry?.contentRect.height ?? 0;
      });
      this.#observer.observe(grid);
    }
    if (changed.has('search')) grid.scrollTop = 0;
  }

  get #grid(): HTMLElement | null {
    return this.renderRoot.querySelector<HTMLElement>('.scroll');
  }

  /** The place of the row that has or gets the focus: the one it was on, else the first chosen one, else the first. */
  #activePlace(): number {
    const { rows } = this.#list;
    for (const key of [this.active, this.selected[0]]) {
      const place = rows.findIndex((row) => row.kind === 'line' && row.key === key);
      if (place >= 0) return place;
    }
    return rows.findIndex(({ kind }) => kind === 'line');
  }

  readonly #onScroll = (event: Event): void => {
    this.scrollPx = (event.currentTarget as HTMLElement).scrollTop;
  };

  readonly #onFocus = (event: FocusEvent): void => {
    const row = (event.target as HTMLElement).closest<HTMLElement>('[data-line]');
    if (row?.dataset.line) this.active = row.dataset.line;
  };

  readonly #onKey = (event: KeyboardEvent): void => {
    const button = (event.target as HTMLElement).closest('button');
    if (!button || event.altKey) return;
    const isCompare = button.classList.contains('compare');
    if (event.key === 'ArrowLeft' || event.key === 'ArrowRight') {
      event.preventDefault();
      void this.#focus(this.#activePlace(), event.key === 'ArrowRight');
      return;
    }
    const move = MOVES[event.key];
    if (move === undefined) return;
    event.preventDefault();
    const page = Math.max(1, Math.floor(this.heightPx / LINE_PX) - 1);
    const place = lineAfter(this.#list, this.#activePlace(), move, page);
    if (place !== null) void this.#focus(place, isCompare);
  };

  async #focus(place: number, isCompare: boolean): Promise<void> {
    const row = this.#list.rows[place];
    const grid = this.#grid;
    if (!row || !grid) return;
    grid.scrollTop = scrollTo(this.#list, place, grid.scrollTop, this.heightPx);
    this.scrollPx = grid.scrollTop;
    this.active = row.key;
    await this.updateComplete;
    const element = grid.querySelector<HTMLElement>(`[aria-rowindex="${place + 1}"]`);
    element?.querySelector<HTMLElement>(isCompare ? '.compare' : '.choose')?.focus({ preventScroll: true });
  }

  #state(line: Line, id: string): TemplateResult {
    const word = lineWord(line);
    const severity = this.openAlerts.get(line.key)?.severity;
    const current = freshness(line) === 'current' && this.health === 'live';
    if (!current) {
      const name = line.state === 'offline' ? 'failed' : 'stale';
      const said = freshness(line) === 'current' ? `was ${word}` : word;
      return html`<span id=${id} class="state ${severity ?? ''}">${icon(name, 12)}${said}</span>`;
    }
    if (line.hasAlert) {
      const shown = severity ?? 'warning';
      return html`<span id=${id} class="state ${shown}">${icon(shown, 13)}${shown}<span class="hidden"> alert</span></span>`;
    }
    // No gateway has an alert of its own while one of its lines has.
    if (line.isGateway && this.lines.some(({ agent, hasAlert }) => hasAlert && agent === line.agent)) {
      return html`<span id=${id} class="state">${icon('warning', 12)}see its lines</span>`;
    }
    const calm = line.state === 'scored' && line.watched;
    return html`<span id=${id} class="state">${icon(calm ? 'check' : 'stale', 12)}${word}</span>`;
  }

  /** What it measured last, or when that was, once it says nothing of how the line is now. */
  #values(line: Line): string {
    if (freshness(line) !== 'current') return `last ${duration(this.nowMs - line.lastSeenMs)} ago`;
    if (line.measuredMs !== null) return `measured ${duration(this.nowMs - line.measuredMs)} ago`;
    const { latencyMs, lossPct } = this.values.get(line.number) ?? NO_VALUES;
    return `${figure(latencyMs)} ms · ${figure(lossPct)} %`;
  }

  #line(line: Line, withAgent: boolean, place: number, top: number, isActive: boolean): TemplateResult {
    const position = this.selected.indexOf(line.key);
    const name = `${deviceName(line.device)} of ${line.agent}`;
    const state = `state-${line.number}`;
    const select = (event: MouseEvent) =>
      this.dispatchEvent(new LineSelectEvent(line.key, event.ctrlKey || event.metaKey || event.shiftKey));
    const compare = () => this.dispatchEvent(new LineSelectEvent(line.key, true));
    return html`<div
      role="row"
      aria-rowindex=${place + 1}
      aria-selected=${position >= 0}
      class="line ${position >= 0 ? `chosen series-${position + 1}` : ''}"
      style="top:${top}px;height:${LINE_PX}px"
      data-testid="line"
      data-line=${line.key}
      data-alert=${line.hasAlert}
    >
      <div role="gridcell" class="card">
        <span class="row">
          <button
            class="choose"
            tabindex=${isActive ? 0 : -1}
            aria-pressed=${position >= 0}
            aria-describedby=${state}
            @click=${select}
          >
            <span class="device"
              >${deviceName(line.device)}<span class=${withAgent ? 'muted of' : 'hidden'}> of ${line.agent}</span></span
            >
          </button>
          ${this.#state(line, state)}
        </span>
        <span class="row">
          <lh-spark .points=${(this.values.get(line.number) ?? NO_VALUES).spark}></lh-spark>
          <span class="values number">${this.#values(line)}</span>
        </span>
      </div>
      <div role="gridcell" class="more">
        <button
          class="compare"
          tabindex=${isActive ? 0 : -1}
          aria-label=${position >= 0 ? `Take ${name} out of the charts` : `Add ${name} to the charts`}
          title=${position >= 0 ? 'Take out of the charts' : `Add to the charts (up to ${MAX_SELECTED})`}
          @click=${compare}
        >
          ${icon(position >= 0 ? 'minus' : 'plus', 14)}
        </button>
      </div>
    </div>`;
  }

  #heading(
    { agent: id, lines }: Extract<Row, { kind: 'heading' }>,
    place: number,
    top: number,
  ): TemplateResult {
    const agent = this.agents.find((candidate) => candidate.id === id);
    const source = agent
      ? `${agent.source.type}${agent.source.phase === 'live' ? '' : `, ${agent.source.phase}`}`
      : '';
    const detail = id === null ? plural(lines, 'line') : agent?.online === false ? 'offline' : source;
    return html`<div
      role="row"
      aria-rowindex=${place + 1}
      class="heading"
      style="top:${top}px;height:${HEADING_PX}px"
    >
      <div role="rowheader" aria-colspan="2">${id ?? 'In alert'} <span class="muted">${detail}</span></div>
    </div>`;
  }

  #problem(
    { message, heightPx }: Extract<Row, { kind: 'problem' }>,
    place: number,
    top: number,
  ): TemplateResult {
    return html`<div
      role="row"
      aria-rowindex=${place + 1}
      class="problem"
      style="top:${top}px;height:${heightPx}px"
    >
      <div role="gridcell" aria-colspan="2" class="message">${icon('warning', 12)}<span>${message}</span></div>
    </div>`;
  }

  #rows(): unknown {
    const { rows, tops } = this.#list;
    const { from, to } = rowsInSight(this.#list, this.scrollPx, this.heightPx);
    const active = this.#activePlace();
    const places = Array.from({ length: to - from }, (_, at) => from + at);
    if (active >= 0 && active < from) places.unshift(active);
    if (active >= to) places.push(active);
    return repeat(
      places,
      (place) => `${rows[place]!.kind} ${rows[place]!.key}`,
      (place) => {
        const row = rows[place]!;
        const top = tops[place]!;
        if (row.kind === 'heading') return this.#heading(row, place, top);
        if (row.kind === 'problem') return this.#problem(row, place, top);
        return this.#line(row.line, row.withAgent, place, top, place === active);
      },
    );
  }

  #note(): string {
    const { watching } = this;
    if (!watching || watching.of === 0 || this.health !== 'live') return '';
    if (this.search !== '') {
      const all = this.#isPart ? '' : ` of ${plural(this.lines.length, 'line')}`;
      return `${this.#found}${all} found`;
    }
    const shown = this.#isPart ? `, ${this.lines.length} shown` : '';
    return `${watching.lines} of ${plural(watching.of, 'line')} watched${shown}`;
  }

  /** There are more lines than the list shows: Find looks beyond it. */
  get #isPart(): boolean {
    return (this.watching?.of ?? 0) > this.lines.filter(({ isGateway }) => !isGateway).length;
  }

  protected override render() {
    const known = this.lines.length;
    return html`<lh-panel
      heading="Lines"
      note=${this.#note()}
      health=${this.health}
      empty=${known === 0 ? 'No lines yet: they appear as soon as an agent reports. On a gateway, lineheron-agent init writes its configuration.' : ''}
    >
      <input
        slot="actions"
        type="search"
        placeholder="Find"
        aria-label="Find a line"
        maxlength="128"
        .value=${this.search}
        @input=${(event: Event) => {
          this.search = (event.target as HTMLInputElement).value;
          this.dispatchEvent(new FindEvent(this.#isPart ? this.search : ''));
        }}
      />
      ${this.#found === 0 ? html`<p class="none muted" role="status">No line matches “${this.search}”.</p>` : ''}
      <div
        class="scroll"
        role="grid"
        aria-label="Lines"
        aria-rowcount=${this.#list.rows.length}
        aria-colcount="2"
        aria-multiselectable="true"
        ?hidden=${this.#found === 0}
        @scroll=${this.#onScroll}
        @focusin=${this.#onFocus}
        @keydown=${this.#onKey}
      >
        <div class="space" role="rowgroup" style="height:${this.#list.tops.at(-1)!}px">${this.#rows()}</div>
      </div>
    </lh-panel>`;
  }
}

customElements.define('lh-lines', LinesElement);

declare global {
  interface HTMLElementTagNameMap {
    'lh-lines': LinesElement;
  }
}
