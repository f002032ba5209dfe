/** `<lh-lines>`: every line of every agent, its state, its last values; one or more are chosen for the charts. */
import type { StatusView, WindowView } from '@lineheron/models';
import { html, type TemplateResult } from 'lit';
import { LineSelectEvent } from '../event.js';
import { duration, figure, plural } from '../format.js';
import { deviceName, freshness, type Line, type LineKey, MAX_SELECTED } from '../line.js';
import { LineheronElement } from '../part/element.js';
import { icon } from '../part/icon.js';
import type { Health } from '../part/panel.js';
import '../part/panel.js';
import '../part/spark.js';
import { lineWord } from '../watch-facts.js';
import { linesSheet } from './lines.styles.js';

/** More lines than this are found by searching. */
export const MAX_SHOWN = 120;

/** Lines whose agent or device holds the text; those with an alert first when there are too many. */
export function searchLines(lines: readonly Line[], text: string): readonly Line[] {
  const wanted = text.trim().toLowerCase();
  const found =
    wanted === ''
      ? lines
      : lines.filter((l) => `${l.agent}/${l.device} ${deviceName(l.device)}`.toLowerCase().includes(wanted));
  if (found.length <= MAX_SHOWN) return found;
  return [...found].sort((a, b) => Number(b.hasAlert) - Number(a.hasAlert)).slice(0, MAX_SHOWN);
}

export class LinesElement extends LineheronElement {
  static override properties = {
    lines: { attribute: false },
    windows: { attribute: false },
    selected: { attribute: false },
    status: { attribute: false },
    health: {},
    nowMs: { attribute: false },
    search: { state: true },
  };
  static override styles = [LineheronElement.styles, linesSheet];

  declare lines: readonly Line[];
  declare windows: ReadonlyMap<LineKey, readonly WindowView[]>;
  declare selected: readonly LineKey[];
  declare status: StatusView | null;
  declare health: Health;
  /** The collector's time. */
  declare nowMs: number;
  declare search: string;

  constructor() {
    super();
    this.lines = [];
    this.windows = new Map();
    this.selected = [];
    this.status = null;
    this.health = 'loading';
    this.nowMs = 0;
    this.search = '';
  }

  #state(line: Line, id: string): TemplateResult {
    const word = lineWord(line);
    const current = freshness(line) === 'current' && this.health === 'live';
    if (!current) {
      const name = line.state === 'offline' ? 'failed' : 'stale';
      const said = freshness(line) === 'current' ? `was ${word}` : word;
      return html`<span id=${id} class="state ${line.alert?.severity ?? ''}">${icon(name, 12)}${said}</span>`;
    }
    if (line.hasAlert) {
      const severity = line.alert?.severity ?? 'warning';
      return html`<span id=${id} class="state ${severity}">${icon(severity, 13)}${severity}<span class="hidden"> alert</span></span>`;
    }
    const calm = line.state === 'scored' && line.watched;
    return html`<span id=${id} class="state">${icon(calm ? 'check' : 'stale', 12)}${word}</span>`;
  }

  /** What it measured last, or when that was, once it says nothing of how the line is now. */
  #values(line: Line): string {
    if (freshness(line) !== 'current') {
      return `last ${duration(this.nowMs - Date.parse(line.lastSeen))} ago`;
    }
    if (line.measuredAt !== null) return `measured ${duration(this.nowMs - Date.parse(line.measuredAt))} ago`;
    const last = this.windows.get(line.key)?.at(-1);
    return `${figure(last?.latency_ms ?? null)} ms · ${figure(last?.packet_loss_pct ?? null)} %`;
  }

  #line(line: Line, index: number): TemplateResult {
    const windows = this.windows.get(line.key) ?? [];
    const position = this.selected.indexOf(line.key);
    const name = `${deviceName(line.device)} of ${line.agent}`;
    const select = (event: MouseEvent) =>
      this.dispatchEvent(new LineSelectEvent(line.key, event.ctrlKey || event.metaKey || event.shiftKey));
    const compare = () => this.dispatchEvent(new LineSelectEvent(line.key, true));
    return html`<li
      class="line ${position >= 0 ? `chosen series-${position + 1}` : ''}"
      data-testid="line"
      data-line=${line.key}
      data-alert=${line.hasAlert}
    >
      <div class="card">
        <span class="row">
          <button class="choose" aria-pressed=${position >= 0} aria-describedby=${`state-${index}`} @click=${select}>
            <span class="device">${deviceName(line.device)}<span class="hidden"> of ${line.agent}</span></span>
          </button>
          ${this.#state(line, `state-${index}`)}
        </span>
        <span class="row">
          <lh-spark .windows=${windows}></lh-spark>
          <span class="values number">
            ${this.#values(line)}
          </span>
        </span>
      </div>
      <button
        class="compare"
        aria-label=${position >= 0 ? `Take ${name} out of the charts` : `Add ${name} to the charts`}
        title=${position >= 0 ? 'Take out of the charts' : `Add to the charts (up to ${MAX_SELECTED})`}
        @click=${compare}
      >
        ${icon(position >= 0 ? 'minus' : 'plus', 14)}
      </button>
    </li>`;
  }

  #agent(id: string, lines: readonly Line[], all: readonly Line[]): TemplateResult {
    const agent = this.status?.agents.find((candidate) => candidate.id === id);
    const detail = agent
      ? `${agent.source.type}${agent.source.phase === 'live' ? '' : `, ${agent.source.phase}`}`
      : '';
    return html`<li class="agent">
      <h3>${id} <span class="muted">${agent?.online === false ? 'offline' : detail}</span></h3>
      ${(agent?.problems ?? []).map(({ message }) => html`<p class="problem">${icon('warning', 12)}${message}</p>`)}
      <ul>
        ${lines.map((line) => this.#line(line, all.indexOf(line)))}
      </ul>
    </li>`;
  }

  #note(): string {
    const devices = this.lines.filter(({ isGateway }) => !isGateway);
    if (devices.length === 0 || this.health !== 'live') return '';
    return `${devices.filter(({ watched }) => watched).length} of ${plural(devices.length, 'line')} watched`;
  }

  protected override render() {
    const found = searchLines(this.lines, this.search);
    const agents = [...new Set(found.map(({ agent }) => agent))];
    const left = this.lines.length - found.length;
    return html`<lh-panel
      heading="Lines"
      note=${this.#note()}
      health=${this.health}
      empty=${this.lines.length === 0 ? 'No lines yet: they appear as soon as an agent reports. On a gateway, lineheron-agent init writes its configuration.' : ''}
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
        }}
      />
      <div class="scroll">
        <ul>
          ${agents.map((id) =>
            this.#agent(
              id,
              found.filter(({ agent }) => agent === id),
              found,
            ),
          )}
        </ul>
        ${found.length === 0 ? html`<p class="more muted">No line matches “${this.search}”.</p>` : ''}
        ${found.length > 0 && left > 0 ? html`<p class="more muted">${plural(left, 'line')} not shown</p>` : ''}
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
